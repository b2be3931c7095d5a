// Names, colours and values beside a picture. Values are those at the shared moment, else the newest.

import { html } from '../lib.js';
import { cursor } from '../state.js';
import { t } from '../text.js';
import { formatText } from '../format.js';
import { lastOf, valueAt } from './series.js';

/** The name of an entry in the reader's language. */
export function entryName(entry) {
  if (!entry.others) return entry.name;
  return entry.mean ? t('{count} others, mean', { count: entry.others }) : t('{count} others', { count: entry.others });
}

/**
 * Keys for `entries` (`[{name, series, color, others}]`): one line, or wrapped. One series alone is only named while
 * something is pointed at.
 */
export function Legend({ entries, unit, step, options, quiet = false }) {
  const ms = cursor.value;
  if (!entries.length || (quiet && ms === null)) return null;
  return html`<ul class="keys-row">${entries.map((entry, index) => {
    const value = ms === null ? lastOf(entry.series).v : valueAt(entry.series, ms, step);
    const name = entryName(entry);
    return html`<li key=${index} class=${`key ink-${entry.color}`} title=${name}><i></i><span>${name}</span><b>${formatText(value, unit, { decimals: options?.decimals })}</b></li>`;
  })}</ul>`;
}
