// Where the values come from and how the daemon's parts are: what ran, what failed, what it said.
import { html } from '../lib.js';
import { get } from '../api.js';
import { t } from '../text.js';
import { formatDuration } from '../format.js';
import { Answered, Blank, Card, Mark, ago, useAnswer } from './kit.js';

const TONE = { healthy: 'ok', degraded: 'warn', unhealthy: 'crit', disabled: 'unk' };

export default function Sources() {
  const stats = useAnswer((signal) => get('metrics/stats', undefined, { signal }), [], { every: 5000 });
  const health = useAnswer((signal) => get('metrics/health', undefined, { signal }), [], { every: 5000 });
  const said = (data) => t('{n} rounds, the last took {ms} ms', { n: data.collection.runs.toLocaleString(), ms: data.collection.last_duration_ms?.toFixed?.(1) ?? '–' });
  return html`<div class="p-columns">
    <${Card} title=${t('Sources')} note=${stats.data ? said(stats.data) : ''}><${Answered} of=${stats} rows=${6}>
      ${(data) => html`<${Table} sources=${Object.entries(data.collection.sources)} />`}<//><//>
    <${Card} title=${t('The daemon')} note=${health.data ? t(health.data.status) : ''}><${Answered} of=${health} rows=${6}>${(data) => html`<ul class="p-parts">
      ${Object.entries(data.components).map(([name, part]) => html`
      <li><${Mark} tone=${TONE[part.status] ?? 'unk'} /><span><b>${t(name)}</b>${part.message ? html`<small>${part.message}</small>` : null}</span>
        <span class="mute">${t(part.status)}</span></li>`)}</ul>`}<//><//>
  </div>`;
}

// A source is bad while its last run failed; what failed before is told, not painted.
const failing = ({ last_error: error, runs, failures, success_rate: rate }) => Boolean(error) && (failures === runs || rate < 1);

function Table({ sources }) {
  if (!sources.length) return html`<${Blank} title=${t('Nothing is collected')}>${t('collection.enabled is off, or no source is set up.')}<//>`;
  const order = ([, source]) => (failing(source) ? 0 : 1);
  const rows = [...sources].sort((a, b) => order(a) - order(b) || (a[0] < b[0] ? -1 : 1));
  return html`<div class="p-scroll" tabindex="0" role="region" aria-label=${t('Sources')}><table><thead><tr><th scope="col">${t('Source')}</th><th scope="col" class="p-roomy">
    ${t('runs')}</th><th scope="col">${t('failures')}</th><th scope="col">${t('took')}</th><th scope="col">${t('last success')}</th></tr></thead>
    <tbody>${rows.map(([name, one]) => html`<tr key=${name}><td><span class="p-name">
      <${Mark} tone=${failing(one) ? 'warn' : one.runs ? 'ok' : 'unk'} label=${failing(one) ? t('failed') : t('healthy')} />${name}</span>
      ${one.last_error ? html`<small class="p-said">${one.last_error}</small>` : null}</td>
      <td class="p-roomy">${one.runs.toLocaleString()}</td><td>${one.failures.toLocaleString()}</td><td>
        ${typeof one.last_duration_ms === 'number' ? formatDuration(one.last_duration_ms / 1000) : '–'}</td><td>${ago(one.last_success)}</td></tr>`)}</tbody>
        </table></div>`;
}
