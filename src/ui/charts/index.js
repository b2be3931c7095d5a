// Charts: the one list of types, and the component that picks from it. A type is a file and a line here.

import { effect, html, useRef } from '../lib.js';
import { lang, t, addWords } from '../text.js';
import { setLocale } from '../format.js';
import words from '../text/es-charts.js';
import bar from './bar.js';
import bigNumber from './big_number.js';
import gauge from './gauge.js';
import heatmap from './heatmap.js';
import line from './line.js';
import pie from './pie.js';
import statusGrid from './status_grid.js';
import table from './table.js';
import { seriesOf } from './series.js';
import { summarize } from './summary.js';

export { asTable } from './as_table.js';
export { toCsv } from './rows.js';

/** The types a panel can have, in the order in which they are offered: `{type, title, Draw, Legend?, namesSeries?}`. */
export const TYPES = [line, bar, bigNumber, gauge, pie, table, statusGrid, heatmap];

addWords('es', words);
effect(() => setLocale(lang.value));

const typeOf = (panel) => TYPES.find((entry) => entry.type === panel?.type);

/**
 * The picture of a panel. `data` as the interface sends it, `range` `{start, end}` in ms, `stale`: what is seen is old,
 * `onZoom(start, end)` or `onZoom()` for the way back, `full`: the panel has the whole page,
 * `legend`: `inside` (above the picture), or `header` where the panel's header has a `Legend`: then only what is too long for it is inside.
 */
export function Chart({ panel, data, range, stale = false, onZoom, full = false, legend = 'inside' }) {
  const found = typeOf(panel);
  const language = lang.value;
  const label = useSentence(panel, data, range, language);
  if (!found) return html`<p class="chart-none">${t('This page does not know panels of type {type}', { type: String(panel?.type) })}</p>`;
  if (!seriesOf(data).length) return html`<p class="chart-none">${t('No samples in this range')}</p>`;
  const { Draw } = found;
  return html`<div class=${`chart chart-${found.type} ${full ? 'is-full' : ''}`}>
    <${Legend} panel=${panel} data=${data} range=${range} stale=${stale} place=${legend === 'inside' ? 'inside' : 'rest'} />
    <${Draw} panel=${panel} data=${data} range=${range} stale=${stale} onZoom=${onZoom} full=${full} label=${label} />
  </div>`;
}

/** A picture's sentence is said anew at most this often (ms): who reads it is not helped by more. */
const SENTENCE_EVERY = 5000;

function useSentence(panel, data, range, language) {
  const said = useRef(null);
  const old = said.current;
  const now = seriesOf(data)[0]?.points?.at(-1)?.[0] ?? 0;
  const fresh = old && old.panel === panel && old.language === language && old.count === seriesOf(data).length && Math.abs(now - old.now) < SENTENCE_EVERY;
  if (!fresh) said.current = { panel, language, count: seriesOf(data).length, now, text: summarize({ panel, data, range, t }) };
  return said.current.text;
}

/**
 * A picture's names and values. `place`: `header` (what fits beside the title), `rest` (what does not, above the picture) or
 * `inside` (all above the picture). Nothing where the type has none.
 */
export function Legend({ panel, data, range, stale = false, place = 'header' }) {
  const found = typeOf(panel);
  if (!found?.Legend || !seriesOf(data).length || (place === 'rest' && !found.namesSeries)) return null;
  return html`<div class=${`chart-legend ${panel.h >= 3 ? 'tall' : ''}`}><${found.Legend} panel=${panel} data=${data} range=${range} stale=${stale} place=${place} /></div>`;
}
