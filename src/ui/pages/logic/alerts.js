// Rules and what happened to them as rows, strips and sentences. Pure; `now` comes from outside.

const WORST = { firing: 2, pending: 1 };
const RANK = { critical: 3, warning: 2, info: 1 };

/** Colour and shape of an alert: what is pending only warns. @returns {'ok'|'warn'|'crit'|'unk'} */
export const toneOf = ({ state, severity }) => (state === 'firing' ? (severity === 'critical' ? 'crit' : 'warn') : state === 'pending' ? 'warn' : 'ok');

/**
 * A row a rule, the worst first: `{rule, alerts, state, tone, since, value, last}`. Of the quiet ones those come first that
 * cannot be evaluated, then those that were not quiet lately, then the severe ones; what is switched off comes last.
 * @param {object[]} rules @param {object[]} active alerts that are pending or firing @param {object[]} [events] what was, see `episodes`
 */
export function rows(rules, active, events = []) {
  const list = rules.map((rule) => {
    const alerts = active.filter((alert) => belongs(alert, rule)).sort((a, b) => (WORST[b.state] ?? 0) - (WORST[a.state] ?? 0) || a.active_at - b.active_at);
    const state = rule.enabled === false ? 'off' : alerts[0]?.state ?? 'inactive';
    const broken = Boolean(rule.last_error);
    const tone = state === 'off' || (broken && !alerts.length) ? 'unk' : toneOf({ state, severity: rule.severity });
    const last = events.reduce((newest, event) => (belongs(event, rule) ? Math.max(newest, event.resolved_at ?? event.active_at) : newest), 0);
    return { rule, alerts, state, tone, broken, last, since: alerts[0]?.active_at ?? null, value: alerts[0]?.value ?? null };
  });
  const place = (row) => (WORST[row.state] ?? (row.state === 'off' ? -2 : row.broken ? 0.5 : 0)) * 10 + (RANK[row.rule.severity] ?? 0);
  const lately = (row) => (WORST[row.state] || row.state === 'off' ? 0 : row.last);
  const height = (row) => Math.trunc(place(row) / 5);
  return list.sort((a, b) => height(b) - height(a) || lately(b) - lately(a) || place(b) - place(a) || (a.rule.name < b.rule.name ? -1 : 1));
}

/** Whether an alert or an event of the history is of that rule. */
export const belongs = (alert, rule) => (alert.rule ? alert.rule === rule.id : alert.name === rule.name);

/**
 * What the history tells in two events, firing and resolved, as one: `{…, active_at, fired_at, resolved_at?}`; what still is comes
 * from the active alerts. A firing of which no end is known counts as a moment.
 */
export function episodes(history, active) {
  const key = (one) => `${one.rule} ${one.fingerprint} ${one.active_at}`;
  const found = new Map();
  for (const event of history) {
    const other = found.get(key(event));
    if (!other || event.state === 'resolved') found.set(key(event), { ...other, ...event });
  }
  const still = new Set(active.map(key));
  const past = [...found.values()].filter((one) => !still.has(key(one))).map((one) => (one.resolved_at ? one : { ...one, resolved_at: one.at ?? one.active_at, cut: true }));
  return [...past, ...active];
}

/**
 * The worst of each cell of time, oldest first. @param {object[]} events `{state, severity, active_at, fired_at?, resolved_at?}`
 * @param {{start: number, end: number}} span @param {number} cells @returns {('ok'|'warn'|'crit')[]}
 */
export function strip(events, { start, end }, cells) {
  const width = (end - start) / cells;
  const found = Array(cells).fill('ok');
  for (const event of events) {
    const from = Math.max(Math.floor((event.active_at - start) / width), 0);
    const until = event.resolved_at ?? end;
    if (until < start || event.active_at > end) continue;
    const last = Math.min(Math.max(Math.ceil((until - start) / width) - 1, from), cells - 1);
    const tone = event.severity === 'critical' && event.state !== 'pending' ? 'crit' : 'warn';
    for (let i = from; i <= last; i += 1) if (found[i] !== 'crit') found[i] = tone;
  }
  return found;
}

/** What a label names, where its own name does not say it. */
const NOUNS = { mountpoint: 'file system', name: 'unit', sensor: 'sensor', chip: 'sensor', source: 'source', job: 'source', instance: 'target', route: 'route' };
const ARTICLES = /(^|\s)(the|a|an)\s$/i;

/**
 * A template's text for a rule at rest, as a sentence: a label at its place is a noun with an article, one that only names
 * the word before it is left out, a value is a few dots. @param {string|undefined} text
 */
export function plain(text) {
  if (!text) return text;
  const one = text.replace(/(?:\{\{\s*\$labels\.\w+[^}]*\}\}\s+)+(?=\{\{\s*\$labels)/g, '');
  const told = one.replace(/\{\{\s*\$labels\.(\w+)[^}]*\}\}/g, (whole, label, at) => {
    const before = one.slice(0, at);
    const noun = NOUNS[label] ?? label.replaceAll('_', ' ');
    if (ARTICLES.test(before)) return noun;
    if (/\w\s$/.test(before) || /:\s*$/.test(before)) return '';
    return `${before.trim() ? 'a' : 'A'}${/^[aeio]/.test(noun) ? 'n' : ''} ${noun}`;
  });
  return told.replace(/\{\{[^}]*\}\}/g, '…').replace(/\s+/g, ' ').replace(/\s*:?\s*$/, '').trim();
}

/** Rows by the group of their rule, in the order in which groups come: `[[name, rows]]`. */
export function groupsOf(list) {
  const groups = new Map();
  for (const row of list) {
    const name = row.rule.group ?? '';
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(row);
  }
  return [...groups];
}

/** How many are firing, pending, quiet, off. */
export function tally(list) {
  const count = (state) => list.filter((row) => row.state === state).length;
  return { firing: count('firing'), pending: count('pending'), quiet: count('inactive'), off: count('off') };
}

/** What the form holds of a rule; a new one where there is none. */
export function draft(rule) {
  return {
    name: rule?.name ?? '', expr: rule?.expr ?? '', for: rule?.for ?? '5m', severity: rule?.severity ?? 'warning',
    summary: rule?.annotations?.summary ?? '', description: rule?.annotations?.description ?? '',
  };
}

/** The body that is sent; what the form does not show of the old rule stays. */
export function sent(form, rule) {
  const { summary, description, ...others } = rule?.annotations ?? {};
  const annotations = { ...others, ...(form.summary.trim() ? { summary: form.summary.trim() } : {}), ...(form.description.trim() ? { description: form.description.trim() } : {}) };
  const body = { name: form.name.trim(), expr: form.expr.trim(), severity: form.severity, annotations };
  if (form.for.trim()) body.for = form.for.trim();
  return { ...kept(rule), ...body };
}

/** Every part of a rule that may be sent back; an interval that was never chosen goes on following the default. */
export function kept(rule) {
  if (!rule) return {};
  const names = ['name', 'expr', 'for', 'keep_firing_for', 'severity', 'labels', 'annotations', 'group', 'interval', 'enabled', 'revision'];
  return Object.fromEntries(names.filter((name) => rule[name] !== undefined && rule[name] !== null && !(name === 'interval' && rule.interval_default)).map((name) => [name, rule[name]]));
}

/** Words for what lacks, by field; keys of the dictionaries. */
export function lacks(form) {
  const found = {};
  if (!form.name.trim()) found.name = 'A rule needs a name.';
  if (!form.expr.trim()) found.expr = 'A rule needs an expression.';
  if (form.for.trim() && !/^(\d+(ms|[smhdwy]))+$/.test(form.for.trim()) && form.for.trim() !== '0') found.for = 'A duration such as 5m or 1h30m.';
  return found;
}
