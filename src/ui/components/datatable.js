// A panel's data as a table of moments and series, and as CSV.
import { html } from '../lib.js';
import { formatText } from '../format.js';
import { lang, t } from '../text.js';

/** Rows of the table on the page; the file has all. */
const ROWS = 200;

/** Moments (newest first) by series. @param {import('../merge.js').PanelData} data @returns {{moments: number[], rows: (number|string|null)[][]}} */
export function grid(data) {
  const at = data.series.map((series) => new Map(series.points));
  const moments = [...new Set(data.series.flatMap((series) => series.points.map(([ms]) => ms)))].sort((a, b) => b - a);
  return { moments, rows: moments.map((ms) => at.map((values) => values.get(ms) ?? null)) };
}

const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** RFC 4180, oldest first: the moment in ISO 8601, then a column a series. @param {import('../merge.js').PanelData} data @returns {string} */
export function csv(data) {
  const { moments, rows } = grid(data);
  const lines = moments.map((ms, i) => [new Date(ms).toISOString(), ...rows[i].map((value) => (value === null ? '' : String(value)))].join(','));
  return `${['time', ...data.series.map((series) => cell(series.name))].join(',')}\r\n${lines.reverse().join('\r\n')}\r\n`;
}

/** @param {{panel: any, data: import('../merge.js').PanelData}} props */
export function DataTable({ panel, data }) {
  const { moments, rows } = grid(data);
  const unit = data.unit ?? panel.unit;
  const clock = new Intl.DateTimeFormat(lang.value, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const show = (value) => (value === null ? '–' : formatText(value, unit));
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t('Values of {title}', { title: panel.title })}><table class="data">
    <thead><tr><th scope="col">${t('Time')}</th>${data.series.map((series) => html`<th scope="col">${series.name}</th>`)}</tr></thead>
    <tbody>${moments.slice(0, ROWS).map((ms, i) => html`<tr key=${ms}><td>${clock.format(ms)}</td>${rows[i].map((value) => html`<td>${show(value)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
