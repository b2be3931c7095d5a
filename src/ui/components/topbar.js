// The bar above a page: its name, search, the time, live or not, theme, who is here.
import { html, useRef, useSignalEffect } from '../lib.js';
import { del } from '../api.js';
import { beats, go, heading, link, live, me, moving, open, range, resolve, route, setRange, shade, theme } from '../state.js';
import { durationText } from '../range.js';
import { t } from '../text.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { Menu } from './menu.js';
import { RangePicker } from './rangepicker.js';

export function Topbar() {
  const page = route.value.page;
  const { title, subtitle } = heading.value;
  return html`<div class="top">
    <div class="heading"><h1>${title}</h1>${subtitle ? html`<p>${subtitle}</p>` : null}</div>
    <button type="button" class="pill hide" aria-haspopup="dialog" onClick=${() => (open.value = 'palette')}>${t('Search')} <kbd>/</kbd></button>
    ${page.timed ? html`<${RangePicker} />` : null}
    ${page.live ? html`<${Live} />` : null}
    <${Theme} />
    ${me.value.accounts ? html`<${Person} />` : null}
  </div>`;
}

/** The words of the link's state. */
export function liveState() {
  if (!live.value || !moving.value) return { tone: 'paused', text: t('Paused') };
  const { state, behind } = link.value;
  if (state === 'demo') return { tone: 'demo', text: t('Demo') };
  if (state === 'reconnecting') return { tone: 'reconnecting', text: t('Reconnecting…') };
  if (state === 'stale') return { tone: 'stale', text: t('{n} s behind', { n: Math.round(behind / 1e3) }) };
  if (state === 'live') return { tone: 'live', text: t('Live') };
  return { tone: 'connecting', text: t('Live') };
}

/** Live on and off; a time that stands still goes back to one that moves. */
export function toggleLive() {
  if (moving.peek()) {
    live.value = !live.peek();
    return;
  }
  const { start, end } = resolve(range.peek());
  setRange({ from: `now-${durationText(end - start)}`, to: 'now' });
  live.value = true;
}

/** How long a beat is seen. Two small repaints a frame: an endless animation would cost more than all charts. */
const BEAT_MS = 220;

function Live() {
  const { tone, text } = liveState();
  const dot = useRef(null);
  useSignalEffect(() => {
    if (!beats.value || !dot.current) return;
    const { classList } = dot.current;
    classList.add('beat');
    setTimeout(() => classList.remove('beat'), BEAT_MS);
  });
  return html`<button type="button" class=${`pill live is-${tone}`} aria-pressed=${String(tone !== 'paused')} onClick=${toggleLive}
    title=${link.value.reason ?? (tone === 'paused' ? t('Go on (l)') : t('Pause (l)'))}><i ref=${dot}></i>${text}</button>`;
}

const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };
const ICON = { auto: 'auto', light: 'sun', dark: 'moon' };

/** From what is seen to its opposite first, then to what the system says. */
export function nextTheme() {
  if (theme.peek() === 'auto') theme.value = shade.peek() === 'dark' ? 'light' : 'dark';
  else theme.value = NEXT[theme.peek()];
}

function Theme() {
  const words = { auto: t('as the system'), light: t('light'), dark: t('dark') };
  const label = t('Theme: {now}. Change it', { now: words[theme.value] ?? words.auto });
  const stranger = me.value.accounts && !me.value.role;
  return html`<button type="button" class=${`pill icon ${stranger ? 'hide' : ''}`} aria-label=${label} title=${label} onClick=${nextTheme}><${Icon} name=${ICON[theme.value]} /></button>`;
}

function Person() {
  const { name, role } = me.value;
  if (!role) return html`<${Link} class="pill" href=${`/sign-in?next=${encodeURIComponent(route.value.path)}`}>${t('Sign in')}<//>`;
  const leave = async () => {
    await del('access/session').catch(() => null);
    go('/sign-in');
  };
  return html`<${Menu} button=${html`<${Icon} name="person" />`} label=${t('Account of {name}', { name })} buttonClass="pill icon">
    ${(close) => html`<div class="who"><b>${name}</b>${t(role)}</div><hr />
      <${Link} href="/settings" onClick=${close}><${Icon} name="settings" />${t('Settings')}<//>
      <button type="button" onClick=${() => { close(); leave(); }}><${Icon} name="out" />${t('Sign out')}</button>`}<//>`;
}
