// The frame round a chart: its head, its menu, and what is shown while there is no picture.
import { html, useComputed, useEffect, useErrorBoundary, useMemo, useRef, useState } from '../lib.js';
import { Chart, Legend } from '../charts/index.js';
import { go, lang, link, may, range, setQuery, setRange, toast } from '../state.js';
import { t } from '../text.js';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';
import { Menu } from './menu.js';
import { Empty, Failed, HowToSend, Loading, copy } from './states.js';
import { DataTable, csv } from './datatable.js';

/** Low panels have room for fewer words. */
const tight = (panel) => panel.h <= 2 || panel.w <= 3;

/** A panel of a dashboard that came with the program speaks the reader's language. */
function spoken(board, panel) {
  if (!board.doc.value?.predefined) return panel;
  return { ...panel, title: t(panel.title), subtitle: panel.subtitle && t(panel.subtitle) };
}

/** @param {{board: import('../board.js').Board, panel: any}} props */
export function Panel({ board, panel: asked }) {
  const language = lang.value;
  const panel = useMemo(() => spoken(board, asked), [board, asked, language]);
  // The frame is drawn again when its kind of content changes, not with each value.
  const state = useComputed(() => board.panel(panel.id).value.data?.state ?? 'loading').value;
  const [asTable, setTable] = useState(false);
  const [missing, setMissing] = useState(null);
  const card = useRef(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => board.look(panel.id, entry.isIntersecting), { rootMargin: '120px' });
    observer.observe(card.current);
    return () => observer.disconnect();
  }, [board, panel.id]);
  const title = `panel-${panel.id}`;
  return html`<article class=${`card panel-${panel.type}`} ref=${card} aria-labelledby=${title} tabindex="0" data-panel=${panel.id} data-state=${state}>
    <header><h2 id=${title}>${panel.title}</h2>${panel.subtitle ? html`<p>${panel.subtitle}</p>` : null}
      <div class="end"><${Names} board=${board} panel=${panel} hidden=${asTable} /><${Behind} board=${board} panel=${panel} /></div>
      <${PanelMenu} board=${board} panel=${panel} asTable=${asTable} setTable=${setTable} /></header>
    <div class="body"><${Body} board=${board} panel=${panel} asTable=${asTable} onMissing=${setMissing} /></div>
    ${missing ? html`<${Dialog} title=${t('How to send it')} subtitle=${panel.title} onClose=${() => setMissing(null)}><${HowToSend} missing=${missing} /><//>` : null}
  </article>`;
}

/** More names than these stand above the picture, not beside the title. */
const BESIDE = 4;
const crowded = (panel, data) => (panel.type === 'line' || panel.type === 'bar') && data.series.length > BESIDE;

/** Names and values of the picture, beside the title. */
function Names({ board, panel, hidden }) {
  const { data, span } = board.panel(panel.id).value;
  // A narrow head has no room for both.
  if (hidden || (panel.w < 6 && isBehind(board)) || data?.state !== 'ok' || !data.series?.length || crowded(panel, data)) return null;
  return html`<${Legend} panel=${panel} data=${data} range=${span} />`;
}

/** Another time by dragging over a picture; without moments, the way back. @param {number} [start] @param {number} [end] */
function zoom(start, end) {
  if (start === undefined) {
    if (before.length) setRange(before.pop());
    return;
  }
  before.push(range.peek());
  setRange({ from: Math.round(start), to: Math.round(end) });
}
const before = [];
const nothing = () => null;

/** Whether the picture is no longer new. */
function isBehind(board) {
  const { state, behind } = link.value;
  return !board.demo.value && Boolean(behind) && (state === 'stale' || state === 'reconnecting');
}

function Behind({ board, panel }) {
  if (panel.w < 4 || !isBehind(board)) return null;
  return html`<span class="badge warn">${t('{n} s behind', { n: Math.round(link.value.behind / 1e3) })}</span>`;
}

function Body({ board, panel, asTable, onMissing, full = false }) {
  const { data, span, good } = board.panel(panel.id).value;
  if (!data) return html`<${Loading} />`;
  const stale = isBehind(board);
  const picture = (shown) => html`<${Drawn} key=${asTable ? 'table' : 'chart'} panel=${panel} data=${shown} span=${span} stale=${stale} asTable=${asTable} full=${full} />`;
  if (data.state === 'error') {
    return html`${good?.series?.length ? html`<div class="ghost" aria-hidden="true">${picture({ ...good, state: 'ok' })}</div>` : null}
      <${Failed} error=${data} again=${() => board.load()} tight=${tight(panel)} />`;
  }
  if (data.state === 'empty' || !data.series?.length) return html`<${Empty} missing=${data.missing} tight=${tight(panel)} onShow=${onMissing} />`;
  return picture(data);
}

/** The picture; one that cannot be drawn must not take the page with it. */
function Drawn({ panel, data, span, stale, asTable, full }) {
  const [broken, mend] = useErrorBoundary();
  if (broken) return html`<${Failed} error=${broken} again=${mend} tight=${tight(panel)} />`;
  if (asTable) return html`<${DataTable} panel=${panel} data=${data} />`;
  return html`<${Chart} panel=${panel} data=${data} range=${span} stale=${stale} onZoom=${zoom} full=${full} legend=${full || crowded(panel, data) ? 'inside' : 'none'} />`;
}

function PanelMenu({ board, panel, asTable, setTable }) {
  const has = useComputed(() => Boolean(board.panel(panel.id).value.data?.series?.length)).value;
  const address = `${location.origin}/d/${encodeURIComponent(board.id)}?panel=${encodeURIComponent(panel.id)}`;
  return html`<${Menu} buttonClass="menu-button" label=${t('Menu of {title}', { title: panel.title })} button=${html`<${Icon} name="more" />`}>
    ${(close) => {
      const act = (icon, words, run, key) => html`<button type="button" onClick=${() => { close(); run(); }}><${Icon} name=${icon} />${words}${key ? html`<kbd>${key}</kbd>` : null}</button>`;
      return html`${act('full', t('Full size'), () => setQuery({ panel: panel.id }), 'Enter')}
        ${has && panel.type !== 'table' ? act(asTable ? 'chart' : 'table', asTable ? t('Show as chart') : t('Show as table'), () => setTable(!asTable)) : null}
        ${act('link', t('Copy link'), () => copy(address))}
        ${has ? act('download', t('Download CSV'), () => download(panel, board.panel(panel.id).peek().data)) : null}
        ${panel.queries?.[0]?.query ? act('explore', t('Open in Explore'), () => go(`/explore?expr=${encodeURIComponent(panel.queries[0].query)}`)) : null}
        ${may('editor') ? act('pen', t('Edit'), () => go(`/d/${encodeURIComponent(board.id)}/edit?panel=${encodeURIComponent(panel.id)}`)) : null}`;
    }}<//>`;
}

function download(panel, data) {
  const url = URL.createObjectURL(new Blob([csv(data)], { type: 'text/csv' }));
  Object.assign(document.createElement('a'), { href: url, download: `${panel.id}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  toast(t('Downloaded {name}', { name: `${panel.id}.csv` }));
}

/** A panel in the whole window. @param {{board: import('../board.js').Board, panel: any}} props */
export function FullPanel({ board, panel: asked }) {
  const language = lang.value;
  // One object as long as nothing changed: a chart works its picture out anew for another.
  const panel = useMemo(() => ({ ...spoken(board, asked), w: 12, h: 8 }), [board, asked, language]);
  const has = useComputed(() => Boolean(board.panel(panel.id).value.data?.series?.length)).value;
  const [asTable, setTable] = useState(false);
  useEffect(() => {
    board.full = panel.id;
    return () => (board.full = null);
  }, [board, panel.id]);
  const toggle = has && panel.type !== 'table'
    ? html`<button type="button" class="pill" aria-pressed=${String(asTable)} onClick=${() => setTable(!asTable)}><${Icon} name=${asTable ? 'chart' : 'table'} />${asTable ? t('Chart') : t('Table')}</button>`
    : null;
  return html`<${Dialog} class="full" title=${panel.title} subtitle=${panel.subtitle} actions=${toggle} onClose=${() => setQuery({ panel: null })}>
    <div class=${`body panel-${panel.type}`}><${Body} board=${board} panel=${panel} asTable=${asTable} onMissing=${nothing} full /></div><//>`;
}
