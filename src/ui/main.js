// Begins the page: the shell round it, the page that the address names, keys and the overview.
import { effect, html, render, useErrorBoundary, useLayoutEffect, useRef, useSignalEffect, useState } from './lib.js';
import { boards, firing, heading, me, route, toasts } from './state.js';
import { session } from './api.js';
import { t } from './text.js';
import { keepOverview, renewBoards } from './overview.js';
import { Palette } from './components/palette.js';
import { Bar, Rail, Sheets } from './components/rail.js';
import { Keys, listen } from './components/shortcuts.js';
import { Failed } from './components/states.js';
import { Topbar } from './components/topbar.js';

/** At most one spoken message in this time. */
const SPEAK_MS = 5000;

function App() {
  const { page } = route.value;
  if (page.name === 'sign-in') return html`<main id="main" tabindex="-1"><${Page} /></main><${Toasts} />`;
  return html`<a class="skip" href="#main" onClick=${skip}>${t('Skip to content')}</a>
    <div class="shell"><${Rail} /><div class="main"><header><${Topbar} /></header><main id="main" tabindex="-1"><${Page} /></main></div></div>
    <${Bar} /><${Sheets} /><${Palette} /><${Keys} /><${Toasts} /><${Spoken} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

/** The component of the address; while it loads, the one before stays. */
function Page() {
  const { page, params, path, query } = route.value;
  const [shown, show] = useState(null);
  // Before the first paint: a page that is here already is not waited for.
  useLayoutEffect(() => {
    let wanted = true;
    page.load().then(
      (module) => wanted && show({ page, Component: module.default }),
      (error) => wanted && show({ page, error }),
    );
    return () => (wanted = false);
  }, [page]);
  // What somebody may do here is known first: nothing is offered and taken away again.
  if (!shown || me.value.accounts === null) return null;
  if (shown.error) return html`<div class="page-state"><${Failed} error=${shown.error} again=${() => location.reload()} /></div>`;
  if (shown.page.load !== page.load) return null;
  return html`<${Guarded} key=${page.name === 'dashboard' ? params.id : path}><${shown.Component} params=${params} query=${query} /><//>`;
}

/** A page that breaks says so, and leaves the shell alone. */
function Guarded({ children }) {
  const [broken, mend] = useErrorBoundary();
  return broken ? html`<div class="page-state"><${Failed} error=${broken} again=${mend} /></div>` : children;
}

function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">${toasts.value.map(({ id, text, tone }) => html`<div key=${id} class=${tone}>${text}</div>`)}</div>`;
}

/** Firing alerts, said to screen readers. */
function Spoken() {
  const [text, setText] = useState('');
  const last = useRef({ at: -Infinity, names: '', timer: 0 });
  useSignalEffect(() => {
    const names = firing.value.map((alert) => alert.name).join(', ');
    if (names === last.current.names) return;
    last.current.names = names;
    clearTimeout(last.current.timer);
    const wait = Math.max(0, last.current.at + SPEAK_MS - performance.now());
    last.current.timer = setTimeout(() => {
      last.current.at = performance.now();
      setText(names ? t('Firing: {names}', { names }) : t('No alert is firing any more.'));
    }, wait);
  });
  return html`<div class="sr" role="status" aria-live="polite">${text}</div>`;
}

/** The heading of pages that set none, and the title of the window. */
function name() {
  const { page, path } = route.value;
  if (path !== name.path) {
    name.path = path;
    const known = page.name === 'dashboard' ? boards.peek().find((board) => path === `/d/${board.id}`) : null;
    heading.value = { title: known?.title ?? t(page.title), subtitle: page.subtitle ? t(page.subtitle) : '' };
  }
}

effect(name);
effect(() => void (document.title = heading.value.title ? `${heading.value.title} · latido` : 'latido'));
render(html`<${App} />`, document.getElementById('app'));
listen();
session();
const renew = keepOverview();
// Who signs in sees what they may see; who edits finds it in the rail.
let who = null;
effect(() => {
  const { name, role, accounts } = me.value;
  if (accounts === null) return;
  const next = `${name} ${role}`;
  if (who !== null && next !== who) renew();
  who = next;
});
let where = '';
effect(() => {
  const { path } = route.value;
  if (/\/(edit|new)$/.test(where)) renewBoards().catch(() => null);
  where = path;
});
