// Search: pages, dashboards, actions and metrics by name.
import { html, useEffect, useMemo, useRef, useState } from '../lib.js';
import { prom } from '../api.js';
import { go, lang, live, open, theme } from '../state.js';
import { t } from '../text.js';
import { rank } from './rank.js';
import { Icon } from './icons.js';
import { groups } from './nav.js';
import { toggleLive } from './topbar.js';

/** Names are asked for again after this. */
const FRESH_MS = 60_000;
let kept = { at: -Infinity, names: [] };

async function metricNames() {
  if (performance.now() - kept.at > FRESH_MS) kept = { at: performance.now(), names: (await prom('label/__name__/values')) ?? [] };
  return kept.names;
}

function actions() {
  const themed = (name, words) => ({ title: words, icon: name === 'dark' ? 'moon' : name === 'light' ? 'sun' : 'auto', kind: t('theme'), run: () => (theme.value = name) });
  return [
    themed('light', t('Light theme')), themed('dark', t('Dark theme')), themed('auto', t('Theme of the system')),
    { title: live.value ? t('Pause live') : t('Go live'), icon: 'operations', kind: t('action'), run: toggleLive },
    { title: lang.value === 'es' ? 'English' : 'Español', icon: 'settings', kind: t('language'), run: () => (lang.value = lang.value === 'es' ? 'en' : 'es') },
    { title: t('Keyboard'), icon: 'catalog', kind: t('action'), run: () => (open.value = 'keys') },
    { title: t('All dashboards'), icon: 'board', kind: t('page'), run: () => go('/dashboards') },
  ];
}

export function Palette() {
  return open.value === 'palette' ? html`<${Search} />` : null;
}

function Search() {
  const dialog = useRef(null);
  const list = useRef(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [names, setNames] = useState(kept.names);
  useEffect(() => {
    dialog.current.showModal();
    metricNames().then(setNames, () => null);
  }, []);
  const pages = groups().flatMap((group) => group.items.map((item) => ({ title: item.title, icon: item.icon, kind: group.title, run: () => go(item.path) })));
  const found = useMemo(() => {
    const fixed = rank(text, [...pages, ...actions()], (item) => item.title);
    const metrics = text.trim() ? rank(text, names, (name) => name).slice(0, 40) : [];
    return [...fixed, ...metrics.map((name) => ({ title: name, metric: true, icon: 'catalog', kind: t('metric'), run: () => go(`/explore?expr=${encodeURIComponent(name)}`) }))];
  }, [text, names, live.value, lang.value]);
  const chosen = Math.min(at, found.length - 1);
  const close = () => (open.value = null);
  const take = (item) => {
    close();
    item?.run();
  };
  const key = (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way && found.length) {
      event.preventDefault();
      const next = (chosen + way + found.length) % found.length;
      setAt(next);
      list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      take(found[chosen]);
    }
  };
  return html`<dialog class="palette" ref=${dialog} aria-label=${t('Search')} onCancel=${(e) => { e.preventDefault(); close(); }} onMouseDown=${(e) => e.target === dialog.current && close()}>
    <input type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant=${found.length ? `found-${chosen}` : undefined} aria-label=${t('Search pages, dashboards and metrics')}
      placeholder=${t('Search pages, dashboards and metrics')} autocomplete="off" spellcheck="false" value=${text} onInput=${(e) => { setText(e.currentTarget.value); setAt(0); }} onKeyDown=${key} />
    <ul id="found" role="listbox" aria-label=${t('Found')} ref=${list}>
      ${found.map((item, i) => html`<li id=${`found-${i}`} role="option" aria-selected=${String(i === chosen)} onClick=${() => take(item)} onMouseMove=${() => i !== chosen && setAt(i)}>
        <${Icon} name=${item.icon} /><span class=${item.metric ? 'name mono' : 'name'}>${item.title}</span><span class="kind">${item.kind}</span></li>`)}
    </ul>
    ${found.length ? null : html`<p class="none" role="status">${t('Nothing has this name.')}</p>`}
  </dialog>`;
}
