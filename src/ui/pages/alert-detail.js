// One rule: its value against its limit, its text, who fires, what it did before.
import { html, useMemo, useState } from '../lib.js';
import { del, promRange, put } from '../api.js';
import { go, may, range, resolve, setQuery, toast } from '../state.js';
import { stepSeconds } from '../range.js';
import { t } from '../text.js';
import { Chart } from '../charts/index.js';
import { formatDuration, formatValue } from '../format.js';
import { Answered, Card, Confirm, Mark, stamp, useAnswer } from './kit.js';
import { comparison } from './logic/promql.js';
import { panelData, selector, unitOf } from './logic/series.js';
import { kept } from './logic/alerts.js';

export function RuleDetail({ row, events, now, again, onEdit }) {
  const { rule } = row;
  const [asking, setAsking] = useState(false);
  const path = `alerts/rules/${encodeURIComponent(rule.id)}`;
  const turn = async (enabled) => {
    try {
      await put(path, { ...kept(rule), enabled });
      toast(t(enabled ? 'Switched on: {name}' : 'Switched off: {name}', { name: rule.name }));
      again();
    } catch (error) {
      toast(error.message, 'crit');
    }
  };
  const remove = async () => {
    await del(path);
    setQuery({ rule: null });
    again();
  };
  const explore = html`<button type="button" class="pill small" onClick=${() => go(`/explore?expr=${encodeURIComponent(rule.expr)}`)}>${t('Open in Explore')}
    </button>`;
  return html`<${Card} title=${rule.name} note=${rule.group ?? ''} end=${explore} class="p-detail">
    <${Picture} rule=${rule} firing=${row.state === 'firing'} />
    ${rule.last_error ? html`<p class="strip-note warn" role="alert">${rule.last_error}</p>` : null}
    <${Facts} rule=${rule} />
    ${row.alerts.length ? html`<${Now} alerts=${row.alerts} rule=${rule} now=${now} />` : null}
    ${events.length ? html`<${Before} events=${events} />` : null}
    ${may('editor') ? html`<div class="p-buttons">
      <button type="button" class="pill small" onClick=${() => onEdit(rule)}>${t('Edit')}</button>
      <button type="button" class="pill small" onClick=${() => turn(rule.enabled === false)}>${rule.enabled === false ? t('Switch on') : t('Switch off')}</button>
      ${rule.default && !rule.changed ? null : html`<button type="button" class="pill small danger" onClick=${() => setAsking(true)}>
        ${rule.default ? t('Restore') : t('Delete')}</button>`}
    </div>` : null}
    ${asking ? html`<${Confirm} title=${t(rule.default ? 'Restore {name}?' : 'Delete {name}?', { name: rule.name })}
      words=${rule.default ? t('The rule that came with the program applies again.') : t('Its alerts are resolved; what it did before stays in the history.')}
      verb=${rule.default ? t('Restore') : t('Delete')} act=${remove} onClose=${() => setAsking(false)} />` : null}
  <//>`;
}

// The left side of a comparison with the limit as a line; any other expression as it is.
function Picture({ rule, firing }) {
  const split = comparison(rule.expr);
  const expr = split?.left ?? rule.expr;
  const span = resolve(range.value);
  const step = stepSeconds(span);
  const ask = async (signal) => ({ data: await promRange(expr, span.start, span.end, step, { signal }), span });
  const answer = useAnswer(ask, [rule.expr, range.value.from, range.value.to], { every: 15_000 });
  const unit = unitOf(expr);
  const limit = split && formatValue(split.threshold, unit);
  const tone = rule.severity === 'critical' ? 'crit' : 'warn';
  const thresholds = split ? [{ value: split.threshold, tone, label: `${t('threshold')} ${limit.text}${limit.unit === '%' ? '' : ' '}${limit.unit ?? ''}`.trim() }] : [];
  const panel = { id: `rule-${rule.id}`, title: rule.name, type: 'line', unit, queries: [{ query: expr }], options: { thresholds } };
  const alarm = firing ? tone : null;
  return html`<div class="p-picture"><${Answered} of=${answer} rows=${1}>
    ${(got) => html`<${Drawn} panel=${panel} got=${got} step=${step} split=${split} alarm=${alarm} />`}<//></div>`;
}

function Drawn({ panel, got, step, split, alarm }) {
  const data = useMemo(() => ({ ...panelData(got.data, { expr: panel.queries[0].query }), step: step * 1000 }), [got]);
  // One series that fires is drawn in the colour of its alarm.
  const colors = alarm && data.series.length === 1 ? { [data.series[0].name]: alarm } : {};
  const drawn = useMemo(() => ({ ...panel, options: { ...panel.options, colors } }), [got, alarm]);
  if (data.state === 'empty') return html`<p class="p-calm center">${split ? t('No series matches now or in this range.') : t('Never true in this range.')}</p>`;
  return html`<${Chart} panel=${drawn} data=${data} range=${got.span} />`;
}

function Facts({ rule }) {
  const labels = Object.entries(rule.labels ?? {}).filter(([name]) => name !== 'severity');
  const lines = [
    [t('Rule'), html`<code class="mono">${rule.expr}</code>`],
    [t('Severity'), t(rule.severity)],
    [t('Pending for'), rule.for && rule.for !== '0s' ? rule.for : t('no time: fires at once')],
    ...(rule.keep_firing_for && rule.keep_firing_for !== '0s' ? [[t('Fires on for'), rule.keep_firing_for]] : []),
    ...(labels.length ? [[t('Labels'), html`<code class="mono">${selector(Object.fromEntries(labels))}</code>`]] : []),
    ...Object.entries(rule.annotations ?? {}).map(([name, words]) => [name === 'summary' ? t('Summary') : name === 'description' ? t('Description') : name, words]),
    ...(rule.default ? [[t('Comes from'), rule.changed ? t('the default rules, changed here') : t('the default rules')]] : []),
  ];
  return html`<dl class="p-facts-list">${lines.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Now({ alerts, rule, now }) {
  const unit = unitOf(comparison(rule.expr)?.left ?? rule.expr);
  return html`<h3 class="p-h3">${t('Now')}</h3><ul class="p-now">${alerts.slice(0, 20).map((alert) => {
    const { text, unit: shown } = formatValue(alert.value, unit);
    const labels = Object.fromEntries(Object.entries(alert.labels ?? {}).filter(([name]) => !['alertname', 'severity', 'alertstate'].includes(name)));
    return html`<li><${Mark} tone=${alert.state === 'firing' ? (alert.severity === 'critical' ? 'crit' : 'warn') : 'warn'} label=${t(alert.state)} /><span>
      ${Object.keys(labels).length ? html`<span class="mono">${selector(labels)}</span>` : alert.annotations?.summary || rule.name}${alert.annotations?.description ? html`<small>${alert.annotations.description}</small>` : null}</span>
      <b>${text} ${shown ?? ''}</b><span class="mute">${t(alert.state)} ${formatDuration(Math.round((now - alert.active_at) / 1000))}</span></li>`;
  })}</ul>`;
}

const lasted = (event) => formatDuration(Math.round((event.resolved_at - (event.fired_at ?? event.active_at)) / 1000));

function Before({ events }) {
  const last = [...events].sort((a, b) => b.resolved_at - a.resolved_at).slice(0, 6);
  return html`<h3 class="p-h3">${t('Before')}</h3><ul class="p-now">${last.map((event) => html`<li>
    <${Mark} tone=${event.severity === 'critical' ? 'crit' : 'warn'} /><span>${stamp(event.fired_at ?? event.active_at)}</span>
    <span class="mute">${event.cut ? t('end not known') : t('for {time}', { time: lasted(event) })}</span></li>`)}</ul>`;
}
