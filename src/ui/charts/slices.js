// What a pie draws: at most five slices, the others as one, and the rest. Pure.

import { assignColors, OTHER } from './color.js';
import { newest } from './series.js';

const MOST_SLICES = 5;

/**
 * `{slices: [{name, value, share, color, others}], sum, used}`. Values that are no positive number have no slice.
 * The series named by `options.rest` is last and pale; `used` is the share that is not rest.
 */
export function pieModel({ panel, data, scope = '' }) {
  const options = panel?.options ?? {};
  const list = newest(data).filter((part) => part.v > 0 && Number.isFinite(part.v));
  const rest = list.find((part) => options.rest !== undefined && part.name === options.rest);
  let parts = list.filter((part) => part !== rest);
  const oneQuery = new Set(parts.map((part) => part.query)).size <= 1;
  if (oneQuery || parts.length > MOST_SLICES) parts = [...parts].sort((a, b) => b.v - a.v);
  const kept = parts.slice(0, MOST_SLICES);
  const cut = parts.slice(MOST_SLICES);
  const colors = assignColors(kept, scope);
  const slices = kept.map((part, index) => ({ name: part.name, value: part.v, color: colors[index], others: 0 }));
  if (cut.length) slices.push({ name: '', value: cut.reduce((sum, part) => sum + part.v, 0), color: OTHER, others: cut.length });
  if (rest) slices.push({ name: rest.name, value: rest.v, color: 'line-2', others: 0 });
  const sum = slices.reduce((total, slice) => total + slice.value, 0);
  const used = sum > 0 ? (sum - (rest?.v ?? 0)) / sum : 0;
  return { slices: slices.map((slice) => ({ ...slice, share: slice.value / sum })), sum, used };
}
