// A series and where it goes on as points of a picture, and a trend in words. Pure.
import { number } from './series.js';

/** The share of outcomes that the drawn band should hold. */
const LEVEL = 0.8;

/** The answer's forecast as `[{t, v, lo, hi}]`; empty where there is none. */
export function ahead(forecast) {
  if (!forecast?.points?.length) return [];
  const bands = forecast.intervals ?? [];
  const band = bands.find(({ level }) => Math.abs(level - LEVEL) < 1e-9) ?? bands[0];
  const of = new Map((band?.points ?? []).map(([time, lo, hi]) => [time, [lo, hi]]));
  return forecast.points.map(([time, v]) => {
    const [lo, hi] = of.get(time) ?? [v, v];
    return { t: time, v: number(v), lo: number(lo), hi: number(hi) };
  }).filter(({ v, lo, hi }) => [v, lo, hi].every(Number.isFinite));
}

/** A forecast held to what its unit can be: a share between 0 and 100, all that is counted above 0. @param {{lo?: number, hi?: number}} can */
export function within(points, { lo = -Infinity, hi = Infinity }) {
  const held = (v) => Math.min(Math.max(v, lo), hi);
  return points.map((one) => ({ ...one, v: held(one.v), lo: held(one.lo), hi: held(one.hi) }));
}

/** `[lo, hi]` of a slope interval; null where a side is not known. */
export function bounds(interval) {
  const pair = (interval ?? []).map(number);
  return pair.length === 2 && pair.every(Number.isFinite) ? pair : null;
}

/** Seconds for which a slope is told so that its number is easy to read: a second, minute, hour, day or week. */
export function perWhat(spanMs) {
  const hours = spanMs / 3_600_000;
  if (hours <= 0.5) return [60, 'a minute'];
  return hours <= 48 ? [3600, 'an hour'] : [86_400, 'a day'];
}

/** When the forecast's middle passes a limit; null where it does not, or is past it already. @param {{t: number, v: number}[]} points */
export function reaches(points, limit, now) {
  return now >= limit ? null : points.find(({ v }) => v >= limit)?.t ?? null;
}
