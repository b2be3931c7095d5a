// The sentence that says what a picture shows, for those who do not see it. Pure: the language is handed in.

import { formatDuration, formatText, parseValue } from '../format.js';
import { categoryModel } from './bars.js';
import { changeOf } from './change.js';
import { unitOfPanel } from './lines.js';
import { numberOf } from './limits.js';
import { lastOf, pointsOf, reach, seriesOf } from './series.js';
import { pieModel } from './slices.js';
import { countStates, tileModel } from './tiles.js';

/** So many series are named; the others are counted. */
const MOST_NAMED = 4;

/** English with `{name}` filled in: what `t` does where no language is handed in. */
export function plain(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

/** One sentence for a panel with its data over `range` (`{start, end}` in ms), in the language of `t`. */
export function summarize({ panel, data, range, t = plain }) {
  const title = panel?.title || t('Untitled panel');
  if (!seriesOf(data).length) return t('{title}: no data', { title });
  const say = WORDS[panel?.type] ?? WORDS.line;
  const body = (panel?.type === 'bar' && panel.options?.by === 'category' ? categoryWords : say)({ panel, data, range, t, unit: unitOfPanel(panel, data) });
  return `${title}${body}`;
}

const WORDS = {
  line: courseWords, bar: courseWords, gauge: gaugeWords, pie: pieWords, big_number: figureWords, status_grid: stateWords, heatmap: heatWords, table: tableWords,
};

function spanWords(range, t) {
  if (!range || !(range.end > range.start)) return '';
  return `, ${t('last {span}', { span: formatDuration((range.end - range.start) / 1000) })}`;
}

function rest(list, t) {
  return list.length > MOST_NAMED ? `; ${t('and {count} more', { count: list.length - MOST_NAMED })}` : '';
}

function courseWords({ panel, data, range, t, unit }) {
  const list = seriesOf(data);
  const parts = list.slice(0, MOST_NAMED).map((series) => {
    const { min, max } = reach([pointsOf(series).map((point) => parseValue(point[1]))]);
    const last = lastOf(series).v;
    const named = list.length > 1 && series.name ? `${series.name} ` : '';
    if (Number.isNaN(min)) return named + t('without values');
    const values = { min: formatText(min, unit), max: formatText(max, unit), now: formatText(last, unit) };
    return named + (min === max ? t('constant at {now}', values) : t('from {min} to {max}, now {now}', values));
  });
  const past = data?.forecast?.points?.at(-1);
  const ahead = past ? `; ${t('forecast {value}', { value: formatText(past[1], unit, panel?.options) })}` : '';
  return `${spanWords(range, t)}: ${parts.join('; ')}${rest(list, t)}${ahead}`;
}

function categoryWords({ panel, data, t, unit }) {
  const { bars } = categoryModel({ panel, data });
  return `: ${bars.slice(0, MOST_NAMED).map((bar) => `${bar.name} ${formatText(bar.value, unit)}`).join(', ')}${rest(bars, t)}`;
}

function gaugeWords({ panel, data, t, unit }) {
  const list = seriesOf(data);
  const target = numberOf(panel.options?.target);
  const values = list.slice(0, MOST_NAMED).map((series) => `${list.length > 1 ? `${series.name} ` : ''}${formatText(lastOf(series).v, unit)}`);
  return `: ${values.join(', ')}${target === undefined ? '' : `, ${t('target {value}', { value: formatText(target, unit) })}`}`;
}

function pieWords({ panel, data, t, unit }) {
  const { slices, sum } = pieModel({ panel, data, scope: '\nsummary' });
  const parts = slices.map((slice) => `${slice.others ? t('{count} others', { count: slice.others }) : slice.name} ${formatText(slice.value, unit)} (${formatText(slice.share, 'ratio', { decimals: 0 })})`);
  return `: ${parts.join(', ')}; ${t('{value} in total', { value: formatText(sum, unit) })}`;
}

function figureWords({ panel, data, t, unit }) {
  const series = seriesOf(data)[0];
  const change = changeOf(series, data, panel.options);
  const now = formatText(lastOf(series).v, unit);
  if (!change) return `: ${now}`;
  const words = change.difference > 0 ? t('up from {old}', { old: formatText(change.old, unit) })
    : change.difference < 0 ? t('down from {old}', { old: formatText(change.old, unit) }) : t('unchanged');
  return `: ${now}, ${words}`;
}

function stateWords({ panel, data, t }) {
  const tiles = tileModel({ panel, data });
  const counts = countStates(tiles);
  const named = (state) => tiles.filter((tile) => tile.state === state).slice(0, MOST_NAMED).map((tile) => tile.name).join(', ');
  const parts = [
    counts.crit && `${t('{count} down', { count: counts.crit })} (${named('crit')})`,
    counts.warn && `${t('{count} degraded', { count: counts.warn })} (${named('warn')})`,
    counts.none && `${t('{count} without data', { count: counts.none })} (${named('none')})`,
    counts.ok && t('{count} healthy', { count: counts.ok }),
  ].filter(Boolean);
  return `: ${parts.join(', ')}`;
}

function heatWords({ data, range, t }) {
  const list = seriesOf(data);
  return `${spanWords(range, t)}: ${t('heatmap of {count} rows', { count: list.length })}`;
}

function tableWords({ data, t }) {
  return `: ${t('table of {count} series', { count: seriesOf(data).length })}`;
}
