// What the pages read of an expression: its parts, its comparison, what may be written next.
import test from 'node:test';
import assert from 'node:assert/strict';
import { askingAt, coloured, comparison, placeOf, suggestions, tokens } from '../../src/ui/pages/logic/promql.js';

test('the tokens of any text joined are the text', () => {
  for (const text of ['sum by (route) (rate(http_requests_total{job="api", code!~"5.."}[5m])) / ignor', '"open', "a{b='", '¿?', '# x\nup', '1h30m 0x1F .5e3 5m2']) {
    assert.equal(tokens(text).map((token) => token.text).join(''), text);
  }
});

test('keywords, functions, metrics, labels and strings have roles of their own', () => {
  const roles = Object.fromEntries(coloured('sum by (route) (rate(http_requests_total{job="api"}[5m])) > 2').map((token) => [token.text, token.role]));
  assert.deepEqual([roles.sum, roles.by, roles.route, roles.rate, roles.http_requests_total, roles.job, roles['"api"'], roles['5m'], roles['2']],
    ['keyword', 'keyword', 'label', 'function', 'metric', 'label', 'string', 'number', 'number']);
});

test('a comparison with a number is taken off the end', () => {
  assert.deepEqual(comparison('a > 0.02'), { left: 'a', op: '>', threshold: 0.02 });
  assert.deepEqual(comparison('rate(a{x=">5"}[5m]) >= 5 * 1024'), { left: 'rate(a{x=">5"}[5m])', op: '>=', threshold: 5120 });
  assert.deepEqual(comparison('(a / b < 10)'), { left: 'a / b', op: '<', threshold: 10 });
  assert.deepEqual(comparison('predict_linear(a[6h], 4 * 3600) < -1'), { left: 'predict_linear(a[6h], 4 * 3600)', op: '<', threshold: -1 });
  assert.deepEqual(comparison('(a) + (b) == 0'), { left: '(a) + (b)', op: '==', threshold: 0 });
});

test('what is no comparison with a number stays whole', () => {
  for (const expr of ['up', 'a > b', 'a > bool 1', 'a > 1 and b > 2', 'absent(up)', '', '> 5', 'sum(a > 5)', 'a{b!="5"}', 'a > 5 unless b']) assert.equal(comparison(expr), null, expr);
});

test('names, labels, values and durations are asked for where they may stand', () => {
  const at = (text) => { const caret = text.indexOf('|'); return askingAt(text.replace('|', ''), caret); };
  assert.equal(at('node_|').kind, 'name');
  assert.equal(at('node_|').prefix, 'node_');
  assert.deepEqual([at('up{jo|').kind, at('up{jo|').metric], ['label', 'up']);
  assert.deepEqual([at('up{job="no|"}').kind, at('up{job="no|"}').label, at('up{job="no|"}').prefix], ['value', 'job', 'no']);
  assert.equal(at('sum by (|').kind, 'label');
  assert.equal(at('rate(up[|').kind, 'duration');
  assert.equal(at('sum(up) |').after, true);
  assert.equal(at('up # com|'), null);
  assert.equal(at('up{job="a"}|')?.kind === 'label', false);
});

test('suggestions begin with what begins so, and a call puts the caret inside', () => {
  const known = { metrics: [{ name: 'http_requests_ignored_total', note: '' }, { name: 'rate_limit', note: '' }], labels: ['route'], values: [] };
  const list = suggestions(askingAt('a / ignor', 9), known);
  assert.deepEqual(list.map((item) => item.text), ['ignoring', 'http_requests_ignored_total']);
  assert.equal(suggestions(askingAt('rat', 3), known)[0].insert, 'rate()');
  assert.equal(suggestions(askingAt('rat', 3), known)[0].move, 1);
});

test('a place in an error is the offset in the text', () => {
  assert.equal(placeOf('1:5: parse error: unexpected end', 'sum('), 4);
  assert.equal(placeOf('invalid parameter "query": 2:1: parse error', 'a\n)'), 2);
  assert.equal(placeOf('9:9: parse error', 'up'), null);
  assert.equal(placeOf('no place', 'up'), null);
  assert.equal(placeOf('panel "a": parse error (at character 3)', 'up{'), 2);
  assert.equal(placeOf('parse error (at character 9)', 'up{'), null);
  assert.equal(placeOf('parse error: unclosed left parenthesis', 'sum(rate(a[5m])'), 3);
  assert.equal(placeOf('unterminated string', 'a{b="c'), 4);
});
