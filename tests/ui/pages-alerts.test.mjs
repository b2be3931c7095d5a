// Rules and their past as rows and strips; the form loses nothing of a rule that it does not show.
import test from 'node:test';
import assert from 'node:assert/strict';
import { draft, episodes, groupsOf, lacks, plain, rows, sent, strip, tally } from '../../src/ui/pages/logic/alerts.js';
import { latest, remembered } from '../../src/ui/pages/logic/history.js';
import { nextPath, waitSeconds } from '../../src/ui/pages/logic/sign-in.js';

const rule = (id, more) => ({ id, name: id, expr: 'up == 0', severity: 'warning', ...more });

test('what fires comes first, what is switched off last', () => {
  const list = rows([rule('off', { enabled: false }), rule('calm'), rule('slow'), rule('down', { severity: 'critical' })], [
    { name: 'slow', state: 'pending', severity: 'warning', active_at: 5, value: 1 }, { name: 'down', state: 'firing', severity: 'critical', active_at: 3, value: 0 },
    { name: 'down', state: 'pending', severity: 'critical', active_at: 1, value: 0 }]);
  assert.deepEqual(list.map((row) => [row.rule.id, row.state, row.tone]), [['down', 'firing', 'crit'], ['slow', 'pending', 'warn'], ['calm', 'inactive', 'ok'], ['off', 'off', 'unk']]);
  assert.equal(list[0].since, 3);
  assert.deepEqual(tally(list), { firing: 1, pending: 1, quiet: 1, off: 1 });
});

test('a strip shows the worst of each cell, cut at its ends', () => {
  const span = { start: 0, end: 100 };
  assert.deepEqual(strip([{ active_at: -50, resolved_at: 10, severity: 'warning', state: 'resolved' }], span, 10).slice(0, 2), ['warn', 'ok']);
  assert.deepEqual(strip([{ active_at: 85, severity: 'critical', state: 'firing' }], span, 10).slice(7), ['ok', 'crit', 'crit']);
  assert.deepEqual(strip([{ active_at: 95, severity: 'critical', state: 'pending' }], span, 10).at(-1), 'warn');
  assert.ok(strip([{ active_at: 200, severity: 'critical', state: 'firing' }, { active_at: -9, resolved_at: -1, severity: 'critical' }], span, 10).every((tone) => tone === 'ok'));
  assert.equal(strip([{ active_at: 42, resolved_at: 42, severity: 'info' }], span, 10)[4], 'warn');
});

test('firing and resolved are one episode, and what still fires is not told twice', () => {
  const event = (state, more) => ({ rule: 'r', fingerprint: 'f', active_at: 1, fired_at: 2, severity: 'warning', state, ...more });
  const done = episodes([event('resolved', { resolved_at: 9, at: 9 }), event('firing', { at: 2 })], []);
  assert.deepEqual(done.map(({ resolved_at: end, cut }) => [end, cut]), [[9, undefined]]);
  assert.equal(episodes([event('firing', { at: 2 })], [event('firing')]).length, 1);
  assert.deepEqual(episodes([event('firing', { at: 2 })], []).map(({ resolved_at: end, cut }) => [end, cut]), [[2, true]]);
});

test('what the form does not show of a rule is sent back unchanged', () => {
  const old = rule('a', { for: '1m', annotations: { summary: 's', runbook_url: 'r' }, labels: { team: 'x' }, group: 'g', revision: 4, state: 'firing', enabled: true });
  const body = sent({ ...draft(old), summary: '' }, old);
  assert.deepEqual(body, { name: 'a', expr: 'up == 0', for: '1m', severity: 'warning', annotations: { runbook_url: 'r' }, labels: { team: 'x' }, group: 'g', revision: 4, enabled: true });
  assert.deepEqual(Object.keys(lacks({ name: '', expr: ' ', for: 'soon', summary: '' })), ['name', 'expr', 'for']);
  assert.deepEqual(lacks({ name: 'a', expr: 'b', for: '1h30m' }), {});
});

test('an interval that was never chosen is not pinned by a change', () => {
  const old = rule('a', { interval: '15s', interval_default: true });
  assert.equal('interval' in sent({ ...draft(old), name: 'b' }, old), false);
  assert.equal(sent(draft(old), { ...old, interval_default: false }).interval, '15s');
});

test('a sign-in never leads to another site', () => {
  for (const bad of ['//evil.example', 'https://evil.example', '/\\evil', undefined, '', 'explore', '/sign-in?next=/', '/a\nb']) assert.equal(nextPath(bad), '/', String(bad));
  assert.equal(nextPath('/d/operations?from=now-6h'), '/d/operations?from=now-6h');
  assert.equal(waitSeconds({ message: 'too many attempts; try again in 12 s' }), 12);
  assert.equal(waitSeconds({}), 30);
});

test('history keeps the last twenty, each once, and survives rubbish', () => {
  let list = [];
  for (let i = 0; i < 30; i += 1) list = latest(list, `q${i % 25}`);
  assert.equal(list.length, 20);
  assert.equal(new Set(list).size, 20);
  assert.deepEqual(remembered('{'), []);
  assert.deepEqual(remembered('[1,"up"]'), ['up']);
});

test('a rule at rest tells its summary as a sentence', () => {
  const told = (text) => plain(text);
  assert.equal(told('{{ $labels.mountpoint }} is almost full'), 'A file system is almost full');
  assert.equal(told('RAID array {{ $labels.device }} runs without a disk'), 'RAID array runs without a disk');
  assert.equal(told('The source {{ $labels.job }} {{ $labels.source }} gives nothing'), 'The source gives nothing');
  assert.equal(told('The {{ $labels.component }} of latido does not work'), 'The component of latido does not work');
  assert.equal(told('Samples are refused all the time: {{ $labels.reason }}'), 'Samples are refused all the time');
  assert.equal(told('{{ $labels.chip }} {{ $labels.sensor }} is hot'), 'A sensor is hot');
  assert.equal(told('{{ $labels.app }} uses {{ $value | printf "%.1f" }} %'), 'An app uses … %');
  assert.equal(told('The clock is wrong'), 'The clock is wrong');
  assert.equal(told(undefined), undefined);
});

test('of quiet rules those come first that were not quiet lately, then the severe ones', () => {
  const rule = (id, severity, more = {}) => ({ id, name: id, severity, ...more });
  const rules = [rule('a', 'warning'), rule('b', 'critical'), rule('c', 'warning'), rule('d', 'info', { last_error: 'no' }), rule('e', 'critical', { enabled: false })];
  const list = rows(rules, [], [{ rule: 'c', active_at: 5, resolved_at: 9 }]);
  assert.deepEqual(list.map((row) => row.rule.id), ['d', 'c', 'b', 'a', 'e']);
  const fires = [{ rule: 'a', name: 'a', state: 'firing', severity: 'warning', active_at: 1 }];
  assert.equal(rows(rules, fires, [{ rule: 'c', active_at: 5, resolved_at: 9 }])[0].rule.id, 'a');
});

test('rules are told by their groups, in the order of the list', () => {
  const row = (name, group) => ({ rule: { name, group } });
  assert.deepEqual(groupsOf([row('a', 'disk'), row('b'), row('c', 'disk')]).map(([name, list]) => [name, list.length]), [['disk', 2], ['', 1]]);
});
