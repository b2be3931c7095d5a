// Which of the series colours a series gets: the same label set keeps its colour on all panels of a dashboard. Pure.

import { labelKey } from './series.js';

/** Colours for series; the eighth is kept for "other" and for stale data. */
const SLOTS = 7;
export const OTHER = 's8';
const MOST_SCOPES = 16;
const MOST_KEYS = 2000;

/** Colours given so far: dashboard → label set → slot from 1 to 7. */
const scopes = new Map();

/** What tells the series of one panel apart: their labels, and their names too where labels are not enough. */
function seriesKeys(list) {
  const plain = list.map((series) => labelKey(series.labels));
  const seen = new Map();
  for (const key of plain) seen.set(key, (seen.get(key) ?? 0) + 1);
  return list.map((series, index) => (plain[index] === '' || seen.get(plain[index]) > 1 ? `${series.name ?? ''}\n${plain[index]}` : plain[index]));
}

function bookOf(scope) {
  let book = scopes.get(scope);
  if (book && book.size < MOST_KEYS) return book;
  book = new Map();
  scopes.delete(scope);
  scopes.set(scope, book);
  if (scopes.size > MOST_SCOPES) scopes.delete(scopes.keys().next().value);
  return book;
}

/**
 * Colour names (`s1` … `s7`) for the series of one panel, in their order. A label set that has a colour on the
 * dashboard `scope` keeps it; a new one gets the first that is free in this panel. No colour is used twice; where
 * none is left it is `s8`.
 */
export function assignColors(list, scope = '') {
  const book = bookOf(scope);
  const keys = seriesKeys(list);
  const taken = new Set();
  const slots = keys.map((key) => {
    const known = book.get(key);
    if (!known || taken.has(known)) return 0;
    taken.add(known);
    return known;
  });
  return slots.map((slot, index) => {
    if (slot) return `s${slot}`;
    const free = firstFree(taken);
    if (!free) return OTHER;
    taken.add(free);
    if (!book.has(keys[index])) book.set(keys[index], free);
    return `s${free}`;
  });
}

function firstFree(taken) {
  for (let slot = 1; slot <= SLOTS; slot += 1) if (!taken.has(slot)) return slot;
  return 0;
}

/** Forgets the colours of a dashboard, or of all. */
export function forgetColors(scope) {
  if (scope === undefined) scopes.clear();
  else scopes.delete(scope);
}

/** `color` (a hex colour) with an opacity. Anything else comes back as it is. */
export function withAlpha(color, alpha) {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return color;
  const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex;
  const part = (at) => parseInt(full.slice(at, at + 2), 16);
  return `rgba(${part(0)},${part(2)},${part(4)},${alpha})`;
}
