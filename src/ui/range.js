// Time ranges as people write them: relative texts (`now-1h`) or moments in milliseconds. Pure: no clock, no page.

/** @typedef {{from: string|number, to: string|number, auto?: boolean}} Range */
/** @typedef {{start: number, end: number}} Span milliseconds, `start < end` */

const UNIT = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
/** The shortest span that is drawn. */
const SHORTEST = 1e4;

/** Milliseconds of `90s`, `1h30m`, `7d`; null where it is no duration. @param {string} text @returns {number|null} */
export function duration(text) {
  if (!/^(\d+[smhdw])+$/.test(text)) return null;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)([smhdw])/g)) sum += Number(n) * UNIT[unit];
  return sum;
}

/** The text of a duration, largest units first: `1h30m`. @param {number} ms @returns {string} */
export function durationText(ms) {
  let rest = Math.round(ms / 1e3) * 1e3;
  let out = '';
  for (const unit of ['d', 'h', 'm', 's']) {
    const n = Math.floor(rest / UNIT[unit]);
    if (n > 0) out += n + unit;
    rest -= n * UNIT[unit];
  }
  return out || '0s';
}

/** The moment that a side of a range names; null where it names none. @param {string|number} side @param {number} now @returns {number|null} */
export function moment(side, now) {
  if (typeof side === 'number') return Number.isFinite(side) ? side : null;
  if (/^-?\d{10,}$/.test(side)) return Number(side);
  const relative = /^now(?:([+-])(.+))?$/.exec(side);
  if (relative) {
    if (!relative[1]) return now;
    const ms = duration(relative[2]);
    return ms === null ? null : now + (relative[1] === '-' ? -ms : ms);
  }
  const parsed = Date.parse(side);
  return Number.isNaN(parsed) ? null : parsed;
}

/** Whether the range moves with the clock. @param {Range} range */
export const moves = (range) => typeof range.to === 'string' && range.to.startsWith('now');

/**
 * The moments of a range. One that nobody chose (`auto`) begins where the data begins.
 * @param {Range} range @param {number} now @param {number|null} [since] where the data begins @returns {Span}
 */
export function resolve(range, now, since = null) {
  const end = moment(range.to, now) ?? now;
  let start = moment(range.from, end === now ? now : end) ?? end - UNIT.h;
  if (typeof range.from === 'string' && range.from.startsWith('now')) start = moment(range.from, now) ?? start;
  if (range.auto && since !== null && since > start) start = Math.min(since, end - 6e4);
  return { start: Math.min(start, end - SHORTEST), end };
}

/** The range one step back (-1) or forward (1); never past now. @param {Range} range @param {number} now @param {-1|1} way @returns {Range} */
export function step(range, now, way) {
  const { start, end } = resolve(range, now);
  const width = end - start;
  const shift = (width / 2) * way;
  if (way > 0 && moves(range)) return range;
  // Near enough: the clock went on since the step back.
  if (end + shift >= now - width / 20) return { from: `now-${durationText(width)}`, to: 'now' };
  return { from: Math.round(start + shift), to: Math.round(end + shift) };
}

/** Seconds between two points, so that a picture of `width` has at most about `points`. @param {Span} span @param {number} [points] */
export function stepSeconds({ start, end }, points = 240) {
  const wanted = (end - start) / 1e3 / points;
  const nice = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  return nice.find((n) => n >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
}
