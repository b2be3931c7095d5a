// From Prometheus' answers to charts: names, figures, steps, tiers.
import test from 'node:test';
import assert from 'node:assert/strict';
import { figures, nameOf, panelData, sameEverywhere, selector, tiersRead, unitOf } from '../../src/ui/pages/logic/series.js';

test('a range answer becomes panel data in milliseconds, named by what differs', () => {
  const data = panelData({ resultType: 'matrix', result: [
    { metric: { __name__: 'up', job: 'node', source: 'cpu' }, values: [[1.5, '1'], [2.5, 'NaN']] },
    { metric: { __name__: 'up', job: 'node', source: 'disk' }, values: [[1.5, '0']] },
  ] });
  assert.equal(data.state, 'ok');
  assert.deepEqual(data.series.map((series) => series.name), ['{source="cpu"}', '{source="disk"}']);
  assert.deepEqual(data.series[0].points, [[1500, 1], [2500, 'NaN']]);
  assert.equal(panelData({ resultType: 'matrix', result: [] }).state, 'empty');
  assert.equal(panelData({ resultType: 'matrix', result: [{ metric: {}, values: [[1, '1']] }] }, { expr: 'sum(up)' }).series[0].name, 'sum(up)');
});

test('a legend is filled in, and labels without one are written as PromQL has them', () => {
  assert.equal(nameOf({ device: 'sda' }, '{{device}} of {{ host }}'), 'sda of ');
  assert.equal(selector({ __name__: 'up', job: 'a"b' }), 'up{job="a\\"b"}');
  assert.equal(selector({}), '{}');
  assert.deepEqual(sameEverywhere([{ a: '1', b: '2' }, { a: '1', b: '3' }]), ['a']);
});

test('figures leave holes and infinities out, all but the last', () => {
  assert.deepEqual(figures([[1, 2], [2, 'NaN'], [3, 4], [4, '+Inf']]), { last: Infinity, min: 2, mean: 3, max: 4 });
  assert.deepEqual(figures([]), { last: null, min: null, mean: null, max: null });
});

test('tiers are named from new to old and cover the range once', () => {
  const tiers = { raw: { oldest: 900 }, aggregated: { oldest: 500 }, summary: { oldest: null } };
  assert.deepEqual(tiersRead(tiers, { start: 0, end: 1000 }), [{ tier: 'raw', start: 900, end: 1000 }, { tier: 'aggregated', start: 500, end: 900 }]);
  assert.deepEqual(tiersRead(undefined, { start: 0, end: 1 }), []);
});

test('units are guessed only where the name tells', () => {
  assert.equal(unitOf('node_memory_MemAvailable_bytes'), 'bytes');
  assert.equal(unitOf('rate(node_network_receive_bytes_total[5m])'), 'bytes/s');
  assert.equal(unitOf('a_bytes / b_bytes'), undefined);
  assert.equal(unitOf('histogram_quantile(0.9, rate(x_seconds_bucket[5m]))'), 'seconds');
  assert.equal(unitOf('up'), undefined);
});
