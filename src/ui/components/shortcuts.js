// The keys of the page, and the dialog that lists them.
import { html } from '../lib.js';
import { cursor, go, open, range, resolve, route, setQuery, setRange } from '../state.js';
import { step, stepSeconds } from '../range.js';
import { t } from '../text.js';
import { Dialog } from './dialog.js';
import { toggleLive } from './topbar.js';

/** After `g`. */
const PLACES = { e: '/d/executive', o: '/', d: '/d/development', x: '/explore', a: '/alerts', n: '/analysis', m: '/catalog', s: '/settings' };
/** How long `g` waits for its second key. */
const WAIT_MS = 1500;
let going = 0;

const SINGLE = {
  '/': () => (open.value = 'palette'),
  '?': () => (open.value = 'keys'),
  t: () => route.peek().page.timed && (open.value = 'range'),
  l: () => route.peek().page.live && toggleLive(),
  '[': () => setRange(step(range.peek(), Date.now(), -1)),
  ']': () => setRange(step(range.peek(), Date.now(), 1)),
};

/** Moves the moment that all charts point at. @param {number} steps */
function point(steps) {
  const span = resolve(range.peek());
  const by = stepSeconds(span) * 1e3;
  const from = cursor.peek() ?? span.end;
  cursor.value = Math.min(span.end, Math.max(span.start, from + steps * by));
}

/** Whether keys are somebody else's now: a field, an open menu or dialog. @param {KeyboardEvent} event */
function taken(event) {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return true;
  if (event.target.closest?.('input, textarea, select, [contenteditable], [role=listbox], [role=slider]')) return true;
  return Boolean(document.querySelector('dialog[open], [popover]:popover-open'));
}

function pressed(event) {
  if (event.key === 'Escape' && cursor.peek() !== null) cursor.value = null;
  if (taken(event)) return;
  const { key } = event;
  const act = going > performance.now() && PLACES[key] ? () => go(PLACES[key]) : SINGLE[key];
  going = 0;
  if (act) {
    event.preventDefault();
    act();
  } else if (key === 'g') going = performance.now() + WAIT_MS;
  else if ((key === 'ArrowLeft' || key === 'ArrowRight') && route.peek().page.timed) {
    event.preventDefault();
    point((key === 'ArrowLeft' ? -1 : 1) * (event.shiftKey ? 10 : 1));
  } else if (key === 'Enter' && event.target.matches?.('[data-panel]')) setQuery({ panel: event.target.dataset.panel });
}

/** Listens from now on. */
export const listen = () => addEventListener('keydown', pressed);

export function Keys() {
  if (open.value !== 'keys') return null;
  const rows = [
    [['/'], t('Search')], [['g', 'e'], t('Executive')], [['g', 'o'], t('Operations')], [['g', 'd'], t('Development')], [['g', 'x'], t('Explore')],
    [['g', 'a'], t('Alerts')], [['g', 'n'], t('Analysis')], [['t'], t('Time range')], [['[', ']'], t('Step the time back and forward')], [['l'], t('Live on and off')],
    [['←', '→'], t('Move the line in all charts; with Shift by ten')], [['Enter'], t('Open the focused panel full size')], [['Esc'], t('Close')],
    [['Ctrl', 'Enter'], t('Run the query (Explore)')], [['?'], t('This list')],
  ];
  return html`<${Dialog} title=${t('Keyboard')} onClose=${() => (open.value = null)}>
    <dl class="keys">${rows.map(([keys, words]) => html`<dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${words}</dd>`)}</dl><//>`;
}
