// Any panel's data as a table, for those who want figures or do not see pictures.

import { html, useMemo } from '../lib.js';
import { t } from '../text.js';
import { formatDay, formatClock, formatText } from '../format.js';
import { unitOfPanel } from './lines.js';
import { overTime, timeRows } from './rows.js';
import { newest } from './series.js';
import table from './table.js';

const MOST_ROWS = 300;

function OverTime({ panel, data }) {
  const { names, rows, cut } = useMemo(() => timeRows(data, MOST_ROWS), [data]);
  const unit = unitOfPanel(panel, data);
  return html`<table class="chart-table">
      <thead><tr><th scope="col">${t('Time')}</th>${names.map((name, index) => html`<th key=${index} scope="col" title=${name}>${name || t('Value')}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.t}><th scope="row">${`${formatDay(row.t)} ${formatClock(row.t, { seconds: true })}`}</th>${row.values.map((value, index) => html`<td key=${index}>${formatText(value, unit)}</td>`)}</tr>`)}</tbody>
    </table>
    ${cut > 0 && html`<p class="cut">${t('{count} earlier rows are not shown; the CSV has them all', { count: cut })}</p>`}`;
}

function Newest({ panel, data }) {
  const unit = unitOfPanel(panel, data);
  return html`<table class="chart-table">
    <thead><tr><th scope="col">${t('Name')}</th><th scope="col">${t('Value')}</th></tr></thead>
    <tbody>${newest(data).map((series, index) => html`<tr key=${index}><th scope="row" title=${series.name}>${series.name}</th><td>${formatText(series.v, unit)}</td></tr>`)}</tbody>
  </table>`;
}

/** "Show as table": times and series, the newest first, or the newest values; a table panel is one already. */
export function asTable({ panel, data }) {
  if (panel.type === 'table') return html`<${table.Draw} panel=${panel} data=${data} />`;
  const Body = overTime(data) ? OverTime : Newest;
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label=${panel.title || t('Table')}><${Body} panel=${panel} data=${data} /></div>`;
}
