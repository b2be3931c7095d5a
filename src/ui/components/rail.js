// The rail of wide screens, the bar and the sheet of phones: where one can go, and how full the store is.
import { html } from '../lib.js';
import { firing, open, route, stats } from '../state.js';
import { t } from '../text.js';
import { Dialog } from './dialog.js';
import { Icon, Mark } from './icons.js';
import { Link } from './link.js';
import { groups, isCurrent } from './nav.js';
import { storage } from './storage.js';

export function Rail() {
  return html`<aside class="rail" aria-label=${t('Navigation')}>
    <${Link} class="brand" href="/"><${Mark} /><span>latido</span><//>
    <nav class="nav" aria-label=${t('Main')}>
      ${groups().map((group) => html`<h2>${group.title}</h2>${group.items.map((item) => html`<${Item} ...${item} />`)}`)}
    </nav>
    <div class="spread"></div>
    <${Storage} />
  </aside>`;
}

function Item({ path, title, icon, badge }) {
  return html`<${Link} href=${path} current=${isCurrent(path)}><${Icon} name=${icon} /><span>${title}</span>${badge
    ? html`<span class=${`badge ${badge.tone}`}><span aria-hidden="true">${badge.text}</span><span class="sr">${badge.label}</span></span>`
    : null}<//>`;
}

function Storage() {
  const of = storage(stats.value, Date.now());
  if (!of) return null;
  return html`<${Link} class="store" href="/settings"><div><span>${t('Storage')}</span><b class="num">${of.total}</b></div>
    <div class="tiers" aria-hidden="true">${of.parts.map(({ tier, share }) => html`<i class=${`tier-${tier}`} style=${{ width: `${share * 100}%` }}></i>`)}</div>
    <div><span>${t('raw · 1 min · 1 h')}</span><span class="num">${of.days}</span></div><//>`;
}

export function Bar() {
  const here = route.value;
  const calling = firing.value.length;
  const onBoard = here.page.name === 'dashboard' || here.page.name === 'dashboards';
  return html`<nav class="tabbar" aria-label=${t('Main')}>
    <button type="button" aria-current=${onBoard ? 'page' : undefined} aria-haspopup="dialog" onClick=${() => (open.value = 'boards')}><${Icon} name="executive" />${t('Boards')}</button>
    <${Link} href="/explore" current=${isCurrent('/explore')}><${Icon} name="explore" />${t('Explore')}<//>
    <${Link} href="/alerts" current=${isCurrent('/alerts')}><${Icon} name="alerts" />${t('Alerts')}${calling ? html`<i class="dot"></i><span class="sr">${t('{n} firing', { n: calling })}</span>` : null}<//>
    <${Link} href="/analysis" current=${isCurrent('/analysis')}><${Icon} name="analysis" />${t('Analysis')}<//>
    <button type="button" aria-haspopup="dialog" onClick=${() => (open.value = 'more')}><${Icon} name="settings" />${t('More')}</button>
  </nav>`;
}

/** The sheets behind "Boards" and "More". */
export function Sheets() {
  const which = open.value;
  if (which !== 'boards' && which !== 'more') return null;
  const all = groups();
  const dashboards = all[0];
  const system = all[all.length - 1];
  const close = () => (open.value = null);
  const group = which === 'boards' ? dashboards : system;
  return html`<${Dialog} class="sheet" title=${which === 'boards' ? t('Dashboards') : t('More')} onClose=${close}>
    <nav class="sheet-list" aria-label=${group.title}>
      ${group.items.map((item) => html`<${Item} ...${item} />`)}
      ${which === 'more' ? html`<button type="button" onClick=${() => (open.value = 'palette')}><${Icon} name="explore" />${t('Search')}</button>` : null}
    </nav>
    <${Storage} />
  <//>`;
}
