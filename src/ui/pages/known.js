// The names that are known: metrics with their type, labels, values. Asked once and kept for half a minute.
import { get, prom } from '../api.js';

const KEEP_MS = 30_000;
const kept = new Map();

function once(key, ask) {
  const old = kept.get(key);
  if (old && Date.now() - old.at < KEEP_MS) return old.answer;
  const answer = ask();
  kept.set(key, { at: Date.now(), answer });
  answer.catch(() => kept.delete(key));
  return answer;
}

/** `[{name, note}]` in the order of their names; the note is the type. */
export const metricNames = () => once('metrics', async () => {
  const [names, known] = await Promise.all([prom('label/__name__/values'), metadata().catch(() => ({}))]);
  return names.map((name) => ({ name, note: known[name]?.[0]?.type ?? '' }));
});

/** `{name: [{type, help, unit}]}` as Prometheus has it. */
export const metadata = () => once('metadata', () => prom('metadata'));

/** Of a metric, or of all. @param {string|null} metric @returns {Promise<string[]>} */
export const labelNames = (metric) => once(`labels ${metric}`, async () => (await prom('labels', { 'match[]': metric ?? undefined })).filter((name) => name !== '__name__'));

/** @param {string} label @param {string|null} metric @returns {Promise<string[]>} */
export const labelValues = (label, metric) => once(`values ${label} ${metric}`, () => prom(`label/${encodeURIComponent(label)}/values`, { 'match[]': metric ?? undefined }));

/** The catalogue: `[{name, type, unit, help, category, labels, series}]`. */
export const catalogue = (options) => get('metrics/custom/list', undefined, options).then((answer) => answer.metrics);
