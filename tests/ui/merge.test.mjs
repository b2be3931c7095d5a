// Live points join the history without a gap, twice or for ever. Guards against pictures that drift from what is stored.
import assert from 'node:assert/strict';
import test from 'node:test';
import { joined, mergePanel, newest, otherSteps, seriesKey, stepOf, thinned } from '../../src/ui/merge.js';

const FRAME = { start: 0, step: 15_000, tail: 60_000, latest: false };
const series = (points, more = {}) => ({ name: 'cpu', query: 0, labels: { mode: 'user' }, tier: 'raw', points, ...more });
const ok = (...all) => ({ state: 'ok', step: 15_000, series: all });

test('the same series is the same whatever the order of its labels', () => {
  assert.equal(seriesKey({ name: 'x', query: 1, labels: { a: '1', b: '2' } }), seriesKey({ name: 'x', query: 1, labels: { b: '2', a: '1' } }));
  assert.notEqual(seriesKey({ name: 'x', query: 1, labels: {} }), seriesKey({ name: 'x', query: 2, labels: {} }));
});

test('points are added once, in order, and the same moment is replaced', () => {
  assert.deepEqual(joined([[1, 1], [2, 2]], [[2, 20], [3, 3]]), [[1, 1], [2, 20], [3, 3]]);
  const old = [[1, 1], [5, 5]];
  assert.equal(joined(old, [[2, 2], [4, 4]]), old);
  assert.deepEqual(joined([], [[1, 1]]), [[1, 1]]);
});

test('a frame of every second leaves one point a step but the last minute', () => {
  let data = ok(series([[0, 0], [15_000, 1]]));
  for (let t = 16_000; t <= 300_000; t += 1000) data = mergePanel(data, ok(series([[t, t]])), FRAME);
  const { points } = data.series[0];
  const old = points.filter(([t]) => t < 240_000);
  assert.deepEqual(old.map(([t]) => t), Array.from({ length: 16 }, (_, i) => i * 15_000));
  assert.equal(points.length - old.length, 61);
});

test('what leaves the range is dropped, and so is a series that has nothing left', () => {
  const data = mergePanel(ok(series([[1000, 1], [2000, 2]]), series([[1000, 5]], { name: 'gone' })), ok(series([[3000, 3]])), { ...FRAME, start: 1500 });
  assert.deepEqual(data.series.map((one) => [one.name, one.points]), [['cpu', [[2000, 2], [3000, 3]]]]);
});

test('what did not change is the same object', () => {
  const base = ok(series([[1000, 1]]));
  assert.equal(mergePanel(base, { state: 'empty', series: [] }, FRAME), base);
  const two = ok(series([[1000, 1]]), series([[1000, 1]], { name: 'other' }));
  assert.equal(mergePanel(two, ok(series([[2000, 2]])), FRAME).series[1], two.series[1]);
});

test('a new series appears, an empty panel fills', () => {
  const grown = mergePanel(ok(series([[1000, 1]])), ok(series([[2000, 2]], { labels: { mode: 'system' } })), FRAME);
  assert.equal(grown.series.length, 2);
  assert.equal(mergePanel({ state: 'empty', missing: [{ name: 'm' }], series: [] }, ok(series([[1, 1]])), FRAME).state, 'ok');
});

test('an error keeps the series behind it, and the next good frame ends it', () => {
  const failed = mergePanel(ok(series([[1000, 1]])), { state: 'error', message: 'no time' }, FRAME);
  assert.equal(failed.state, 'error');
  assert.equal(failed.series.length, 1);
  const good = mergePanel(failed, ok(series([[2000, 2]])), FRAME);
  assert.deepEqual([good.state, good.message, good.series[0].points.length], ['ok', undefined, 2]);
});

test('panels of the newest value take it whole, and never an older one', () => {
  const now = { ...FRAME, latest: true };
  const base = ok(series([[2000, 1]]), series([[2000, 9]], { name: 'ended' }));
  assert.deepEqual(mergePanel(base, ok(series([[3000, 4]])), now).series.map((one) => one.name), ['cpu']);
  assert.equal(mergePanel(base, ok(series([[1000, 4]])), now), base);
  assert.equal(newest(base), 2000);
});

test('bars keep to the grid of the history', () => {
  let data = ok(series([[0, 0], [15_000, 1]]));
  for (let t = 16_000; t <= 46_000; t += 1000) data = mergePanel(data, ok(series([[t, t]])), { ...FRAME, tail: -Infinity });
  assert.deepEqual(data.series[0].points.map(([t]) => t), [0, 15_000, 30_000, 45_000]);
});

test('the step is what the panel says, or what it holds', () => {
  assert.equal(stepOf({ step: 5000 }, 1), 5000);
  assert.equal(stepOf({ series: [series([[0, 1], [7000, 1], [14_000, 1]])] }, 1), 7000);
  assert.equal(stepOf({ series: [] }, 1), 1);
  assert.equal(thinned([[1, 1]], 0, 10).length, 1);
});

test('a panel whose steps have become longer is known as such', () => {
  assert.equal(otherSteps({ step: 1000 }, { step: 2000 }), true);
  for (const [base, update] of [[{ step: 1000 }, { step: 1000 }], [{ step: 1000 }, undefined], [null, { step: 1000 }], [{}, { step: 1000 }]]) {
    assert.ok(!otherSteps(base, update));
  }
});
