// What to look at and where things are going: findings with their evidence, trends with how sure they are.
import { html, useState } from '../lib.js';
import { get, promRange } from '../api.js';
import { range, recall, remember, resolve, since } from '../state.js';
import { durationText, stepSeconds } from '../range.js';
import { t } from '../text.js';
import { Link } from '../components/link.js';
import { formatText, formatTime } from '../format.js';
import { Dialog } from '../components/dialog.js';
import { Answered, Blank, Card, Mark, SelectField, useAnswer } from './kit.js';
import { Editor } from './editor.js';
import { Chart } from '../charts/index.js';
import { ahead, bounds, perWhat, reaches, within } from './logic/trend.js';
import { number, unitOf } from './logic/series.js';

const FULL = [{ value: 85, tone: 'warn', label: 'full enough to act: 85%' }];
// What is looked at until the person chooses: words, expression, unit, limits.
const FIRST = [
  ['Processors', '100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[1m])))', 'percent'],
  ['Memory in use', '100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)', 'percent'],
  ['Disk use', '100 * max(1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)', 'percent', FULL],
  ['Load', 'node_load1', ''],
  ['Memory of this daemon', 'process_resident_memory_bytes', 'bytes'],
];
const HORIZONS = [['', 'as long as the range'], ['1h', '1 hour'], ['6h', '6 hours'], ['24h', '1 day'], ['7d', '7 days'], ['30d', '30 days']];

export default function Analysis() {
  const [own, setOwn] = useState(() => stored());
  const [chosen, setChosen] = useState(0);
  const [horizon, setHorizon] = useState('');
  const [asking, setAsking] = useState(false);
  const list = [...FIRST, ...own.map((expr) => [expr, expr, unitOf(expr)])];
  const keep = (next) => {
    setOwn(next);
    remember('analysis.metrics', JSON.stringify(next));
  };
  const add = (expr) => {
    keep([...own.filter((one) => one !== expr), expr].slice(-12));
    setChosen(FIRST.length + own.filter((one) => one !== expr).length);
    setAsking(false);
  };
  const item = list[Math.min(chosen, list.length - 1)];
  return html`<div class="p-analysis">
    <div class="p-split">
      <${Trend} key=${item[1]} item=${item} horizon=${horizon} onHorizon=${setHorizon} />
      <${Findings} />
    </div>
    <${Card} title=${t('Trends')} note=${t('straight line through the range, with the interval of its slope')} class="p-gap"
      end=${html`<button type="button" class="pill small" onClick=${() => setAsking(true)}>${t('Add an expression')}</button>`}>
      <${Table} list=${list} chosen=${item} onChoose=${(i) => setChosen(i)} onRemove=${(expr) => { keep(own.filter((one) => one !== expr)); setChosen(0); }} />
    <//>
    ${asking ? html`<${Ask} onAdd=${add} onClose=${() => setAsking(false)} />` : null}
  </div>`;
}

function stored() {
  try {
    const list = JSON.parse(recall('analysis.metrics') ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

const spanText = () => {
  const { start, end } = resolve(range.value);
  return durationText(Math.max(end - start, 60_000));
};
const trendsOf = (query, horizon, signal) => get('analysis/trends', { query, range: spanText(), horizon: horizon || spanText() }, { signal });

// What a value of the unit can be; of an expression of the person's own it is not known to be positive.
const canBe = (unit, known) => (unit === 'percent' ? { lo: 0, hi: 100 } : known ? { lo: 0 } : {});

// ---- one trend as a picture ----

function Trend({ item: [words, expr, unit, limits = []], horizon, onHorizon }) {
  const answer = useAnswer(async (signal) => {
    const span = resolve(range.value);
    const [trend, past] = await Promise.all([trendsOf(expr, horizon, signal), promRange(expr, span.start, span.end, stepSeconds(span, 160), { signal })]);
    return { trend, past, span };
  }, [expr, horizon, range.value.from, range.value.to, since.value], { every: 30_000 });
  const look = html`<${SelectField} label=${t('Look ahead')} value=${horizon} onValue=${onHorizon} options=${HORIZONS.map(([key, name]) => [key, t(name)])}
    class="inline" />`;
  return html`<${Card} title=${t(words)} end=${look} class="p-trend"><${Answered} of=${answer} rows=${1}>
    ${(data) => html`<${Picture} data=${data} name=${t(words)} unit=${unit} limits=${limits} known=${FIRST.some(([, one]) => one === expr)} />`}<//><//>`;
}

function Picture({ data: { trend, past, span }, name, unit, limits, known }) {
  const first = trend.series?.[0];
  if (!first) return html`<${Blank} title=${t('No samples in this range')}>${trend.reason ?? ''}<//>`;
  const line = past.result.find((one) => same(one.metric, first.metric)) ?? past.result[0];
  const points = (line?.values ?? []).map(([time, v]) => [time * 1000, number(v)]).filter(([, v]) => Number.isFinite(v));
  const future = within(ahead(first.forecast), canBe(unit, known));
  if (!points.length && !future.length) return html`<${Blank} title=${t('Too little data yet')}>${first.reason ?? trend.reason ?? ''}<//>`;
  const panel = { id: 'trend', title: name, type: 'line', unit, queries: [], options: { thresholds: limits, colors: { [name]: 'accent' } } };
  const forecast = future.length ? { points: future.map(({ t: at, v }) => [at, v]), intervals: future.map(({ t: at, lo, hi }) => [at, lo, hi]) } : undefined;
  const drawn = { state: 'ok', unit, series: [{ name, query: 0, labels: first.metric ?? {}, tier: 'raw', points }], forecast };
  return html`<div class="fill"><${Chart} panel=${panel} data=${drawn} range=${span} /></div>
    <p class="p-words">${sentence(first, unit, points)}${meeting(limits, future, points, unit)}${trend.series.length > 1 ? ` ${t('The first of {n} series.', { n: trend.series.length })}` : ''}</p>`;
}

const same = (a, b) => Object.keys({ ...a, ...b }).every((name) => a[name] === b?.[name]);
const DIRECTION = { up: 'Rising', rising: 'Rising', down: 'Falling', falling: 'Falling', flat: 'Flat', steady: 'Flat' };

function slopeText(series, unit, spanMs) {
  if (series.slope_per_second === null || series.slope_per_second === undefined) return null;
  const [seconds, word] = perWhat(spanMs);
  const say = (v) => formatText(v * seconds, unit);
  const range = bounds(series.slope_interval);
  return { slope: `${say(series.slope_per_second)}`, per: t(word), interval: range ? `${say(range[0])} … ${say(range[1])}` : null };
}

function sentence(series, unit, points) {
  const span = points.length > 1 ? points.at(-1)[0] - points[0][0] : 3_600_000;
  const slope = slopeText(series, unit, span);
  if (!slope) return series.reason ?? t('Too little data yet');
  const direction = t(DIRECTION[series.direction] ?? series.direction ?? 'Flat');
  const sure = slope.interval ? t('(between {interval})', { interval: slope.interval }) : '';
  return `${direction}: ${slope.slope} ${slope.per} ${sure}. ${series.forecast?.method ? t('Method: {method}.', { method: t(METHODS[series.forecast.method] ?? series.forecast.method) }) : ''}${series.reason ? ` ${capital(series.reason)}.` : ''}`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const METHODS = { theil_sen_linear: 'straight line after Theil and Sen' };

// When the forecast meets the first limit.
function meeting([limit], future, points, unit) {
  const when = limit && points.length ? reaches(future, limit.value, points.at(-1)[1]) : null;
  return when === null || when === undefined ? '' : ` ${t('reaches {limit} about {when}', { limit: formatText(limit.value, unit), when: formatTime(when, future.at(-1).t - points[0][0]) })}.`;
}

// ---- all trends as a table ----

function Table({ list, chosen, onChoose, onRemove }) {
  return html`<div class="p-scroll" tabindex="0" role="region" aria-label=${t('Trends')}><table><thead><tr><th scope="col">${t('Metric')}</th><th scope="col">
    ${t('direction')}</th><th scope="col">${t('slope')}</th><th scope="col">${t('slope lies between')}</th><th scope="col">${t('forecast')}</th><th scope="col">
    <span class="sr">${t('Actions')}</span></th></tr></thead>
    <tbody>${list.map((item, i) => html`<${TrendRow} key=${item[1]} item=${item} chosen=${item === chosen} onChoose=${() => onChoose(i)}
      onRemove=${i >= FIRST.length ? () => onRemove(item[1]) : null} />`)}</tbody></table></div>`;
}

function TrendRow({ item: [words, expr, unit], chosen, onChoose, onRemove }) {
  const answer = useAnswer((signal) => trendsOf(expr, '', signal), [expr, range.value.from, range.value.to, since.value]);
  const span = resolve(range.value);
  const series = answer.data?.series?.[0];
  const slope = series && slopeText(series, unit, span.end - span.start);
  const last = within(ahead(series?.forecast), canBe(unit, !onRemove)).at(-1);
  const why = answer.error?.message ?? series?.reason ?? answer.data?.reason ?? '';
  return html`<tr class=${chosen ? 'sel' : ''}><td><button type="button" class="link" aria-pressed=${chosen ? 'true' : 'false'} onClick=${onChoose}>
    ${words === expr ? html`<code>${expr}</code>` : t(words)}</button></td>
    ${slope ? html`<td>${t(DIRECTION[series.direction] ?? series.direction ?? 'Flat')}</td><td>${slope.slope} ${slope.per}</td><td>${slope.interval ?? '–'}</td>
      <td>${last ? `${formatText(last.lo, unit)} – ${formatText(last.hi, unit)}` : '–'}</td>`
      : html`<td colspan="4" class="mute">${answer.data || answer.error ? why || t('Too little data yet') : '…'}</td>`}
    <td><${Link} class="link" href=${`/explore?expr=${encodeURIComponent(expr)}`}>${t('Explore')}<//>
      ${onRemove ? html` <button type="button" class="link" onClick=${onRemove} aria-label=${`${t('Take away')}: ${expr}`}>${t('Take away')}</button>` : null}
      </td></tr>`;
}

function Ask({ onAdd, onClose }) {
  const [expr, setExpr] = useState('');
  return html`<${Dialog} title=${t('Add an expression')} onClose=${onClose}>
    <form class="p-form" onSubmit=${(e) => { e.preventDefault(); if (expr.trim()) onAdd(expr.trim()); }}>
    <div class="p-field"><span class="p-label" aria-hidden="true">${t('Expression')}</span>
      <${Editor} small=${true} value=${expr} onValue=${setExpr} label=${t('Expression')} /><p class="p-help">
      ${t('A counter needs its rate: rate(x_total[5m]).')}</p></div>
    <div class="p-buttons"><button type="button" class="pill" onClick=${onClose}>${t('Cancel')}</button><button type="submit" class="pill primary">${t('Add')}
      </button></div></form><//>`;
}

// ---- findings ----

const TONE = { critical: 'crit', warning: 'warn', info: 'unk' };

function Findings() {
  const answer = useAnswer((signal) => get('analysis/performance', { range: spanText() }, { signal }), [range.value.from, range.value.to, since.value], { every: 30_000 });
  const known = answer.data && typeof answer.data.score === 'number';
  const score = known ? html`<span class="p-score"><b>${answer.data.score}</b> ${t('of 100')}</span>` : null;
  return html`<${Card} title=${t('What to look at')} note=${t('by likely effect')} end=${score} class="p-findings"><${Answered} of=${answer}>
    ${(data) => html`<${Notes} data=${data} />`}<//><//>`;
}

function Notes({ data }) {
  if (typeof data.score !== 'number') return html`<${Blank} title=${t('Nothing was checked yet')}>${data.reason ?? ''}<//>`;
  if (!data.findings.length) {
    return html`<div class="p-calm"><${Mark} tone="ok" /><span><b>${t('Nothing is slow, full or failing.')}</b>${html`<small>
      ${t('{n} rules looked at the last {span}.', { n: data.rules.checked, span: spanText() })}</small>`}</span></div>`;
  }
  return html`<ul class="p-notes">${data.findings.map((one) => html`<li><${Mark} tone=${TONE[one.severity] ?? 'unk'} label=${t(one.severity)} />
    <div><h3>${one.title}</h3><p>${one.evidence}</p><p class="mute">${one.recommendation}</p></div>
    <${Link} class="pill small" href=${`/explore?expr=${encodeURIComponent(one.query)}`} aria-label=${`${t('See')}: ${one.title}`}>${t('See')}<//></li>`)}</ul>`;
}
