// The answer of `metrics/stats` as the rail's card says it. Pure.
import { t } from '../text.js';

const TIERS = ['raw', 'aggregated', 'summary'];
const DAY = 864e5;

/** Bytes as a short text: `412 MB`. @param {number} bytes */
export function sizeText(bytes) {
  let value = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB', 'TB']) {
    if (value < 999.5 || unit === 'TB') return `${value < 9.95 && unit !== 'B' ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1000;
  }
  return '';
}

/** Since when something is kept: `38 days`. @param {number} ms */
export function keptText(ms) {
  if (ms >= 2 * DAY) return t('{n} days', { n: Math.floor(ms / DAY) });
  if (ms >= 2 * 36e5) return t('{n} hours', { n: Math.floor(ms / 36e5) });
  return t('{n} min', { n: Math.max(1, Math.floor(ms / 6e4)) });
}

/** Where the data begins, ms or null. @param {any} stats */
export function oldest(stats) {
  const all = TIERS.map((tier) => stats?.tiers?.[tier]?.oldest).filter((ms) => typeof ms === 'number');
  return all.length ? Math.min(...all) : null;
}

/** `{total, parts: [{tier, share}], days}`, or null while nothing is known. @param {any} stats @param {number} now */
export function storage(stats, now) {
  if (!stats?.tiers) return null;
  const bytes = TIERS.map((tier) => ({ tier, bytes: stats.tiers[tier]?.bytes ?? 0 }));
  // What is acknowledged but not sealed yet lies in the journal.
  bytes[0].bytes += stats.journal?.bytes ?? 0;
  const sum = bytes.reduce((all, one) => all + one.bytes, 0);
  const since = oldest(stats);
  return {
    total: sizeText(sum),
    parts: bytes.filter((one) => one.bytes > 0).map((one) => ({ tier: one.tier, share: one.bytes / sum })),
    days: since === null ? t('nothing yet') : keptText(now - since),
  };
}
