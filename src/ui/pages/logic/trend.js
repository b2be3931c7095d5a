// A series and where it goes on as points of a picture, and a trend in words. Pure.
import { number } from './series.js';

/** The answer's forecast as `[{t, v, lo, hi}]`, whichever way its intervals are written; empty where there is none. */
export function ahead(forecast) {
  if (!forecast?.points?.length) return [];
  return forecast.points.map((point, i) => {
    const [time, v] = Array.isArray(point) ? point : [point.t, point.value];
    const range = forecast.intervals?.[i];
    const [lo, hi] = !range ? [v, v] : Array.isArray(range) ? range.slice(-2) : [range.lower ?? range.lo, range.upper ?? range.hi];
    return { t: time, v: number(v), lo: number(lo), hi: number(hi) };
  }).filter(({ v, lo, hi }) => [v, lo, hi].every(Number.isFinite));
}

/** `[lo, hi]` of a slope interval written as a list or with names; null for none. */
export function bounds(interval) {
  if (!interval) return null;
  const pair = Array.isArray(interval) ? interval : [interval.lower ?? interval.lo ?? interval.low, interval.upper ?? interval.hi ?? interval.high];
  return pair.map(number).every(Number.isFinite) ? pair.map(number) : null;
}

/** Seconds for which a slope is told so that its number is easy to read: a second, minute, hour, day or week. */
export function perWhat(spanMs) {
  const hours = spanMs / 3_600_000;
  if (hours <= 0.5) return [60, 'minute'];
  return hours <= 48 ? [3600, 'hour'] : [86_400, 'day'];
}

/** When the forecast passes a limit, by its middle; null where it does not. @param {{t: number, v: number}[]} points */
export function reaches(points, limit, now) {
  const side = now <= limit;
  return points.find(({ v }) => (side ? v >= limit : v <= limit))?.t ?? null;
}

/** Round numbers between `lo` and `hi`, about `wanted` of them. @returns {number[]} */
export function ticks(lo, hi, wanted = 4) {
  if (!(hi > lo)) return [lo];
  const rough = (hi - lo) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((size) => size >= rough * 0.999);
  const first = Math.ceil(lo / step - 1e-9);
  return Array.from({ length: Math.floor(hi / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}
