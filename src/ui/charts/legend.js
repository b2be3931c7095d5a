// Names, colours and values beside a picture. Values are those at the shared moment, else the newest.

import { html } from '../lib.js';
import { cursor } from '../state.js';
import { t } from '../text.js';
import { formatText } from '../format.js';
import { lastOf, valueAt } from './series.js';

/** The name of an entry in the reader's language. */
function entryName(entry) {
  if (!entry.others) return entry.name;
  return entry.mean ? t('{count} others, mean', { count: entry.others }) : t('{count} others', { count: entry.others });
}

/**
 * Keys for `entries` (`[{name, series, color, others}]`), wrapped where they are many. One series alone is named only
 * while something is pointed at; `brief` leaves values out until then. `ahead`: a value stands for the step before it.
 */
export function Legend({ entries, unit, step, options, brief = false, ahead = false }) {
  const ms = cursor.value;
  if (!entries.length || (entries.length === 1 && ms === null)) return null;
  return html`<ul class=${`keys-row ${ms === null ? '' : 'pointed'}`}>${entries.map((entry, index) => {
    const value = ms === null ? lastOf(entry.series).v : valueAt(entry.series, ahead ? ms + step / 2 : ms, step);
    const name = entryName(entry);
    return html`<li key=${index} class=${`key ink-${entry.color}`} title=${name}><i></i><span>${name}</span>${(!brief || ms !== null) && html`<b>${formatText(value, unit, { decimals: options?.decimals, steady: true })}</b>`}</li>`;
  })}</ul>`;
}
