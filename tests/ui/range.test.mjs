// Times as people write them become the moments that were meant. Guards against a picture of another time than its label says.
import assert from 'node:assert/strict';
import test from 'node:test';
import { duration, durationText, moment, moves, resolve, step, stepSeconds } from '../../src/ui/range.js';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

test('durations are read and written', () => {
  assert.equal(duration('1h30m'), 1.5 * HOUR);
  assert.equal(duration('7d'), 7 * 24 * HOUR);
  for (const wrong of ['', '5', 'h', '1.5h', '1y']) assert.equal(duration(wrong), null, wrong);
  for (const text of ['30s', '5m', '1h30m', '2d3h']) assert.equal(durationText(duration(text)), text);
});

test('sides are relative, milliseconds or dates', () => {
  assert.equal(moment('now', NOW), NOW);
  assert.equal(moment('now-1h', NOW), NOW - HOUR);
  assert.equal(moment(123, NOW), 123);
  assert.equal(moment('1700000000000', NOW), 1_700_000_000_000);
  assert.equal(moment('2026-01-01T00:00:00Z', NOW), Date.UTC(2026, 0, 1));
  assert.equal(moment('yesterday-ish', NOW), null);
});

test('a range that nobody chose begins where the data begins, a chosen one does not', () => {
  const since = NOW - 10 * 60_000;
  assert.deepEqual(resolve({ from: 'now-1h', to: 'now', auto: true }, NOW, since), { start: since, end: NOW });
  assert.deepEqual(resolve({ from: 'now-1h', to: 'now' }, NOW, since), { start: NOW - HOUR, end: NOW });
  assert.deepEqual(resolve({ from: 'now-1h', to: 'now', auto: true }, NOW, NOW - 9 * HOUR), { start: NOW - HOUR, end: NOW });
});

test('a span is never empty or backwards', () => {
  for (const range of [{ from: NOW, to: NOW }, { from: NOW + HOUR, to: NOW }, { from: 'now', to: 'now' }, { from: 'rubbish', to: 'rubbish' }]) {
    const { start, end } = resolve(range, NOW);
    assert.ok(start < end, JSON.stringify(range));
  }
});

test('a step back stands still, steps forward end at now', () => {
  const back = step({ from: 'now-1h', to: 'now' }, NOW, -1);
  assert.deepEqual(back, { from: NOW - 1.5 * HOUR, to: NOW - 0.5 * HOUR });
  assert.equal(moves(back), false);
  assert.deepEqual(step(back, NOW, 1), { from: 'now-1h', to: 'now' });
  const live = { from: 'now-1h', to: 'now' };
  assert.equal(step(live, NOW, 1), live);
});

test('steps give at most 240 points', () => {
  for (const span of [60_000, HOUR, 6 * HOUR, 24 * HOUR, 30 * 24 * HOUR, 800 * 24 * HOUR]) {
    assert.ok(span / 1000 / stepSeconds({ start: NOW - span, end: NOW }) <= 240, String(span));
  }
  assert.equal(stepSeconds({ start: NOW - HOUR, end: NOW }), 15);
});
