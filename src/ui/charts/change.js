// How a figure changed: against how long ago, by how much, and whether that is good. Pure.

import { parseValue } from '../format.js';
import { dataStep, lastOf, pointsOf } from './series.js';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };

/** A duration such as `1h30m` in ms; NaN where it is none. */
export function durationMs(text) {
  if (typeof text !== 'string' || !/^(\d+(ms|[smhdwy]))+$/.test(text)) return NaN;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) total += Number(count) * UNITS[unit];
  return total;
}

/**
 * The change of a series against its value `compare` ago: `{old, difference, relative, good}`. `relative` is a share of
 * the old value, NaN where that is zero; `good` is true, false or null (not said, or no change). Null where the points
 * do not reach back so far.
 */
export function changeOf(series, data, options) {
  const ago = durationMs(options?.compare);
  const now = lastOf(series);
  if (Number.isNaN(ago) || !Number.isFinite(now.v)) return null;
  const then = nearest(pointsOf(series), now.t - ago);
  const slack = Math.max(dataStep(data) * 2, ago * 0.02);
  if (!then || Math.abs(then[0] - (now.t - ago)) > slack) return null;
  const old = parseValue(then[1]);
  if (!Number.isFinite(old)) return null;
  const difference = now.v - old;
  const good = difference === 0 || !options.better ? null : difference > 0 === (options.better === 'up');
  return { old, difference, relative: old === 0 ? NaN : difference / Math.abs(old), good };
}

function nearest(points, ms) {
  let found = null;
  for (const point of points) {
    if (!found || Math.abs(point[0] - ms) < Math.abs(found[0] - ms)) found = point;
  }
  return found;
}
