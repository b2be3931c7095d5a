// One expression: written with help, run, drawn, listed; from here it becomes a panel or an alert.
import { html, useEffect, useMemo, useState } from '../lib.js';
import { get, prom } from '../api.js';
import { go, may, moving, range, recall, remember, resolve, route, setQuery, since } from '../state.js';
import { renewStats } from '../overview.js';
import { stepSeconds } from '../range.js';
import { t } from '../text.js';
import { Link } from '../components/link.js';
import { Chart } from '../charts/index.js';
import { formatDuration, formatValue } from '../format.js';
import { Blank, Card, Skeleton, useAnswer } from './kit.js';
import { Editor } from './editor.js';
import { SeriesTable } from './series-table.js';
import { AddToDashboard } from './add-to-dashboard.js';
import { fill, number, panelData, selector, tiersRead, unitOf } from './logic/series.js';
import { comparison, placeOf } from './logic/promql.js';
import { latest, remembered } from './logic/history.js';

const UNIT_WORDS = { 'bytes/s': 'bytes a second', 'ops/s': 'a second', ratio: '%', percent: '%', celsius: '°C' };
const KEPT = 'explore.history';
const START = [
  ['How busy the processors are', '100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval])))'],
  ['Memory that is still free', 'node_memory_MemAvailable_bytes'],
  ['What comes in over the network', 'rate(node_network_receive_bytes_total[$__rate_interval])'],
  ['Which sources are up', 'up'],
];

export default function Explore() {
  const asked = route.value.query.expr ?? '';
  const [text, setText] = useState(asked || recall('explore.last') || '');
  const [turn, setTurn] = useState(0);
  const [past, setPast] = useState(() => remembered(recall(KEPT)));
  useEffect(() => { if (asked) setText(asked); }, [asked]);

  const run = (expr = text) => {
    const wanted = expr.trim();
    if (!wanted) return;
    setText(expr);
    const next = latest(past, wanted);
    setPast(next);
    remember(KEPT, JSON.stringify(next));
    remember('explore.last', wanted);
    setQuery({ expr: wanted });
    setTurn(turn + 1);
  };
  const ask = asked ? (signal) => evaluate(asked, range.value, signal) : null;
  const answer = useAnswer(ask, [asked, turn, range.value.from, range.value.to], { every: moving.value ? 10_000 : undefined });
  const stale = answer.error ?? null;

  return html`<div class="p-explore">
    <${Editor} value=${text} onValue=${setText} onRun=${() => run()} past=${past} onPast=${run} error=${stale} place=${stale && placeOf(stale.message, asked)}
      asked=${asked} />
    ${!asked ? html`<${Beginnings} onPick=${run} />` : null}
    ${asked && !stale && answer.data ? html`<${Facts} of=${answer.data} />` : null}
    ${asked && !stale && !answer.data && answer.waiting ? html`<${Card} title=${t('Result')}><${Skeleton} rows=${3} /><//>` : null}
    ${asked && answer.data ? html`<${Result} of=${answer.data} dim=${Boolean(stale)} />` : null}
  </div>`;
}

/** Asks for the range; scalars and texts come as one value. Yields what was asked along with what came. */
async function evaluate(expr, chosen, signal) {
  // "Since start" needs to know when that was.
  if (chosen.auto && since.peek() === null) await renewStats().catch(() => null);
  const span = resolve(chosen);
  const step = stepSeconds(span);
  const filled = fill(expr, span, step);
  const began = performance.now();
  const [answer, stats] = await Promise.all([
    prom('query_range', { query: filled, start: span.start / 1000, end: span.end / 1000, step, stats: 'all' }).catch((error) => instant(filled, span.end, error)),
    get('metrics/stats', undefined, { signal }).catch(() => null),
  ]);
  return { expr, span, step, answer, tiers: tiersRead(stats?.tiers, span), took: performance.now() - began };
}

// A text or a range of samples has no place on a time axis; asked for one moment it is still worth showing.
async function instant(expr, at, error) {
  if (!/range vector|string|matrix|scalar/i.test(error.message)) throw error;
  const answer = await prom('query', { query: expr, time: at / 1000, stats: 'all' }).catch(() => null);
  if (!answer) throw error;
  return answer;
}

function Facts({ of }) {
  const { answer, step, tiers, took } = of;
  const samples = answer.stats?.samples?.totalQueryableSamples;
  const spent = answer.stats?.timings?.execTotalTime ?? took / 1000;
  const many = (n) => n.toLocaleString();
  const names = { raw: t('raw'), aggregated: t('1 min'), summary: t('1 h') };
  const series = Array.isArray(answer.result) && answer.resultType !== 'scalar' && answer.resultType !== 'string' ? answer.result.length : 1;
  return html`<div class="p-facts" role="status">
    <span><b>${many(series)}</b> ${t('series')}</span>
    ${samples === undefined ? null : html`<span><b>${many(samples)}</b> ${t('samples read')}</span>`}
    <span><b>${(spent * 1000).toFixed(1)} ms</b></span>
    <span>${t('step')} <b>${formatDuration(step)}</b></span>
    ${tiers.length ? html`<span>${t('read from')} ${tiers.map(({ tier, start, end }, i) => html`${i ? ', ' : ''}<b>${names[tier]}
      </b> ${formatDuration(Math.round((end - start) / 1000))}`)}</span>` : null}
  </div>`;
}

function Result({ of, dim }) {
  const { answer, span, expr } = of;
  const [adding, setAdding] = useState(false);
  const unit = unitOf(expr);
  const data = useMemo(() => ({ ...panelData(answer, { expr }), step: of.step * 1000, unit, tiers: of.tiers }), [answer]);
  const panel = useMemo(() => ({ id: 'explore', title: t('Result'), type: 'line', unit, queries: [{ query: expr }], options: {} }), [expr, unit]);
  if (answer.resultType === 'scalar' || answer.resultType === 'string') return html`<${One} answer=${answer} />`;
  if (answer.resultType === 'vector' || answer.result.every((series) => !(series.values?.length > 0))) {
    return answer.result.length ? html`<${Instant} answer=${answer} />` : html`<${Nothing} expr=${expr} />`;
  }
  const threshold = comparison(expr);
  const buttons = html`${may('editor') ? html`<button type="button" class="pill" onClick=${() => setAdding(true)}>${t('Add to dashboard')}</button>
    <button type="button" class="pill" onClick=${() => go(`/alerts?new=1&expr=${encodeURIComponent(threshold ? expr : `${expr} > 0`)}`)}>${t('Make an alert')}
      </button>` : null}`;
  return html`<div class=${dim ? 'p-dim' : ''}>
    <${Card} title=${t('Result')} note=${unit ? t(UNIT_WORDS[unit] ?? unit) : ''} end=${buttons} class="p-chart tall">
      <div class="fill"><${Chart} panel=${panel} data=${data} range=${span} stale=${dim} /></div>
    <//>
    <${Card} title=${t('Series')} class="p-gap"><${SeriesTable} panel=${panel} data=${data} unit=${unit} /><//>
  </div>
  ${adding ? html`<${AddToDashboard} expr=${expr} unit=${unit} onClose=${() => setAdding(false)} />` : null}`;
}

function One({ answer }) {
  const [, value] = answer.result;
  return html`<${Card} title=${answer.resultType === 'scalar' ? t('One number') : t('Text')}><p class="p-one">${value}</p><//>`;
}

function Instant({ answer }) {
  const rows = answer.result.map(({ metric, value, values }) => [selector(metric), value?.[1] ?? values?.at(-1)?.[1]]);
  return html`<${Card} title=${t('Values now')}><div class="p-scroll" tabindex="0" role="region" aria-label=${t('Values now')}><table><thead><tr>
    <th scope="col">${t('Labels')}</th><th scope="col">${t('value')}</th></tr></thead>
    <tbody>${rows.map(([name, value]) => html`<tr><td class="mono">${name}</td><td>${formatValue(number(value)).text}</td></tr>`)}</tbody></table></div><//>`;
}

function Nothing({ expr }) {
  const names = /[a-zA-Z_:][\w:]*/.exec(expr)?.[0];
  return html`<${Card} title=${t('Result')}><${Blank} title=${t('No samples in this range')} action=${html`<${Link} class="pill"
    href=${`/catalog?search=${encodeURIComponent(names ?? '')}`}>${t('See which metrics there are')}<//>`}>
    ${t('The expression is right, but nothing matches it at this time.')}<//><//>`;
}

function Beginnings({ onPick }) {
  return html`<${Card} title=${t('Begin with')} class="p-gap"><ul class="p-starts">${START.map(([words, expr]) => html`<li>
    <button type="button" onClick=${() => onPick(expr)}><b>${t(words)}</b><code>${expr}</code></button></li>`)}</ul><//>`;
}
