// Limits of a panel: which values are past them, and which units begin at zero. Pure.

import { parseValue } from '../format.js';

const TONES = ['warn', 'crit'];
/** Units whose values mean little against zero. */
const FREE = new Set(['celsius', 'eur', 'usd']);

/** A number of the options, or undefined where it is missing or none. */
export function numberOf(value) {
  if (value === null || value === undefined || value === '') return undefined;
  const number = parseValue(value);
  return Number.isFinite(number) ? number : undefined;
}

/** The limits of an `options` as `[{value, tone, label}]`; what is no limit is left out. */
export function limitsOf(options) {
  if (!Array.isArray(options?.thresholds)) return [];
  return options.thresholds.flatMap((limit) => {
    const value = numberOf(limit?.value);
    return value === undefined ? [] : [{ value, tone: TONES.includes(limit.tone) ? limit.tone : 'warn', label: typeof limit.label === 'string' ? limit.label : '' }];
  });
}

/** The worst tone that `value` has reached: `''`, `warn` or `crit`. Where more is better, limits are reached from above. */
export function toneOf(value, options) {
  if (!Number.isFinite(value)) return '';
  const down = options?.better === 'up';
  let tone = '';
  for (const limit of limitsOf(options)) {
    const past = down ? value <= limit.value : value >= limit.value;
    if (past && TONES.indexOf(limit.tone) > TONES.indexOf(tone)) tone = limit.tone;
  }
  return tone;
}

/** Rates, counts, sizes, times and shares are drawn from zero; temperatures and money where their values lie. */
export function startsAtZero(unit) {
  return !FREE.has(unit);
}

/** The height of an axis on which all is zero. */
export function unitFloor(unit) {
  if (unit === 'ratio' || unit === 'seconds') return 0.01;
  return 1;
}

/** What a unit counts to by nature, for a gauge that names no end. */
export function naturalEnd(unit) {
  return unit === 'ratio' ? 1 : 100;
}

/** How many pieces of lines run through a box. @param {(number|null)[][]} data moments, then a column a line */
export function crossings([times, ...columns], { X, Y }, { left, right, top, bottom }) {
  let found = 0;
  for (const column of columns) {
    for (let i = 0; i < times.length; i += 1) {
      if (!Number.isFinite(column[i])) continue;
      const next = i + 1 < times.length && Number.isFinite(column[i + 1]) ? i + 1 : i;
      if (X(times[next]) < left || X(times[i]) > right) continue;
      const [a, b] = [Y(column[i]), Y(column[next])];
      if (Math.max(a, b) >= top && Math.min(a, b) <= bottom) found += 1;
    }
  }
  return found;
}
