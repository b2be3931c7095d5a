// One figure, how it changed, and its course to the edges of the panel.

import { html } from '../lib.js';
import { t } from '../text.js';
import { formatDuration, formatText, formatValue } from '../format.js';
import { changeOf, durationMs } from './change.js';
import { toneOf } from './limits.js';
import { unitOfPanel } from './lines.js';
import { lastOf, pointsOf, seriesOf } from './series.js';
import { Spark } from './spark.js';

/** A change for the worse by this share tints the course. */
const CLEARLY = 0.05;

/** The size of a change without its sign: points for shares, else per cent of the old value, else the figure itself. */
function changeText(change, unit) {
  const size = Math.abs(change.difference);
  if (unit === 'percent' || unit === 'ratio') return `${formatText(unit === 'ratio' ? size * 100 : size, '', { decimals: 1 })} pt`;
  if (Number.isNaN(change.relative) || Math.abs(change.relative) >= 10) return formatText(size, unit);
  return formatText(Math.abs(change.relative), 'ratio', { decimals: 1 });
}

function Change({ change, unit, compare }) {
  const way = change.difference > 0 ? '↑' : change.difference < 0 ? '↓' : '→';
  const tone = change.good === true ? 'good' : change.good === false ? 'bad' : '';
  return html`<p class="change"><span class=${tone}>${way} ${changeText(change, unit)}</span><span class="against">${t('vs {span} ago', { span: formatDuration(durationMs(compare) / 1000) })}</span></p>`;
}

function BigNumber({ panel, data, stale, label }) {
  const options = panel.options ?? {};
  const series = seriesOf(data)[0];
  const unit = unitOfPanel(panel, data);
  const value = series ? lastOf(series).v : NaN;
  const { text, unit: symbol } = formatValue(value, unit, { decimals: options.decimals });
  const change = series ? changeOf(series, data, options) : null;
  const worse = change?.good === false && Math.abs(change.relative) >= CLEARLY;
  const tone = stale ? 's8' : toneOf(value, options) || (worse ? 'warn' : 'accent');
  const course = options.spark !== false && series && pointsOf(series).length > 1;
  return html`<div class="big" role="img" aria-label=${label}>
    <p class=${`value ${stale ? 'is-stale' : ''}`}>${text}${symbol && html`<small>${symbol}</small>`}</p>
    ${change && html`<${Change} change=${change} unit=${unit} compare=${options.compare} />`}
    ${course && html`<div class="bleed"><${Spark} points=${series.points} tone=${tone} pad=${3} /></div>`}
  </div>`;
}

export default { type: 'big_number', title: 'Big number', Draw: BigNumber };
