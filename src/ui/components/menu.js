// A button with a menu in the browser's top layer: it closes by Esc or a click outside, arrows walk through it.
import { html, useRef, useState, useSignalEffect } from '../lib.js';
import { open } from '../state.js';

/**
 * `children(close)` draws the menu when it is open. `name`: opened by `open.value = name` too.
 * @param {{button: any, label?: string, buttonClass: string, class?: string, name?: string, children: (close: () => void) => any}} props
 */
export function Menu({ button, label, buttonClass, class: look = '', name, children }) {
  const pop = useRef(null);
  const opener = useRef(null);
  const [shown, show] = useState(false);
  const close = () => pop.current?.hidePopover();
  useSignalEffect(() => {
    if (!name || open.value !== name) return;
    open.value = null;
    queueMicrotask(() => pop.current?.showPopover());
  });
  const before = (event) => {
    if (event.newState !== 'open') return;
    place(pop.current, opener.current.getBoundingClientRect());
    show(true);
  };
  const after = (event) => {
    if (event.newState === 'open') (pop.current.querySelector('[aria-pressed="true"]') ?? pop.current.querySelector('button, a, input'))?.focus();
    else show(false);
  };
  return html`<button type="button" class=${buttonClass} ref=${opener} aria-label=${label} aria-haspopup="true" aria-expanded=${String(shown)}
      onClick=${() => pop.current.togglePopover()} onPointerDown=${(e) => shown && e.preventDefault()}>${button}</button>
    <div class=${`menu ${look}`} ref=${pop} popover="auto" onBeforeToggle=${before} onToggle=${after} onKeyDown=${walk}>${shown ? children(close) : null}</div>`;
}

/** Below the button, its right edges together; above it where there is no room. */
function place(pop, rect) {
  const low = rect.bottom > innerHeight * 0.62;
  Object.assign(pop.style, {
    right: `${Math.max(8, innerWidth - rect.right)}px`,
    left: 'auto',
    top: low ? 'auto' : `${rect.bottom + 6}px`,
    bottom: low ? `${innerHeight - rect.top + 6}px` : 'auto',
  });
}

function walk(event) {
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way || event.target.tagName === 'INPUT') return;
  const items = [...event.currentTarget.querySelectorAll('button, a')];
  const next = items[(items.indexOf(document.activeElement) + way + items.length) % items.length];
  event.preventDefault();
  next?.focus();
}
