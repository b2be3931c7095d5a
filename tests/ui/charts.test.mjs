// What each chart draws is worked out right, whatever the data are like. Guards against lines across gaps, hues used
// twice, rows joined wrongly, sentences that say another thing than the picture.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { niceTicks, timeTicks, yRange } from '../../src/ui/charts/axis.js';
import { barModel, categoryModel, mergeColumns } from '../../src/ui/charts/bars.js';
import { heatModel, mergeCells, quantileScale, rampStep, rowLabels } from '../../src/ui/charts/buckets.js';
import { changeOf, durationMs } from '../../src/ui/charts/change.js';
import { assignColors, forgetColors, withAlpha } from '../../src/ui/charts/color.js';
import { headerRoom } from '../../src/ui/charts/headroom.js';
import { crossings, limitsOf, numberOf, toneOf } from '../../src/ui/charts/limits.js';
import { entriesOf, forecastOf, lineModel } from '../../src/ui/charts/lines.js';
import { sortRows, tableModel, timeRows, toCsv } from '../../src/ui/charts/rows.js';
import { align, loneIndexes, pickDrawn, stack, valueAt } from '../../src/ui/charts/series.js';
import { pieModel } from '../../src/ui/charts/slices.js';
import { plain, summarize } from '../../src/ui/charts/summary.js';
import { tierStretches } from '../../src/ui/charts/tier.js';
import { countStates, stateOf, tileModel } from '../../src/ui/charts/tiles.js';
import words from '../../src/ui/text/es-charts.js';

process.env.TZ = 'Europe/Madrid';
const S = (name, points, more = {}) => ({ name, query: 0, labels: { name }, tier: 'raw', points, ...more });
const one = (name, value, more) => S(name, [[1000, value]], more);
const RANGE = { start: 0, end: 10_000 };

beforeEach(() => forgetColors());

describe('axes', () => {
  test('grid lines are round, in the range, and at least three', () => {
    assert.deepEqual(niceTicks(0, 100, 4), [0, 25, 50, 75, 100]);
    assert.deepEqual(niceTicks(41.1, 61.6, 4), [45, 50, 55, 60]);
    assert.deepEqual(niceTicks(0, 0.3, 3), [0, 0.1, 0.2, 0.3]);
    for (const [low, high] of [[0, 33], [-58, 4], [1e-9, 3e-9], [0, 4e21], [-5, -1]]) {
      const ticks = niceTicks(low, high, 3);
      assert.ok(ticks.length >= 3 && ticks.length <= 7, `${low}..${high}: ${ticks}`);
      assert.ok(ticks.every((tick) => tick >= low && tick <= high));
    }
  });
  test('no range has no grid lines', () => {
    for (const [low, high] of [[1, 1], [2, 1], [NaN, 1], [0, Infinity]]) assert.deepEqual(niceTicks(low, high), []);
  });
  test('y begins at zero, keeps limits in sight and has a height for one constant value', () => {
    assert.deepEqual(yRange({ min: 40, max: 100 }), [0, 106]);
    assert.equal(yRange({ min: 0, max: 1, include: [2] })[1] > 2, true);
    assert.deepEqual(yRange({ min: 0, max: 0 }), [0, 1.06]);
    assert.ok(yRange({ min: NaN, max: NaN })[1] > 0);
    const [low, high] = yRange({ min: 20, max: 20, fromZero: false });
    assert.ok(low < 20 && high > 20);
    assert.ok(yRange({ min: -5, max: -1 })[0] < -5);
  });
  test('what the panel asks for wins, and an empty range of it does no harm', () => {
    assert.deepEqual(yRange({ min: 40, max: 60, fixed: { min: 0, max: 100 } }), [0, 100]);
    const [low, high] = yRange({ min: 1, max: 2, fixed: { min: 5, max: 5 } });
    assert.ok(high > low);
  });
  test('times are at round local moments with labels by span', () => {
    const start = Date.UTC(2026, 10, 25, 13, 2);
    assert.deepEqual(timeTicks(start, start + 3600_000, 4).map((tick) => tick.text), ['14:15', '14:30', '14:45', '15:00']);
    assert.deepEqual(timeTicks(start, start + 60_000, 4).map((tick) => tick.text)[0], '14:02:00');
    assert.ok(timeTicks(start, start + 30 * 86400_000, 5).every((tick) => /^\d+ \w+$/.test(tick.text)));
    assert.ok(timeTicks(start, start + 400 * 86400_000, 5).every((tick) => /^\w+ 20\d\d$/.test(tick.text)));
    assert.ok(timeTicks(start, start + 9000 * 86400_000, 5).length <= 5);
    assert.deepEqual(timeTicks(start, start, 5), []);
  });
  test('midnight names the day, also across a change of the clock', () => {
    const ticks = timeTicks(Date.UTC(2026, 9, 24, 12), Date.UTC(2026, 9, 26, 12), 5);
    assert.ok(ticks.length >= 2 && ticks.some((tick) => tick.text === '25 Oct'));
  });
});

describe('colours', () => {
  test('are taken from the front and never twice in a panel', () => {
    const list = Array.from({ length: 7 }, (_, index) => one(`n${index}`, 1));
    assert.deepEqual(assignColors(list, 'a'), ['s1', 's2', 's3', 's4', 's5', 's6', 's7']);
    assert.equal(new Set(assignColors([...list].reverse(), 'b')).size, 7);
  });
  test('stay with a label set across the panels of a dashboard, not of another', () => {
    assignColors([one('a', 1), one('b', 1), one('c', 1)], 'board');
    assert.deepEqual(assignColors([one('c', 9), one('a', 9), one('new', 9)], 'board'), ['s3', 's1', 's2']);
    assert.deepEqual(assignColors([one('c', 9)], 'other board'), ['s1']);
  });
  test('tell series with the same labels apart by their names', () => {
    assert.deepEqual(assignColors([one('1 m', 1, { labels: {} }), one('15 m', 1, { labels: {} })], 'x'), ['s1', 's2']);
  });
  test('the metric name does not change a colour', () => {
    assignColors([one('x', 1), one('y', 1, { labels: { __name__: 'a', dev: 'sda' } })], 'x');
    assert.deepEqual(assignColors([one('z', 1, { labels: { __name__: 'b', dev: 'sda' } })], 'x'), ['s2']);
  });
  test('opacity is set on hex colours alone', () => {
    assert.equal(withAlpha('#4a84df', 0.1), 'rgba(74,132,223,0.1)');
    assert.equal(withAlpha('#fff', 1), 'rgba(255,255,255,1)');
    assert.equal(withAlpha('rgb(1 2 3)', 0.5), 'rgb(1 2 3)');
  });
});

describe('lines', () => {
  test('a gap of more than two and a half steps breaks the line, a smaller one does not', () => {
    const { times, columns } = align([S('a', [[0, 1], [10, 2], [30, 3], [60, 4]])], 10);
    assert.deepEqual(times, [0, 10, 30, 40, 60]);
    assert.deepEqual(columns, [[1, 2, 3, null, 4]]);
  });
  test('series with other times are joined, and another one’s times do not break a line', () => {
    const { times, columns } = align([S('a', [[0, 1], [10, 2]]), S('b', [[5, 3]])], 10);
    assert.deepEqual(times, [0, 5, 10]);
    assert.deepEqual(columns, [[1, undefined, 2], [undefined, 3, undefined]]);
  });
  test('values that are no number break the line', () => {
    assert.deepEqual(align([S('a', [[0, 1], [10, 'NaN'], [20, '+Inf'], [30, null], [40, 5]])], 10).columns[0], [1, null, null, null, 5]);
  });
  test('a time that comes twice counts once', () => {
    assert.deepEqual(align([S('a', [[0, 1], [10, 2], [10, 3], [20, 4]])], 10).times, [0, 10, 20]);
  });
  test('empty series and single points do no harm', () => {
    assert.deepEqual(align([], 10), { times: [], columns: [] });
    assert.deepEqual(align([S('a', []), S('b', [[5, 1]])], 0), { times: [5], columns: [[undefined], [1]] });
    for (const data of [null, {}, { series: null }, { series: [null] }, { series: [{}] }, { series: [S('a', [])] }]) {
      const model = lineModel({ panel: {}, data, range: RANGE });
      assert.ok(model.y[1] > model.y[0]);
    }
  });
  test('points that stand alone are found', () => {
    assert.deepEqual(loneIndexes([1, null, 2, null, 3, 4]), [0, 2]);
    assert.deepEqual(loneIndexes([null, undefined, 5, undefined]), [2]);
    assert.deepEqual(loneIndexes([1, undefined, 2]), []);
  });
  test('stacks add up and what is missing adds nothing', () => {
    assert.deepEqual(stack([[1, 2, null], [10, undefined, 30], [100, 200, 300]]), [[1, 2, null], [11, undefined, 30], [111, 202, 330]]);
    assert.deepEqual(stack([]), []);
  });
  test('more than eight series are the seven greatest and the others', () => {
    const list = Array.from({ length: 12 }, (_, index) => S(`n${index}`, [[0, index], [10, index]]));
    const { entries } = entriesOf({ panel: {}, data: { series: list, step: 10 } });
    assert.deepEqual(entries.map((entry) => entry.name), ['n5', 'n6', 'n7', 'n8', 'n9', 'n10', 'n11', '']);
    assert.equal(entries[7].others, 5);
    assert.equal(entries[7].color, 's8');
    assert.deepEqual(entries[7].series.points, [[0, 10], [10, 10]]);
  });
  test('others of a share are their mean, not a sum of more than all', () => {
    const list = Array.from({ length: 10 }, (_, index) => one(`n${index}`, 50));
    assert.equal(pickDrawn(list, { unit: 'percent' }).others.series.points[0][1], 50);
    assert.equal(pickDrawn(list, { unit: 'bytes' }).others.series.points[0][1], 150);
  });
  test('lines that run through a box are counted, also between their points', () => {
    const view = { X: (ms) => ms, Y: (value) => 100 - value };
    const box = { left: 10, right: 40, top: 20, bottom: 30 };
    assert.equal(crossings([[0, 50], [75, 75]], view, box), 1);
    assert.equal(crossings([[0, 50], [10, 10], [null, 75]], view, box), 0);
    assert.equal(crossings([[20, 30], [60, 90]], view, box), 1);
    assert.equal(crossings([[60, 70], [75, 75]], view, box), 0);
  });
  test('very many others are their mean: their sum would flatten the rest', () => {
    const list = Array.from({ length: 1000 }, (_, index) => one(`n${index}`, 50));
    assert.equal(pickDrawn(list, { unit: 'count' }).others.series.points[0][1], 50);
    assert.equal(pickDrawn(list, { unit: 'count', stacked: true }).others.series.points[0][1], 50 * 993);
  });
  test('a series that was drawn stays until another is clearly greater', () => {
    const list = (value) => Array.from({ length: 9 }, (_, index) => one(`n${index}`, index === 8 ? value : 10 + index));
    const { drawn } = pickDrawn(list(0), {});
    assert.ok(!drawn.some((series) => series.name === 'n8'));
    assert.ok(!pickDrawn(list(12.5), { before: drawn }).drawn.some((series) => series.name === 'n8'));
    assert.ok(pickDrawn(list(40), { before: drawn }).drawn.some((series) => series.name === 'n8'));
  });
  test('one series has the accent, colours of the panel win, stale data are grey', () => {
    const data = { series: [one('a', 1)] };
    assert.equal(entriesOf({ panel: {}, data }).entries[0].color, 'accent');
    assert.equal(entriesOf({ panel: { options: { colors: { a: 'crit' } } }, data }).entries[0].color, 'crit');
    assert.equal(entriesOf({ panel: { options: { colors: { a: 'url(x)' } } }, data }).entries[0].color, 'accent');
    assert.equal(entriesOf({ panel: {}, data, stale: true }).entries[0].color, 's8');
  });
  test('the value at a moment is the nearest that is not too old', () => {
    const series = S('a', [[0, 1], [10, 2], [20, 3]]);
    assert.equal(valueAt(series, 12, 10), 2);
    assert.equal(valueAt(series, 16, 10), 3);
    assert.equal(valueAt(series, 40, 10), 3);
    assert.ok(Number.isNaN(valueAt(series, 60, 10)));
    assert.ok(Number.isNaN(valueAt(series, -20, 10)));
    assert.ok(Number.isNaN(valueAt(S('b', []), 5, 10)));
  });
  test('ten thousand points are aligned in a few milliseconds', () => {
    const points = Array.from({ length: 10_000 }, (_, index) => [index * 1000, Math.sin(index)]);
    assert.equal(lineModel({ panel: {}, data: { series: [S('a', points), S('b', points)] }, range: RANGE }).times.length, 10_000);
  });
  test('a forecast widens the picture; one that is broken is left out', () => {
    const forecast = { points: [[11_000, 5], [20_000, 6]], intervals: [[11_000, 4, 6], [20_000, 3, 9]] };
    const model = lineModel({ panel: {}, data: { series: [S('a', [[0, 1], [10_000, 4]])], forecast }, range: RANGE });
    assert.equal(model.x[1], 20_000);
    assert.deepEqual(model.forecast.high, [6, 9]);
    assert.equal(forecastOf({ forecast: { points: [[1, 'NaN'], [2, null]] } }), null);
  });
});

describe('names', () => {
  const entries = (...names) => names.map((name) => ({ name }));
  test('stand in the header with values, without, or above the picture, by what fits', () => {
    assert.equal(headerRoom({ w: 7, title: 'Response time' }, entries('p50', 'p95', 'p99')), 'values');
    assert.equal(headerRoom({ w: 4, title: 'CPU' }, entries('user', 'system', 'wait')), 'names');
    assert.equal(headerRoom({ w: 3, title: 'Pressure' }, entries('CPU', 'memory', 'disk')), 'none');
    assert.equal(headerRoom({ w: 6, title: 'Twelve' }, entries(...Array.from({ length: 8 }, (_, index) => `shard ${index}`))), 'none');
    assert.equal(headerRoom({}, []), 'values');
  });
});

describe('tiers', () => {
  test('stretches are cut to the range and in order', () => {
    const tiers = [{ start: 5000, end: 20_000, tier: 'raw' }, { start: -5, end: 5000, tier: 'summary' }, { start: 1, end: 2, tier: '?' }];
    assert.deepEqual(tierStretches({ tiers }, RANGE), [{ start: 0, end: 5000, tier: 'summary' }, { start: 5000, end: 10_000, tier: 'raw' }]);
  });
  test('one tier of all series covers their points; raw alone and unknown ones are not told', () => {
    const points = [[1000, 1], [9000, 2]];
    assert.deepEqual(tierStretches({ series: [S('a', points, { tier: 'aggregated' })] }, RANGE), [{ start: 1000, end: 9000, tier: 'aggregated' }]);
    assert.deepEqual(tierStretches({ series: [S('a', points)] }, RANGE), []);
    assert.deepEqual(tierStretches({ series: [S('a', points, { tier: 'mixed' })] }, RANGE), []);
    assert.deepEqual(tierStretches({ series: [S('a', points), S('b', points, { tier: 'summary' })] }, RANGE), []);
  });
});

describe('limits', () => {
  test('the worst tone that is reached, from above where more is better', () => {
    const options = { thresholds: [{ value: 80, tone: 'warn' }, { value: 90, tone: 'crit' }] };
    assert.deepEqual([79, 80, 95, NaN].map((value) => toneOf(value, options)), ['', 'warn', 'crit', '']);
    assert.equal(toneOf(0.5, { better: 'up', thresholds: [{ value: 0.8, tone: 'warn' }] }), 'warn');
  });
  test('broken limits are left out', () => {
    assert.deepEqual(limitsOf({ thresholds: [null, {}, { value: 'x' }, { value: '5', tone: 'pink', label: 3 }] }), [{ value: 5, tone: 'warn', label: '' }]);
    assert.deepEqual(limitsOf(undefined), []);
    assert.equal(numberOf(null), undefined);
    assert.equal(numberOf(0), 0);
  });
});

describe('bars', () => {
  test('too many bars are joined and keep their peaks', () => {
    assert.deepEqual(mergeColumns([1, 2, 3, 4], [[1, 9, null, 2], [null, null, null, null]], 2), { times: [2, 4], columns: [[9, 2], [null, null]] });
    const points = Array.from({ length: 10_000 }, (_, index) => [index, index === 5000 ? 100 : 1]);
    const model = barModel({ panel: {}, data: { series: [S('a', points)] }, range: RANGE }, 600);
    assert.ok(model.times.length <= 201);
    assert.equal(Math.max(...model.shown[0]), 100);
  });
  test('categories are the newest values and the greatest is marked', () => {
    const { bars, y } = categoryModel({ panel: {}, data: { series: [one('a', 3), one('b', 7), one('c', 'NaN')] } });
    assert.deepEqual(bars, [{ name: 'a', value: 3, best: false }, { name: 'b', value: 7, best: true }]);
    assert.equal(y[0], 0);
  });
});

describe('pie', () => {
  test('five slices, the others, and the rest last', () => {
    const list = [1, 2, 3, 4, 5, 6, 7].map((value) => one(`n${value}`, value)).concat(one('free', 50), one('odd', 'NaN'), one('minus', -5));
    const { slices, sum, used } = pieModel({ panel: { options: { rest: 'free' } }, data: { series: list } });
    assert.deepEqual(slices.map((slice) => slice.name), ['n7', 'n6', 'n5', 'n4', 'n3', '', 'free']);
    assert.deepEqual(slices.slice(-2).map((slice) => [slice.value, slice.color, slice.others]), [[3, 's8', 2], [50, 'line-2', 0]]);
    assert.equal(sum, 78);
    assert.ok(Math.abs(used - 28 / 78) < 1e-12);
    assert.ok(Math.abs(slices.reduce((total, slice) => total + slice.share, 0) - 1) < 1e-12);
  });
  test('nothing to share is an empty ring', () => {
    assert.deepEqual(pieModel({ panel: {}, data: { series: [one('a', 0)] } }), { slices: [], sum: 0, used: 0 });
  });
  test('parts of several queries stay in the order of their author', () => {
    const list = [one('small', 1, { query: 0 }), one('large', 9, { query: 1 })];
    assert.deepEqual(pieModel({ panel: {}, data: { series: list } }).slices.map((slice) => slice.name), ['small', 'large']);
  });
});

describe('status grid', () => {
  test('the first state whose max reaches the value; 1 is well without a list; no value is no data', () => {
    const states = [{ max: 0, state: 'crit' }, { max: 1, state: 'warn' }, { state: 'ok' }];
    assert.deepEqual([-1, 0, 1, 2, NaN].map((value) => stateOf(value, states)), ['crit', 'crit', 'warn', 'ok', 'none']);
    assert.deepEqual([0, 1, NaN].map((value) => stateOf(value)), ['crit', 'ok', 'none']);
    assert.equal(stateOf(5, [{ max: 1, state: 'ok' }]), 'none');
    assert.equal(stateOf(5, [{ state: 'purple' }]), 'none');
  });
  test('tiles are counted by state', () => {
    const tiles = tileModel({ panel: {}, data: { series: [one('a', 1), one('b', 0), S('c', [])] } });
    assert.deepEqual(countStates(tiles), { ok: 1, warn: 0, crit: 1, none: 1 });
  });
});

describe('big number', () => {
  const series = S('a', [[0, 100], [3600_000, 110]]);
  test('changes against what was so long ago, and says whether that is good', () => {
    assert.deepEqual(changeOf(series, { step: 60_000 }, { compare: '1h', better: 'up' }), { old: 100, difference: 10, relative: 0.1, good: true });
    assert.equal(changeOf(series, {}, { compare: '1h', better: 'down' }).good, false);
    assert.equal(changeOf(series, {}, { compare: '1h' }).good, null);
  });
  test('says nothing where the points do not reach back, or the value is none', () => {
    assert.equal(changeOf(series, { step: 60_000 }, { compare: '1d' }), null);
    assert.equal(changeOf(series, {}, {}), null);
    assert.equal(changeOf(S('b', [[0, 1], [3600_000, 'NaN']]), {}, { compare: '1h' }), null);
    assert.ok(Number.isNaN(changeOf(S('c', [[0, 0], [3600_000, 5]]), {}, { compare: '1h' }).relative));
  });
  test('durations are read as in queries', () => {
    assert.equal(durationMs('1h30m'), 5_400_000);
    for (const bad of ['', 'soon', '5', '-1h', null]) assert.ok(Number.isNaN(durationMs(bad)));
  });
});

describe('heatmap', () => {
  const bucket = (le, ...values) => S('h', values.map((value, index) => [index * 1000, value]), { labels: { le } });
  test('cumulative buckets become counts, the lowest first, and empty ends are cut', () => {
    const model = heatModel({ series: [bucket('+Inf', 9, 9), bucket('0.1', 2, 0), bucket('1', 9, 9), bucket('0.01', 0, 0), bucket('0.001', 0, 0)], step: 1000 });
    assert.deepEqual(model.rows.map((row) => [row.edge, ...row.values]), [[0.01, 0, 0], [0.1, 2, 0], [1, 7, 9], [Infinity, 0, 0]]);
  });
  test('a bucket that falls below the one under it counts as empty', () => {
    const model = heatModel({ series: [bucket('1', 5, 5), bucket('2', 4, 6)], step: 1000 });
    assert.deepEqual(model.rows.map((row) => [...row.values]), [[5, 5], [0, 1]]);
  });
  test('any series are rows, the first on top', () => {
    assert.deepEqual(heatModel({ series: [S('mon', [[0, 1]]), S('tue', [[0, 2]])] }).rows.map((row) => row.name), ['tue', 'mon']);
    assert.deepEqual(heatModel({ series: [] }).rows, []);
  });
  test('colours stand at quantiles and zero has its own', () => {
    const limits = quantileScale([{ values: [0, 1, 2, 3, 4, 1000] }]);
    assert.deepEqual(limits, [1, 2, 3, 4, 1000]);
    assert.deepEqual([0, 1, 2, 3, 4, 5, 1000, 2000].map((value) => rampStep(value, limits)), [0, 1, 2, 3, 4, 5, 5, 5]);
    assert.equal(rampStep(7, quantileScale([{ values: [7, 7] }])), 3);
    assert.deepEqual(quantileScale([{ values: [0, null, undefined, NaN] }]), []);
    assert.equal(rampStep(1, []), 0);
  });
  test('columns are joined where they are too many: counts add up', () => {
    const model = mergeCells(heatModel({ series: [bucket('1', 1, 2, 3, 4, 5)], step: 1000 }), 2);
    assert.ok(model.times.length <= 4);
    assert.equal([...model.rows[0].values].reduce((a, b) => a + b, 0), 15);
  });
  test('rows have labels as far as there is room', () => {
    const model = heatModel({ series: [bucket('0.001', 1), bucket('0.01', 2), bucket('0.1', 3), bucket('+Inf', 4)], step: 1000 });
    assert.deepEqual(rowLabels(model, 200, 'seconds').map((label) => label.text), ['1 ms', '10 ms', '100 ms', '∞']);
    assert.ok(rowLabels(model, 60, 'seconds').length <= 2);
  });
});

describe('tables', () => {
  const cell = (query, labels, value) => S('x', [[0, 1], [1000, value]], { query, labels });
  const data = { series: [cell(0, { route: '/a' }, 5), cell(0, { route: '/b' }, 9), cell(1, { route: '/b' }, 0.9), cell(1, { route: '/c' }, 'NaN')] };
  const panel = { type: 'table', queries: [{ legend: 'req/s' }, { legend: 'errors' }], options: { row_title: 'Route', sort: 0, spark: 0, columns: [{}, { unit: 'ratio', thresholds: [{ value: 0.5, tone: 'crit' }] }] } };
  test('series with the same labels are one row, a query a column', () => {
    const model = tableModel(panel, data);
    assert.equal(model.title, 'Route');
    assert.deepEqual(model.columns.map((column) => column.head), ['req/s', 'errors']);
    assert.deepEqual(model.rows.map((row) => [row.name, ...row.values]), [['/b', 9, 0.9], ['/a', 5, NaN], ['/c', NaN, NaN]]);
    assert.deepEqual(model.rows[0].tones, ['', 'crit']);
    assert.deepEqual(model.rows[0].points, [[0, 1], [1000, 9]]);
  });
  test('rows sort by any column both ways, with what has no value last', () => {
    const { rows } = tableModel(panel, data);
    assert.deepEqual(sortRows(rows, 0, 'ascending').map((row) => row.name), ['/a', '/b', '/c']);
    assert.deepEqual(sortRows(rows, -1, 'descending').map((row) => row.name), ['/c', '/b', '/a']);
  });
  test('rows are named by the labels that tell them apart', () => {
    const rows = tableModel({}, { series: [one('x', 1, { labels: { job: 'n', cpu: '2' } }), one('y', 1, { labels: { job: 'n', cpu: '10' } })] }).rows;
    assert.deepEqual(rows.map((row) => row.name), ['2', '10']);
    assert.deepEqual(sortRows(rows, -1, 'ascending').map((row) => row.name), ['2', '10']);
    assert.equal(tableModel({}, { series: [one('whole', 1, { labels: {} })] }).rows[0].name, 'whole');
  });
  test('a limit keeps the first rows and says how many are gone', () => {
    const model = tableModel({ ...panel, options: { ...panel.options, limit: 1 } }, data);
    assert.deepEqual([model.rows.length, model.rows[0].name, model.cut], [1, '/b', 2]);
  });
  test('options that make no sense are passed over', () => {
    const model = tableModel({ options: { sort: 99, spark: -3, limit: 'x', row: 7, columns: 'no' } }, data);
    assert.equal(model.rows.length, 3);
    assert.equal(model.spark, -1);
    assert.deepEqual(tableModel(null, null).rows, []);
  });
  test('any panel over time is rows, the newest first', () => {
    const { names, rows, cut } = timeRows({ series: [S('a', [[0, 1], [10, 2]]), S('b', [[10, 3]])], step: 10 }, 1);
    assert.deepEqual([names, rows, cut], [['a', 'b'], [{ t: 10, values: [2, 3] }], 1]);
  });
});

describe('csv', () => {
  test('a line for each time, a column for each series', () => {
    const text = toCsv({ type: 'line' }, { series: [S('a', [[0, 1], [1000, 'NaN']]), S('b, "x"', [[1000, '+Inf'], [2000, -2]])] });
    assert.equal(text, 'time,a,"b, ""x"""\r\n1970-01-01T00:00:00.000Z,1,\r\n1970-01-01T00:00:01.000Z,,+Inf\r\n1970-01-01T00:00:02.000Z,,-2\r\n');
  });
  test('newest values have a line for each series with its labels', () => {
    assert.equal(toCsv({ type: 'pie' }, { series: [one('a', 1)] }), 'name,name,time,value\r\na,a,1970-01-01T00:00:01.000Z,1\r\n');
  });
  test('a name that a spreadsheet would run is only text', () => {
    assert.match(toCsv({}, { series: [one('=HYPERLINK("x")', 1)] }), /"'=HYPERLINK\(""x""\)"/);
    assert.match(toCsv({}, { series: [one('@cmd', -1)] }), /'@cmd,'@cmd,[^,]+,-1/);
  });
  test('a table is written as it stands', () => {
    const panel = { type: 'table', queries: [{ legend: 'now' }], options: { row_title: 'Goal' } };
    assert.equal(toCsv(panel, { series: [one('x', 4, { labels: { goal: 'g' } })] }), 'Goal,now\r\ng,4\r\n');
  });
});

describe('sentences', () => {
  const say = (panel, data, range = { start: 0, end: 3600_000 }) => summarize({ panel: { title: 'T', ...panel }, data, range });
  test('lines: from where to where, and now', () => {
    const data = { series: [S('p99', [[0, 0.148], [10, 0.318], [20, 0.214]])] };
    assert.equal(say({ type: 'line', unit: 'seconds' }, data), 'T, last 1 h: from 148 ms to 318 ms, now 214 ms');
  });
  test('several lines are named and many are counted', () => {
    const text = say({ type: 'line' }, { series: Array.from({ length: 6 }, (_, index) => one(`n${index}`, index)) });
    assert.match(text, /^T, last 1 h: n0 constant at 0; n1 constant at 1; .*; and 2 more$/);
  });
  test('each type says what it shows', () => {
    assert.equal(say({ type: 'gauge', unit: 'percent', options: { target: 3.5 } }, { series: [one('a', 3.1)] }), 'T: 3.1%, target 3.5%');
    assert.equal(say({ type: 'pie' }, { series: [one('a', 3), one('b', 1)] }), 'T: a 3 (75%), b 1 (25%); 4 in total');
    assert.equal(say({ type: 'status_grid' }, { series: [one('a', 1), one('b', 0)] }), 'T: 1 down (b), 1 healthy');
    assert.equal(say({ type: 'big_number', options: { compare: '1h' } }, { series: [S('a', [[0, 4], [3600_000, 5]])] }), 'T: 5, up from 4');
    assert.equal(say({ type: 'bar', options: { by: 'category' } }, { series: [one('a', 3)] }), 'T: a 3');
    assert.equal(say({ type: 'line' }, { series: [] }), 'T: no data');
    assert.equal(say({ type: 'line' }, { series: [one('a', 'NaN')] }), 'T, last 1 h: without values');
    for (const type of ['line', 'bar', 'gauge', 'pie', 'table', 'big_number', 'status_grid', 'heatmap', 'unknown']) {
      assert.doesNotMatch(say({ type }, { series: [S('a', []), one('b', '+Inf')] }), /undefined|NaN|\{/);
    }
  });
  test('they are said in the reader’s language, and no word is missing', () => {
    const asked = new Set();
    const t = (text, values) => {
      asked.add(text);
      return plain(words[text] ?? text, values);
    };
    const types = ['line', 'bar', 'gauge', 'pie', 'table', 'big_number', 'status_grid', 'heatmap'];
    const data = { series: [S('a', [[0, 1], [3600_000, 2]]), one('b', 0), one('c', 'NaN')] };
    for (const type of types) summarize({ panel: { title: 'T', type, options: { target: 1, compare: '1h' } }, data, range: RANGE, t });
    assert.deepEqual([...asked].filter((text) => !(text in words)), []);
    assert.match(summarize({ panel: { title: 'T', type: 'status_grid' }, data, range: RANGE, t }), /1 caídos/);
  });
});
