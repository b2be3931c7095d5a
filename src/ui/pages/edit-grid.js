// The panels on their grid as they will be, each with what it shows now and the buttons that move it.
import { html, useLayoutEffect, useMemo, useRef } from '../lib.js';
import { promRange } from '../api.js';
import { range, resolve } from '../state.js';
import { stepSeconds } from '../range.js';
import { t } from '../text.js';
import { Chart, Legend } from '../charts/index.js';
import { places } from '../components/grid.js';
import { Icon } from '../components/icons.js';
import { Glyph, Skeleton, useAnswer, useSettled } from './kit.js';
import { fill, joined } from './logic/series.js';
import { useDrag } from './edit-drag.js';

export function EditorGrid({ panels, chosen, errors, actions }) {
  const grid = useRef(null);
  return html`<div class="p-grid-side"><div class="grid p-edit-grid" ref=${grid}>
    ${places(panels.map((panel, index) => ({ ...panel, index }))).map(({ panel: { index: i }, mw, mh, sw, sh }) => html`
    <${Cell} key=${i} panel=${panels[i]} small=${[mw, mh, sw, sh]} index=${i} chosen=${i === chosen} bad=${errors.some((one) => one.panel === i)}
      actions=${actions} grid=${grid} />`)}</div>
    <button type="button" class="pill p-add" onClick=${actions.add}><${Icon} name="plus" />${t('Add a panel')}</button></div>`;
}

function Cell({ panel, small, index, chosen, bad, actions, grid }) {
  const ref = useRef(null);
  const drag = useDrag(grid, panel, (change) => actions.place(index, change), () => actions.choose(index));
  useLayoutEffect(() => {
    const { x, y, w, h } = panel;
    const [mw, mh, sw, sh] = small;
    for (const [name, value] of Object.entries({ x, y, w, h, mw, mh, sw, sh })) ref.current.style.setProperty(`--${name}`, value);
  }, [panel.x, panel.y, panel.w, panel.h, ...small]);
  const name = panel.title || t('Panel {n}', { n: index + 1 });
  const shown = usePreview(panel);
  return html`<div class="cell p-fixed" ref=${ref}><div role="group"
    class=${`card p-panel ${chosen ? 'chosen' : ''} ${bad ? 'bad' : ''} ${panel.w < NARROW ? 'narrow' : ''}`} aria-label=${name}
    onPointerDown=${() => chosen || actions.choose(index)}>
    <header ...${drag.move}><h2><button type="button" aria-pressed=${chosen ? 'true' : 'false'} onClick=${() => actions.choose(index)}>${name}</button></h2>
      ${shown.data ? html`<div class="end"><${Legend} panel=${shown.panel} data=${shown.data} range=${shown.range} /></div>` : null}</header>
    ${chosen ? html`<${Tools} panel=${panel} index=${index} name=${name} actions=${actions} />` : null}
    <div class="body"><${Preview} shown=${shown} /></div>
    <span class="p-corner" ...${drag.size} aria-hidden="true"></span>
  </div></div>`;
}

function Tools({ panel, index, name, actions }) {
  const tool = (glyph, words, act) => html`<button type="button" aria-label=${`${t(words)}: ${name}`} title=${t(words)} onClick=${act}>
    ${glyph === 'copy' ? html`<${Icon} name="copy" />` : html`<${Glyph} name=${glyph} />`}</button>`;
  return html`<div class="p-toolbar" role="group" aria-label=${t('Move and resize {name}', { name })}>
    ${tool('left', 'Move left', () => actions.place(index, { x: panel.x - 1 }))}${tool('right', 'Move right', () => actions.place(index, { x: panel.x + 1 }))}
    ${tool('up', 'Move up', () => actions.place(index, { y: panel.y - 1 }))}${tool('down', 'Move down', () => actions.place(index, { y: panel.y + 1 }))}
    ${tool('narrower', 'Narrower', () => actions.place(index, { w: panel.w - 1 }))}${tool('wider', 'Wider', () => actions.place(index, { w: panel.w + 1 }))}
    ${tool('copy', 'Duplicate', () => actions.copy(index))}${tool('bin', 'Delete', () => actions.remove(index))}
  </div>`;
}

// A panel of fewer columns has no room for the buttons beside its title.
const NARROW = 5;
const NEWEST = ['gauge', 'pie', 'status_grid'];
const newestOnly = ({ type, options = {} }) => NEWEST.includes(type) || (type === 'bar' && options.by === 'category') || (type === 'table' && options.spark === undefined);

// What the panel would show, asked a moment after the last change: `{words}`, `{error}`, `{waiting}` or `{panel, data, range}`.
function usePreview(panel) {
  const wanted = useSettled(JSON.stringify(panel.queries.filter((one) => one.query.trim())), 500);
  const queries = JSON.parse(wanted);
  const span = resolve(range.value);
  const step = stepSeconds(span);
  const answer = useAnswer(queries.length ? async (signal) => {
    const answers = await Promise.all(queries.map((one) => promRange(fill(one.query, span, step), span.start, span.end, step, { signal })));
    return { span, queries, answers };
  } : null, [wanted, range.value.from, range.value.to], { every: 30_000 });
  const newest = newestOnly(panel);
  return useMemo(() => {
    if (!queries.length) return { words: t('Write an expression at the side.') };
    if (answer.error) return { error: answer.error };
    if (!answer.data) return { waiting: answer.waiting };
    const data = { ...joined(answer.data.answers, answer.data.queries, { newest }), unit: panel.unit, step: step * 1000 };
    return data.state === 'empty' ? { words: t('No samples in this range') } : { panel: { ...panel, id: panel.id ?? 'draft' }, data, range: answer.data.span };
  }, [answer.data, answer.error, answer.waiting, panel, newest, step]);
}

function Preview({ shown }) {
  if (shown.words) return html`<p class="p-calm center">${shown.words}</p>`;
  if (shown.error) return html`<p class="p-error" role="status">${shown.error.message}</p>`;
  if (!shown.data) return shown.waiting ? html`<${Skeleton} rows=${1} />` : null;
  return html`<${Chart} panel=${shown.panel} data=${shown.data} range=${shown.range} legend="none" />`;
}
