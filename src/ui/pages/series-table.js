// The series of an answer as a table: last, least, mean, most, and their course.
import { html, useState } from '../lib.js';
import { route } from '../state.js';
import { t } from '../text.js';
import { formatValue } from '../format.js';
import { Spark } from '../charts/spark.js';
import { entriesOf } from '../charts/lines.js';
import { figures } from './logic/series.js';

const MOST = 100;
const HEADS = ['last', 'min', 'mean', 'max'];

export function SeriesTable({ panel, data, unit }) {
  const { series } = data;
  const [by, setBy] = useState({ head: 'last', down: true });
  const tones = new Map(entriesOf({ panel, data, scope: route.value.path }).entries.map((entry) => [entry.series, entry.color]));
  const rows = series.map((one) => ({ ...one, tone: tones.get(one) ?? 's8', ...figures(one.points) }));
  const order = (row) => (Number.isNaN(row[by.head]) || row[by.head] === null ? -Infinity : row[by.head]);
  rows.sort((a, b) => (by.down ? order(b) - order(a) : order(a) - order(b)) || 0);
  const head = (name) => html`<th scope="col" aria-sort=${by.head === name ? (by.down ? 'descending' : 'ascending') : undefined}>
    <button type="button" onClick=${() => setBy({ head: name, down: by.head === name ? !by.down : true })}>
      ${t(name)}${by.head === name ? (by.down ? ' ↓' : ' ↑') : ''}</button></th>`;
  const cell = (value) => {
    const { text, unit: shown } = formatValue(value ?? NaN, unit);
    return html`<td>${text}${shown ? html`<small> ${shown}</small>` : null}</td>`;
  };
  return html`<div class="p-scroll" tabindex="0" role="region" aria-label=${t('Series')}><table class="p-series">
    <thead><tr><th scope="col">${t('Labels')}</th>${HEADS.map(head)}<th scope="col"><span class="sr">${t('course')}</span></th></tr></thead>
    <tbody>${rows.slice(0, MOST).map((row) => html`<tr key=${row.name}><td class="mono"><span class=${`key ink-${row.tone}`}><i></i>${row.name}</span></td>
      ${HEADS.map((name) => cell(row[name]))}<td><span class="minis"><${Spark} points=${row.points} tone=${row.tone} /></span></td></tr>`)}</tbody></table></div>
    ${rows.length > MOST ? html`<p class="p-help">${t('The first {n} of {all}. Aggregate, or narrow the labels, to see the others.', { n: MOST, all: rows.length })}</p>` : null}`;
}
