// A link within the page: the address changes, the page stays. Anything but a plain click is the browser's.
import { html } from '../lib.js';
import { go, open } from '../state.js';

/** @param {{href: string, children?: any, current?: boolean, [key: string]: any}} props */
export function Link({ href, current, children, onClick, ...rest }) {
  const click = (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open.value = null;
    onClick?.(event);
    go(href);
  };
  return html`<a href=${href} aria-current=${current ? 'page' : undefined} onClick=${click} ...${rest}>${children}</a>`;
}
