// What charts ask of series: newest values, reach, alignment on one time axis, stacks, the few that are drawn. Pure.

import { parseValue } from '../format.js';

/** A gap of more than this many steps breaks a line. */
const GAP_STEPS = 2.5;
/** So many series have a colour of their own; the rest is one grey line. */
const MOST_DRAWN = 8;

/** Keys of label sets that were asked for before; they are asked for on each update. */
const keys = new WeakMap();

/** Labels as one text in a fixed order, without the metric's name. */
export function labelKey(labels) {
  if (!labels) return '';
  let key = keys.get(labels);
  if (key === undefined) {
    key = Object.keys(labels).filter((name) => name !== '__name__').sort().map((name) => `${name}=${labels[name]}`).join('\n');
    keys.set(labels, key);
  }
  return key;
}

/** The series of a panel's data; never null. */
export function seriesOf(data) {
  return Array.isArray(data?.series) ? data.series.filter(Boolean) : [];
}

/** The points of a series; never null. */
export function pointsOf(series) {
  return Array.isArray(series?.points) ? series.points : [];
}

/** The newest point as `{t, v}`; `v` is NaN where there is none. */
export function lastOf(series) {
  const point = pointsOf(series).at(-1);
  return point ? { t: point[0], v: parseValue(point[1]) } : { t: NaN, v: NaN };
}

/** The value at a moment: of the newest point not after it (by more than half a step), no older than the gap that breaks a line. */
export function valueAt(series, ms, step) {
  const points = pointsOf(series);
  const width = step || stepOf(points);
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= ms + width / 2) low = middle + 1;
    else high = middle;
  }
  const point = points[low - 1];
  return point && ms - point[0] <= width * GAP_STEPS ? parseValue(point[1]) : NaN;
}

/** The usual distance between points in ms: the median of the first ones; 0 for less than two. */
export function stepOf(points) {
  const distances = [];
  for (let index = 1; index < points.length && distances.length < 64; index += 1) distances.push(points[index][0] - points[index - 1][0]);
  if (!distances.length) return 0;
  return distances.sort((a, b) => a - b)[distances.length >> 1];
}

/** Step of a panel's data in ms: as told, else as seen. */
export function dataStep(data) {
  if (data?.step > 0) return data.step;
  let least = Infinity;
  for (const series of seriesOf(data)) {
    const step = stepOf(pointsOf(series));
    if (step > 0) least = Math.min(least, step);
  }
  return Number.isFinite(least) ? least : 0;
}

/** Least and greatest finite value of columns; NaN where there is none. */
export function reach(columns) {
  let min = Infinity;
  let max = -Infinity;
  for (const column of columns) {
    for (let index = 0; index < column.length; index += 1) {
      const value = column[index];
      if (value == null || !Number.isFinite(value)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return min <= max ? { min, max } : { min: NaN, max: NaN };
}

function sameTimes(a, b) {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index][0] !== b[index][0]) return false;
  return true;
}

/** Whether points follow each other without a gap, in order and each time once. */
function unbroken(points, step) {
  const most = step > 0 ? step * GAP_STEPS : Infinity;
  for (let index = 1; index < points.length; index += 1) {
    const distance = points[index][0] - points[index - 1][0];
    if (!(distance > 0) || distance > most) return false;
  }
  return true;
}

/** Times of all series in order, each once, with one more inside each gap, where the line breaks. */
function mergedTimes(lists, step) {
  const times = [];
  for (const points of lists) {
    let before = NaN;
    for (const [t] of points) {
      if (step > 0 && t - before > step * GAP_STEPS) times.push(before + step);
      times.push(t);
      before = t;
    }
  }
  const sorted = Float64Array.from(times).sort();
  return Array.from(sorted.filter((t, index) => index === 0 || t !== sorted[index - 1]));
}

/** A value of a column: a finite number, or null. */
function drawable(raw) {
  const value = typeof raw === 'number' ? raw : parseValue(raw);
  return Number.isFinite(value) ? value : null;
}

/**
 * Series on one time axis: `{times, columns}`. In a column `null` breaks the line and `undefined` means that this
 * series has nothing at a time that another one has. Non-finite values break the line. Nearly always all series have
 * the same times; that way is the short one.
 */
export function align(list, step) {
  const lists = list.map(pointsOf);
  const first = lists[0] ?? [];
  if (unbroken(first, step) && lists.every((points) => points === first || sameTimes(points, first))) {
    return { times: first.map((point) => point[0]), columns: lists.map((points) => points.map((point) => drawable(point[1]))) };
  }
  const times = mergedTimes(lists, step);
  return { times, columns: lists.map((points) => spread(points, times, step)) };
}

/** One series over the times of all. */
function spread(points, times, step) {
  const column = new Array(times.length);
  let next = 0;
  let before = NaN;
  for (let index = 0; index < times.length; index += 1) {
    const point = points[next];
    if (point && point[0] === times[index]) {
      column[index] = drawable(point[1]);
      before = point[0];
      while (next < points.length && points[next][0] <= before) next += 1;
    } else {
      column[index] = point && step > 0 && point[0] - before > step * GAP_STEPS ? null : undefined;
    }
  }
  return column;
}

/** Columns added up from the first on; where one has nothing it adds nothing and has no line of its own. */
export function stack(columns) {
  const sums = new Float64Array(columns[0]?.length ?? 0);
  return columns.map((column) => column.map((value, index) => {
    if (value == null) return value;
    sums[index] += value;
    return sums[index];
  }));
}

/** Where a point stands alone between gaps, so that no line shows it. */
export function loneIndexes(column) {
  const lone = [];
  let before = null;
  for (let index = 0; index < column.length; index += 1) {
    const value = column[index];
    if (value === undefined) continue;
    if (value !== null && before === null) {
      let after = index + 1;
      while (after < column.length && column[after] === undefined) after += 1;
      if (after >= column.length || column[after] === null) lone.push(index);
    }
    before = value;
  }
  return lone;
}

/** The sum of more than these would make all that is drawn beside it look like nothing. */
const MOST_SUMMED = 16;
const SHARES = new Set(['percent', 'ratio', 'celsius', 'seconds']);

/**
 * The series that are drawn: all up to eight, else the seven greatest by newest value and the others as one.
 * `before` (the list of the last call) holds its members until another is clearly greater, so that lines do not come and go.
 * Answers `{drawn, others}`; `others` is null or `{series, count, mean}`.
 */
export function pickDrawn(list, { unit, step, stacked = false, before = null } = {}) {
  if (list.length <= MOST_DRAWN) return { drawn: list, others: null };
  const held = new Set((before ?? []).map((series) => `${series.name}\n${labelKey(series.labels)}`));
  const rank = (series) => {
    const value = Math.abs(lastOf(series).v);
    return (Number.isFinite(value) ? value : -1) * (held.has(`${series.name}\n${labelKey(series.labels)}`) ? 1.3 : 1);
  };
  const order = list.map((series, index) => ({ index, rank: rank(series) })).sort((a, b) => b.rank - a.rank || a.index - b.index);
  const chosen = new Set(order.slice(0, MOST_DRAWN - 1).map(({ index }) => index));
  const rest = list.filter((_, index) => !chosen.has(index));
  const mean = !stacked && (SHARES.has(unit) || rest.length > MOST_SUMMED);
  return { drawn: list.filter((_, index) => chosen.has(index)), others: { series: joinSeries(rest, step, mean), count: rest.length, mean } };
}

/** Many series as one: their sum or mean at each time. */
function joinSeries(list, step, mean) {
  const { times, columns } = align(list, step);
  const points = [];
  for (let index = 0; index < times.length; index += 1) {
    let sum = 0;
    let count = 0;
    for (const column of columns) {
      if (column[index] == null) continue;
      sum += column[index];
      count += 1;
    }
    if (count) points.push([times[index], mean ? sum / count : sum]);
  }
  return { name: '', labels: {}, points };
}

/** The series for a picture of newest values: each with its name and value, in order. */
export function newest(data) {
  return seriesOf(data).map((series) => ({ name: series.name ?? '', labels: series.labels ?? {}, query: series.query ?? 0, ...lastOf(series) }));
}
