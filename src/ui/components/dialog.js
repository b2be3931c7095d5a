// A modal dialog: the browser keeps the focus inside and gives it back; Esc and the backdrop close it.
import { html, useLayoutEffect, useRef } from '../lib.js';
import { t } from '../text.js';
import { Icon } from './icons.js';

let ids = 0;

/** @param {{title: string, subtitle?: string, onClose: () => void, class?: string, actions?: any, children?: any}} props */
export function Dialog({ title, subtitle, onClose, class: name = '', actions, children }) {
  const ref = useRef(null);
  const id = useRef(`dialog-${++ids}`).current;
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    // The dialog itself, not its first button: a ring round "Close" says nothing.
    if (!dialog.querySelector('[autofocus]')) dialog.focus();
    return () => dialog.open && dialog.close();
  }, []);
  const outside = (event) => event.target === ref.current && onClose();
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog class=${`dialog ${name}`} ref=${ref} aria-labelledby=${id} tabindex="-1" onCancel=${cancel} onMouseDown=${outside}>
    <header><h2 id=${id}>${title}</h2>${subtitle ? html`<p>${subtitle}</p>` : null}
      <div class="end">${actions}<button type="button" class="pill icon" aria-label=${t('Close')} onClick=${onClose}><${Icon} name="close" /></button></div></header>
    <div class="inside">${children}</div>
  </dialog>`;
}
