// Made-up data for a dashboard that has none: in memory, of this page alone, never sent anywhere. Pure.

/** A generator of numbers 0..1 that gives the same ones for the same text. @param {string} text */
function dice(text) {
  let seed = 2166136261;
  for (const letter of text) seed = Math.imul(seed ^ letter.charCodeAt(0), 16777619) >>> 0;
  return () => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 4294967296);
}

/** A wandering line of values round `base`. */
function walk(roll, times, base, swing) {
  let drift = 0;
  const phase = roll() * 6.3;
  return times.map((t, i) => {
    drift = drift * 0.93 + (roll() + roll() + roll() - 1.5) * swing * 0.22;
    return [t, Math.max(0, base + swing * Math.sin((i / times.length) * 6.6 + phase) + drift)];
  });
}

/** What a value of a unit is usually like: `[base, swing]`. */
const USUAL = {
  percent: [46, 16], ratio: [0.46, 0.14], bytes: [3.2e9, 6e8], 'bytes/s': [2.4e6, 9e5], 'bits/s': [1.9e7, 7e6], seconds: [0.18, 0.06],
  'ops/s': [420, 120], 'requests/s': [780, 160], count: [320, 70], celsius: [52, 6], eur: [1840, 360], usd: [1960, 380],
};
const NAMES = ['checkout', 'search', 'catalog', 'advice', 'orders', 'users'];
const BUCKETS = ['0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '+Inf'];

/** Names for the series of a query. */
function names(panel) {
  const queries = panel.queries?.length ? panel.queries : [{ query: panel.query ?? '', legend: panel.title }];
  const out = [];
  for (const [query, { legend, query: text }] of queries.entries()) {
    const label = /\{\{\s*([\w.]+)\s*\}\}/.exec(legend ?? '')?.[1] ?? (/\bby\s*\(\s*(\w+)/.exec(text ?? '')?.[1]);
    const many = panel.type !== 'gauge' && panel.type !== 'big_number' && label;
    for (const value of many ? NAMES.slice(0, queries.length > 2 ? 1 : 5) : ['']) {
      const name = legend ? legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, l) => (l === label ? value : l)) : value || panel.title;
      out.push({ query, name, labels: label ? { [label]: value } : {} });
    }
  }
  return out;
}

/**
 * Data of a panel as the daemon would send it.
 * @param {any} panel @param {{start: number, end: number}} span @returns {import('./merge.js').PanelData}
 */
export function demoData(panel, span) {
  const roll = dice(`${panel.id}${panel.title}`);
  const step = Math.max(1000, Math.round((span.end - span.start) / 160 / 1000) * 1000);
  const times = Array.from({ length: 160 }, (_, i) => span.end - (159 - i) * step);
  if (panel.type === 'heatmap') return { state: 'ok', unit: panel.unit, step: step * 3, series: buckets(roll, times.filter((_, i) => i % 3 === 0)) };
  const [base, swing] = scale(panel);
  const series = names(panel).map((one, i) => {
    const level = base / (1 + i * 0.55);
    const points = panel.type === 'status_grid' ? [[span.end, roll() > 0.12 ? 1 : 0]] : walk(roll, times, level, swing / (1 + i * 0.55));
    return { ...one, tier: 'raw', points: newestAlone(panel) ? points.slice(-1) : points };
  });
  return { state: 'ok', unit: panel.unit, step, series };
}

function scale({ unit, options = {} }) {
  const [base, swing] = USUAL[unit] ?? [120, 30];
  if (options.max > 0 && base > options.max) return [options.max * 0.62, options.max * 0.12];
  return [base, swing];
}

const newestAlone = ({ type, options = {} }) => ['gauge', 'pie', 'status_grid'].includes(type) || (type === 'bar' && options.by === 'category');

/** Counts per bucket, cumulative by `le`, a crowd that wanders. */
function buckets(roll, times) {
  const centre = walk(roll, times, 3.2, 0.9);
  return BUCKETS.map((le, row) => ({
    query: 0, name: le, labels: { le }, tier: 'raw',
    points: times.map((t, i) => [t, Math.round(900 / (1 + Math.exp(-1.9 * (row - centre[i][1] + 0.4))) + roll() * 4 * row)]),
  }));
}
