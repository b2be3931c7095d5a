// How much of a picture's names fits beside a panel's title. Reckoned from the panel's columns, so that nothing is
// measured and nothing jumps. Pure.

import { formatText } from '../format.js';

/** A column of the grid at the width for which panels are laid out, and what the header takes of it, in px. */
const COLUMN = 97;
const TAKEN = 98;
const LETTER = 6.8;
const TITLE_LETTER = 7.4;
const KEY = 31;
const VALUE_LETTER = 7.2;
const SAMPLES = [0.01234, 12.34, 12.34e6];
const LONGEST = 16;

/** About the width of a value of a unit, whatever its size. */
function valueRoom(unit) {
  return 8 + VALUE_LETTER * Math.max(...SAMPLES.map((value) => formatText(value, unit).length));
}

/** `values`: names with their values fit, `names`: only those, `none`: they go above the picture. */
export function headerRoom(panel, entries, unit = '') {
  const free = (panel?.w ?? 12) * COLUMN - TAKEN - Math.min((panel?.title ?? '').length, 24) * TITLE_LETTER;
  const names = entries.reduce((sum, entry) => sum + KEY + Math.min((entry.name ?? '').length, LONGEST) * LETTER, 0);
  if (names + entries.length * valueRoom(unit) <= free) return 'values';
  return names <= free ? 'names' : 'none';
}
