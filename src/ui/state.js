// What the whole page shares, as signals: where it is, which time, live or not, theme, who is here. Draws nothing.
import { batch, computed, effect, signal } from './lib.js';
import { lang } from './text.js';
import { moves, resolve as resolveSpan } from './range.js';
import { find } from './pages/index.js';

export { lang };
const browser = typeof document !== 'undefined';

// ---- kept per browser ----

/** @param {string} name @returns {string|null} */
export function recall(name) {
  try {
    return localStorage.getItem(`latido.${name}`);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(`latido.${name}`, value);
  } catch {
    // A browser that keeps nothing forgets the choice, no more.
  }
}

// ---- where ----

const place = () => {
  const url = browser ? new URL(location.href) : new URL('http://page/');
  return { path: url.pathname, query: Object.fromEntries(url.searchParams), ...find(url.pathname) };
};

/** `{path, query, page, params}`: the address, its query, the page that shows it and what its pattern took. */
export const route = signal(place());

/** `ask()` is asked before another page is shown; false stays. Set by a page that holds what is not saved. */
export const hold = { ask: null };
const leaves = (path) => path !== route.peek().path && hold.ask !== null && !hold.ask();

/** Goes to a path of the page. @param {string} path @param {{replace?: boolean}} [how] */
export function go(path, { replace = false } = {}) {
  if (path === location.pathname + location.search || leaves(path.split('?')[0])) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  arrive();
}

/** Changes the query of the address without a step in the history. @param {Record<string, string|number|null>} changes null takes away */
export function setQuery(changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, String(value));
  }
  history.replaceState(null, '', url.pathname + url.search);
  route.value = place();
}

/** Back and forward have changed the address already: who stays gets it back. */
function moved() {
  const { path, query } = route.peek();
  if (!leaves(location.pathname)) arrive();
  else history.pushState(null, '', `${path}${Object.keys(query).length ? `?${new URLSearchParams(query)}` : ''}`);
}

function arrive() {
  const next = place();
  batch(() => {
    if (next.path !== route.value.path) cursor.value = null;
    route.value = next;
  });
}

/** `{title, subtitle}` above the page: a page sets it, else what the list of pages says. */
export const heading = signal({ title: '', subtitle: '' });

// ---- when ----

/** Where the store's data begins, ms; null while unknown. */
export const since = signal(null);

const HOUR = { from: 'now-1h', to: 'now', auto: true };
const ofQuery = ({ from, to }) => (from ? { from: side(from), to: side(to ?? 'now') } : null);
const side = (text) => (/^\d{10,}$/.test(text) ? Number(text) : text);

/** The chosen time: `{from, to}`, relative texts or ms; `auto` while nobody chose. */
export const range = signal(ofQuery(route.value.query) ?? HOUR);

/** Chooses a time; the address keeps it. @param {import('./range.js').Range} next */
export function setRange(next) {
  range.value = next;
  setQuery(next.auto ? { from: null, to: null } : { from: next.from, to: next.to === 'now' ? null : next.to });
}

/** What a dashboard shows until someone chooses. @param {string|undefined} span such as `6h` */
export function setDefaultRange(span) {
  if (!range.value.auto && !ofQuery(route.value.query)) return;
  if (range.value.auto && span) range.value = { from: `now-${span}`, to: 'now', auto: true };
}

/** The moments of a range. @param {import('./range.js').Range} which @param {number} [now] @returns {import('./range.js').Span} */
export const resolve = (which, now = Date.now()) => resolveSpan(which, now, since.value);

/** Whether new points are wanted (the person's choice). */
export const live = signal(true);
/** What the link does: `{state: 'idle'|'connecting'|'live'|'stale'|'reconnecting', behind?: ms}`. */
export const link = signal({ state: 'idle' });
/** Counts the frames that were shown: the heart of the page. */
export const beats = signal(0);
/** Whether the chosen time moves with the clock. */
export const moving = computed(() => moves(range.value));

/** The moment that every chart points at, ms or null. */
export const cursor = signal(null);

// ---- look ----

/** The person's choice: `auto`, `light` or `dark`. */
export const theme = signal(recall('theme') ?? 'auto');
/** What the open dashboard asks for. */
export const boardTheme = signal('auto');
const dark = browser ? matchMedia('(prefers-color-scheme: dark)') : { matches: false };
const systemDark = signal(dark.matches);
/** `light` or `dark`: what is shown. Charts redraw when it changes. */
export const shade = computed(() => {
  const asked = theme.value !== 'auto' ? theme.value : boardTheme.value;
  return asked === 'light' || asked === 'dark' ? asked : systemDark.value ? 'dark' : 'light';
});

// ---- who ----

/** `{name, role: 'viewer'|'editor'|'admin', accounts: boolean}`; without accounts everybody here is admin. `accounts` is null while unknown. */
export const me = signal({ name: '', role: '', accounts: null });
const RANK = { none: 0, viewer: 1, editor: 2, admin: 3 };
/** Whether the person has at least a role. @param {'viewer'|'editor'|'admin'} role */
export const may = (role) => (RANK[me.value.role] ?? 0) >= RANK[role];

// ---- short messages ----

/** `{id, text, tone}` list of what is being said at the bottom. */
export const toasts = signal([]);
let lastToast = 0;

/** Says something for a few seconds. @param {string} text @param {'plain'|'crit'} [tone] */
export function toast(text, tone = 'plain') {
  const id = ++lastToast;
  toasts.value = [...toasts.value.slice(-2), { id, text, tone }];
  setTimeout(() => (toasts.value = toasts.value.filter((one) => one.id !== id)), 5000);
}

/** Which dialog is open: null, `palette`, `range`, `keys`, `more`. */
export const open = signal(null);
/** The dashboards of the rail: `[{id, title, access, predefined}]`. */
export const boards = signal([]);
/** Firing alerts, newest first. */
export const firing = signal([]);
/** The answer of `metrics/stats`, or null. */
export const stats = signal(null);

if (browser) {
  addEventListener('popstate', moved);
  dark.addEventListener('change', () => (systemDark.value = dark.matches));
  effect(() => void (document.documentElement.dataset.theme = shade.value));
  effect(() => remember('theme', theme.value));
  effect(() => {
    document.documentElement.lang = lang.value;
    remember('lang', lang.value);
  });
}
