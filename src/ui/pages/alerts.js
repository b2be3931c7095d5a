// What fires, what is about to, what is quiet; one rule in detail; the day behind.
import { html, useEffect, useMemo, useRef, useState } from '../lib.js';
import { get } from '../api.js';
import { firing, may, route, setQuery, toast } from '../state.js';
import { t } from '../text.js';
import { formatDuration, formatValue } from '../format.js';
import { Answered, Blank, Card, Mark, useAnswer, useSubtitle } from './kit.js';
import { RuleDetail } from './alert-detail.js';
import { RuleForm } from './rule-form.js';
import { belongs, episodes, groupsOf, plain, rows, strip, tally } from './logic/alerts.js';
import { unitOf } from './logic/series.js';
import { comparison } from './logic/promql.js';

const DAY = 86_400_000;
const CELLS = 48;
const FEW = 8;

export default function Alerts() {
  const all = useAnswer(load, [], { every: 5000 });
  const { rule: chosen, new: fresh, expr } = route.value.query;
  const [form, setForm] = useState(null);
  useEffect(() => {
    if (fresh && may('editor')) setForm({ rule: null, expr: expr ?? '' });
  }, [fresh, expr]);
  const close = () => {
    setForm(null);
    setQuery({ new: null, expr: null });
  };
  const saved = (rule) => {
    close();
    toast(t('Saved: {name}', { name: rule.name }));
    setQuery({ rule: rule.id });
    all.again();
  };
  return html`<div class="p-alerts"><${Answered} of=${all} rows=${4}>
    ${(data) => html`<${Board} data=${data} chosen=${chosen} again=${all.again} onEdit=${(rule) => setForm({ rule })} />`}<//>
    ${form ? html`<${RuleForm} rule=${form.rule} expr=${form.expr} onClose=${close} onSaved=${saved} />` : null}</div>`;
}

async function load(signal) {
  const [rules, active, history] = await Promise.all([
    get('alerts/rules', undefined, { signal }), get('alerts/active', undefined, { signal }), get('alerts/history', undefined, { signal }),
  ]);
  firing.value = active.alerts.filter((alert) => alert.state === 'firing');
  return { rules: rules.rules, active: active.alerts, history: history.alerts, now: Date.now() };
}

function Board({ data, chosen, again, onEdit }) {
  const [all, setAll] = useState(false);
  const events = useMemo(() => episodes(data.history, data.active), [data]);
  const list = useMemo(() => rows(data.rules, data.active, events), [data]);
  const span = { start: data.now - DAY, end: data.now };
  const active = list.filter((row) => row.state === 'firing' || row.state === 'pending');
  const quiet = list.filter((row) => !active.includes(row));
  const shown = list.find((row) => row.rule.id === chosen) ?? list[0];
  const add = may('editor') ? html`<button type="button" class="pill small" onClick=${() => onEdit(null)}>${t('New rule')}</button>` : null;
  const detail = useRef(null);
  const choose = (id) => {
    setQuery({ rule: id });
    // Where the detail stands below the list, it comes into sight.
    if (matchMedia('(max-width: 1180px)').matches) detail.current?.scrollIntoView({ block: 'start' });
  };
  const row = (one) => html`<${Row} key=${one.rule.id} row=${one} now=${data.now}
    cells=${strip(events.filter((event) => belongs(event, one.rule)), span, CELLS)} chosen=${one === shown} onChoose=${choose} />`;
  useSubtitle(tallyWords(tally(list)));
  return html`<div class="p-split">
    <section class="card p-list" aria-label=${t('Rules')}>
      <header><h2>${t('Active')}</h2><div class="end">${add}</div></header>
      ${active.length ? html`<ul>${active.map(row)}</ul>` : html`<p class="p-calm"><${Mark} tone="ok" />${t('Nothing is firing.')}</p>`}
      <header><h2>${t('Quiet')}</h2></header>
      ${quiet.length ? html`${all ? groupsOf(quiet).map(([name, some]) => html`<${Group} key=${name} name=${name} count=${some.length} /><ul>${some.map(row)}</ul>`)
        : html`<ul>${quiet.filter((one, i) => i < FEW || one === shown).map(row)}</ul>`}
        ${quiet.length > FEW && !all ? html`<button type="button" class="p-all" onClick=${() => setAll(true)}>${t('Show all {n}', { n: quiet.length })}
          </button>` : null}` : html`<p class="p-calm">${t('No quiet rules.')}</p>`}
    </section>
    <div class="p-detail-place" ref=${detail}>${shown ? html`<${RuleDetail} row=${shown}
      events=${events.filter((event) => event.resolved_at && belongs(event, shown.rule))} now=${data.now} again=${again} onEdit=${onEdit} />`
      : html`<${Card} title=${t('No rules yet')}><${Blank} title=${t('Nothing is watched')} action=${add}>
        ${t('A rule is an expression that should be empty while all is well.')}<//><//>`}</div>
  </div>
  <${History} list=${list} events=${events} span=${span} />`;
}

function Group({ name, count }) {
  const words = name ? t(name) : t('Other rules');
  return html`<h3 class="p-group">${name === 'latido' ? name : words.charAt(0).toUpperCase() + words.slice(1)}<span>${count}</span></h3>`;
}

function tallyWords({ firing: n, pending, quiet, off }) {
  return [[n, 'firing'], [pending, 'pending'], [quiet, 'quiet'], [off, 'switched off']].filter(([count], i) => count || i === 0).map(([count, words]) => `${count} ${t(words)}`).join(' · ');
}

const STATES = { firing: 'Firing', pending: 'Pending', inactive: 'Quiet', off: 'Switched off' };

function Row({ row, now, cells, chosen, onChoose }) {
  const { rule, tone, state } = row;
  const value = row.value === null ? null : valueText(row.value, rule.expr);
  const more = row.alerts.length > 1 ? t('{n} alerts', { n: row.alerts.length }) : value;
  const time = row.since === null ? null : formatDuration(Math.round((now - row.since) / 1000));
  const since = time === null ? t(STATES[state]) : state === 'pending' ? t('pending {time}', { time }) : time;
  return html`<li class=${chosen ? 'sel' : ''}><button type="button" class="p-row" aria-pressed=${chosen ? 'true' : 'false'} onClick=${() => onChoose(rule.id)}>
    <${Mark} tone=${tone} label=${row.broken ? t('Cannot be evaluated') : t(STATES[state])} />
    <span class="what"><b>${headline(row) ?? rule.name}</b><span class="mono">${headline(row) ? rule.name : rule.expr}</span></span>
    <${Strip} cells=${cells} />
    <span class="val"><b>${more ?? ''}</b><span>${since}</span></span>
  </button></li>`;
}

/** What a rule says, in its own words; those of the alert where one is there. */
const headline = ({ alerts, rule }) => alerts[0]?.annotations?.summary || plain(rule.annotations?.summary) || null;

export function valueText(value, expr) {
  const { text, unit } = formatValue(value, unitOf(comparison(expr)?.left ?? expr));
  return unit ? `${text}${unit === '%' ? '' : ' '}${unit}` : text;
}

// A bar a half hour, higher where something was.
function Strip({ cells }) {
  const bad = cells.filter((tone) => tone !== 'ok').length;
  return html`<svg class="p-strip" viewBox="0 0 180 22" preserveAspectRatio="none" role="img"
    aria-label=${bad ? t('Not quiet in {n} of the last 48 half hours', { n: bad }) : t('Quiet for the last 24 hours')}>
    ${cells.map((tone, i) => html`<rect class=${tone} x=${i * 3.75} y=${tone === 'ok' ? 6.5 : 2} width=${tone === 'ok' ? 2 : 2.6}
      height=${tone === 'ok' ? 9 : 18} rx="1" />`)}</svg>`;
}

function History({ list, events, span }) {
  const lines = list.map(({ rule }) => ({ rule, cells: strip(events.filter((event) => belongs(event, rule)), span, CELLS) }))
    .map((line) => ({ ...line, bad: line.cells.filter((tone) => tone !== 'ok').length })).sort((a, b) => b.bad - a.bad);
  const shown = lines.slice(0, Math.max(1, lines.filter((line) => line.bad).length)).slice(0, 20);
  const hours = [0, 6, 12, 18, 24].map((n) => span.start + n * 3_600_000);
  const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
  const said = ({ name }, bad) => (bad ? t('{name}: not quiet in {n} half hours', { name, n: bad }) : t('{name}: quiet', { name }));
  const when = (tone, i) => (tone === 'ok' ? undefined : `${clock(span.start + i * 1_800_000)} ${words[tone]}`);
  const words = { warn: t('warning or pending'), crit: t('critical'), ok: t('quiet') };
  return html`<${Card} title=${t('History')} note=${t('all alerts, half an hour a column')} class="p-gap">
    ${shown.length && !shown[0].bad ? html`<p class="p-calm"><${Mark} tone="ok" />${t('Nothing fired in the last 24 hours.')}</p>` : shown.length ? html`<div class="p-history">${shown.map(({ rule, cells, bad }) => html`<div class="line" key=${rule.id}><span title=${rule.name}>
      ${rule.name}</span>
      <div class="cells" role="img" aria-label=${said(rule, bad)}>${cells.map((tone, i) => html`<i class=${tone} title=${when(tone, i)}></i>`)}</div></div>`)}
      <div class="line axis" aria-hidden="true"><span></span><div class="hours">${hours.map((ms) => html`<span>${clock(ms)}</span>`)}</div></div>
        </div>` : html`<p class="mute">${t('No rules yet')}</p>`}
  <//>`;
}
