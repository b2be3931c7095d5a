// The lines that send a missing metric. Pure.

const TYPICAL = { percent: 42, ratio: 0.42, seconds: 0.25, bytes: 1048576, eur: 19.9, usd: 19.9, celsius: 48 };

/** A shell's single-quoted text. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** One curl call of the monitoring API. */
const curl = (origin, path, body) => `curl -X POST ${origin}/api/v1/monitoring/${path} \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(JSON.stringify(body))}`;

/**
 * Shell lines: an unknown metric is registered first, then a value is sent.
 * @param {{name: string, type?: string, unit?: string, help?: string, known?: boolean, labels?: string[]}[]} missing @param {string} origin @returns {string}
 */
export function recordLines(missing, origin) {
  return missing.slice(0, 6).flatMap((metric) => {
    const name = familyOf(metric);
    const type = metric.type && metric.type !== 'unknown' ? metric.type : guess(metric.name);
    const labels = metric.labels?.length ? { labels: Object.fromEntries(metric.labels.map((label) => [label, 'example'])) } : {};
    const value = type === 'counter' ? { increment: 1 } : { value: TYPICAL[metric.unit] ?? 1 };
    const record = curl(origin, 'metrics/custom/record', { name, ...value, ...labels });
    if (metric.known) return [record];
    return [curl(origin, 'metrics/custom/register', { name, type, ...(metric.unit ? { unit: metric.unit } : {}) }), record];
  }).join('\n\n');
}

/** A histogram is sent by its own name, not by that of its series. */
function familyOf({ name, type }) {
  return type === 'histogram' || /_bucket$/.test(name) ? name.replace(/_(bucket|sum|count)$/, '') : name;
}

function guess(name) {
  if (/_bucket$/.test(name)) return 'histogram';
  return /_total$/.test(name) ? 'counter' : 'gauge';
}
