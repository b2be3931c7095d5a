// Where grid lines and time labels go, and from where to where the y axis reaches. Pure.

import { formatClock, formatDay, formatMonth } from '../format.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY,
];
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120];
const MOST_TICKS = 200;

/** Three or about `count` round values from `low` to `high`, in order. Empty where there is no range. */
export function niceTicks(low, high, count = 3) {
  if (!Number.isFinite(low) || !Number.isFinite(high) || !(high > low)) return [];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const steps = [0.5, 1, 2, 2.5, 5, 10].map((factor) => factor * power);
  const fits = steps.findIndex((size) => size >= rough * (1 - 1e-9));
  const few = stepped(low, high, steps[fits] ?? steps.at(-1));
  return few.length >= 3 || fits < 1 ? few : stepped(low, high, steps[fits - 1]);
}

function stepped(low, high, step) {
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9 && ticks.length < MOST_TICKS; index += 1) {
    ticks.push(Number((index * step).toPrecision(12)) + 0);
  }
  return ticks;
}

/**
 * The y range `[low, high]` of values that reach from `min` to `max`.
 * `fromZero`: rates, counts and shares begin at 0. `fixed` is what the panel asks for and wins. Values in `include` are kept in sight.
 */
export function yRange({ min, max, fromZero = true, fixed = {}, include = [], floor = 1 }) {
  let low = Number.isFinite(min) ? min : 0;
  let high = Number.isFinite(max) ? max : 0;
  for (const value of include) {
    if (!Number.isFinite(value)) continue;
    high = Math.max(high, value > 0 ? value * 1.1 : value);
    low = Math.min(low, value < 0 ? value * 1.1 : value);
  }
  if (fromZero || (low > 0 && low < high * 0.5)) low = Math.min(0, low);
  if (fromZero) high = Math.max(0, high);
  if (high - low <= Math.abs(high) * 1e-9) [low, high] = around(low, high, floor);
  const room = (high - low) * 0.06;
  if (high > 0 || !fromZero) high += room;
  if (low < 0 || (low > 0 && !fromZero)) low = low > 0 ? Math.max(0, low - room) : low - room;
  if (Number.isFinite(fixed.min)) low = fixed.min;
  if (Number.isFinite(fixed.max)) high = fixed.max;
  return high > low ? [low, high] : [low, low + floor];
}

/** A range for values that are all the same. */
function around(low, high, floor) {
  if (low === 0 && high === 0) return [0, floor];
  const half = Math.abs(high) * 0.25;
  return [low - half, high + half];
}

/** Times from `start` to `end` at round local moments, at most `most`, with labels: `[{at, text}]`. */
export function timeTicks(start, end, most = 5) {
  const span = end - start;
  if (!(span > 0) || most < 1) return [];
  const step = TIME_STEPS.find((size) => span / size <= most);
  if (!step) return monthTicks(start, end, most);
  return (step >= DAY ? dayTicks(start, end, step / DAY) : clockTicks(start, end, step)).map((at) => ({ at, text: tickText(at, step) }));
}

function clockTicks(start, end, step) {
  const midnight = new Date(start);
  midnight.setHours(0, 0, 0, 0);
  const base = midnight.getTime();
  const ticks = [];
  for (let at = base + Math.ceil((start - base) / step) * step; at <= end && ticks.length < MOST_TICKS; at += step) ticks.push(at);
  return ticks;
}

function dayTicks(start, end, days) {
  const date = new Date(start);
  date.setHours(0, 0, 0, 0);
  if (date.getTime() < start) date.setDate(date.getDate() + 1);
  // Weeks begin on Monday; steps of two days are counted from the first of 1970, so that ticks stay while the range moves.
  const number = () => Math.round((date.getTime() - date.getTimezoneOffset() * MINUTE) / DAY) + (days % 7 === 0 ? 3 : 0);
  while (number() % days !== 0) date.setDate(date.getDate() + 1);
  const ticks = [];
  for (; date.getTime() <= end && ticks.length < MOST_TICKS; date.setDate(date.getDate() + days)) ticks.push(date.getTime());
  return ticks;
}

function monthTicks(start, end, most) {
  const months = MONTH_STEPS.find((count) => (end - start) / (count * 30.4 * DAY) <= most) ?? MONTH_STEPS.at(-1);
  const date = new Date(start);
  date.setHours(0, 0, 0, 0);
  date.setDate(1);
  while (date.getTime() < start || (date.getFullYear() * 12 + date.getMonth()) % months !== 0) date.setMonth(date.getMonth() + 1);
  const ticks = [];
  for (; date.getTime() <= end && ticks.length < MOST_TICKS; date.setMonth(date.getMonth() + months)) {
    ticks.push({ at: date.getTime(), text: months >= 12 ? String(date.getFullYear()) : formatMonth(date.getTime()) });
  }
  return ticks;
}

function tickText(at, step) {
  if (step >= DAY) return formatDay(at);
  const date = new Date(at);
  if (step >= HOUR && date.getHours() === 0 && date.getMinutes() === 0) return formatDay(at);
  return formatClock(at, { seconds: step < MINUTE });
}
