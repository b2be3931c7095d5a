// What a status grid shows: a state for each series. Pure.

import { numberOf } from './limits.js';
import { newest } from './series.js';

const STATES = ['ok', 'warn', 'crit', 'none'];

/** The state of a value: the first entry of `states` whose `max` reaches it; without a list 1 and more is well. No value is no data. */
export function stateOf(value, states) {
  if (Number.isNaN(value)) return 'none';
  if (!Array.isArray(states) || !states.length) return value >= 1 ? 'ok' : 'crit';
  const found = states.find((entry) => {
    const max = numberOf(entry?.max);
    return max === undefined || value <= max;
  });
  return STATES.includes(found?.state) ? found.state : 'none';
}

/** A tile for each series: `[{name, value, state}]`. */
export function tileModel({ panel, data }) {
  const states = panel?.options?.states;
  return newest(data).map((series) => ({ name: series.name, value: series.v, state: stateOf(series.v, states) }));
}

/** How many tiles have each state. */
export function countStates(tiles) {
  const counts = { ok: 0, warn: 0, crit: 0, none: 0 };
  for (const tile of tiles) counts[tile.state] += 1;
  return counts;
}
