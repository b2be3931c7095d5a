// Which retention tier each stretch of a picture was read from: the thin line under the time axis. Pure.

import { pointsOf, seriesOf } from './series.js';

/** Strength of the line: the finer the tier, the fuller. */
export const TIER_ALPHA = { raw: 1, aggregated: 0.6, summary: 0.28 };

/**
 * Stretches `[{start, end, tier}]` in ms, in order, cut to `range`. As told in `data.tiers` (`[{start, end, tier}]`),
 * else from the one tier that all series name; empty where that is not known, and where all is raw: then there is nothing to tell.
 */
export function tierStretches(data, range) {
  const told = Array.isArray(data?.tiers) ? data.tiers : wholeStretch(data);
  const parts = told
    .filter((part) => part && Object.hasOwn(TIER_ALPHA, part.tier))
    .map((part) => ({ start: Math.max(part.start, range.start), end: Math.min(part.end, range.end), tier: part.tier }))
    .filter((part) => part.end > part.start)
    .sort((a, b) => a.start - b.start);
  return parts.every((part) => part.tier === 'raw') ? [] : parts;
}

function wholeStretch(data) {
  const list = seriesOf(data).filter((series) => pointsOf(series).length > 1);
  if (!list.length || list.some((series) => series.tier !== list[0].tier)) return [];
  let start = Infinity;
  let end = -Infinity;
  for (const series of list) {
    start = Math.min(start, series.points[0][0]);
    end = Math.max(end, series.points.at(-1)[0]);
  }
  return [{ start, end, tier: list[0].tier }];
}
