// A real table: a row for each label set, a column for each query, heads that sort, the course of one column last.

import { html, useMemo, useState } from '../lib.js';
import { t } from '../text.js';
import { formatText } from '../format.js';
import { sortRows, tableModel } from './rows.js';
import { Spark } from './spark.js';

/** Routes, queries and label sets are set in the fixed-width type. */
const CODE = /[/{}=]/;

function Head({ text, column, order, onOrder }) {
  const sorted = order.column === column ? order.direction : 'none';
  const turn = () => onOrder({ column, direction: sorted === 'descending' || (sorted === 'none' && column < 0) ? 'ascending' : 'descending' });
  return html`<th scope="col" aria-sort=${sorted}><button type="button" onClick=${turn}>${text || t('Value')}<svg class=${`order ${sorted}`} viewBox="0 0 8 8" aria-hidden="true"><path d="M4 1 7 6H1z" /></svg></button></th>`;
}

function Row({ row, model, order, stale }) {
  const tone = row.tones.includes('crit') ? 'crit' : row.tones.includes('warn') ? 'warn' : 'accent';
  const strong = order.column >= 0 ? order.column : model.sort;
  return html`<tr>
    <th scope="row" class=${CODE.test(row.name) ? 'mono' : ''} title=${row.name}>${row.name}</th>
    ${row.values.map((value, index) => html`<td key=${index} class=${`${row.tones[index] ? `tone-${row.tones[index]}` : ''} ${index === strong ? 'strong' : ''}`}>${formatText(value, model.columns[index].unit)}</td>`)}
    ${model.spark >= 0 && html`<td class="course"><${Spark} points=${row.points} tone=${stale ? 's8' : tone} pad=${2} /></td>`}
  </tr>`;
}

function Table({ panel, data, stale }) {
  const model = useMemo(() => tableModel(panel, data), [panel, data]);
  const [chosen, choose] = useState(null);
  const order = chosen ?? { column: model.sort >= 0 ? model.sort : -2, direction: 'descending' };
  const rows = chosen ? sortRows(model.rows, chosen.column, chosen.direction) : model.rows;
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label=${panel.title || t('Table')}>
    <table class=${`chart-table ${stale ? 'is-stale' : ''}`}>
      <thead><tr>
        <${Head} text=${model.title || t('Name')} column=${-1} order=${order} onOrder=${choose} />
        ${model.columns.map((column, index) => html`<${Head} key=${index} text=${column.head} column=${index} order=${order} onOrder=${choose} />`)}
        ${model.spark >= 0 && html`<th scope="col" class="course"><span>${t('trend')}</span></th>`}
      </tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.key} row=${row} model=${model} order=${order} stale=${stale} />`)}</tbody>
    </table>
    ${model.cut > 0 && html`<p class="cut">${t('{count} more rows are not shown', { count: model.cut })}</p>`}
  </div>`;
}

export default { type: 'table', title: 'Table', Draw: Table };
