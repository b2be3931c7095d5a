// Made-up data for a dashboard that has none: in memory, of this page alone, never sent anywhere. Pure.

/** A generator of numbers 0..1 that gives the same ones for the same text. @param {string} text */
function dice(text) {
  let seed = 2166136261;
  for (const letter of text) seed = Math.imul(seed ^ letter.charCodeAt(0), 16777619) >>> 0;
  return () => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 4294967296);
}

/** A wandering line of values round `base`, never past `most`. */
function walk(roll, times, base, swing, most = Infinity) {
  let drift = 0;
  const phase = roll() * 6.3;
  return times.map((t, i) => {
    drift = drift * 0.93 + (roll() + roll() + roll() - 1.5) * swing * 0.22;
    return [t, Math.min(most, Math.max(0, base + swing * Math.sin((i / times.length) * 6.6 + phase) + drift))];
  });
}

/** A total that only grows, and is `end` at the end. */
function climb(roll, times, end) {
  const steps = times.map(() => 0.4 + roll());
  const sum = steps.reduce((all, one) => all + one, 0);
  let done = 0;
  return times.map((t, i) => {
    done += steps[i];
    return [t, end * (0.93 + (0.07 * done) / sum)];
  });
}

/** What a value of a unit is usually like: `[base, swing]`. */
const USUAL = {
  percent: [46, 16], ratio: [0.46, 0.14], bytes: [3.2e9, 6e8], 'bytes/s': [2.4e6, 9e5], 'bits/s': [1.9e7, 7e6], seconds: [0.18, 0.06],
  'ops/s': [420, 120], 'requests/s': [78, 16], count: [320, 70], celsius: [52, 6], eur: [1840, 360], usd: [1960, 380],
};
/** What is usual for metrics of the catalogue, the first that fits: `[pattern, base, swing]`, in the metric's own unit. */
const KNOWN = [
  [/increase\(revenue_total/, 640, 210], [/revenue_total/, 15_400, 600], [/revenue_per_user/, 38.4, 2.6], [/session_duration_seconds_count/, 2180, 90],
  [/cart_abandonment_ratio/, 0.63, 0.03], [/sales_conversion_ratio/, 0.034, 0.004], [/user_satisfaction_ratio/, 0.84, 0.03], [/feature_usage_total/, 5200, 300],
  [/ux_apdex_ratio/, 0.93, 0.03], [/ux_satisfaction_ratio/, 0.86, 0.03], [/cache_hit_ratio|cache_requests_total\{result="hit"/, 0.91, 0.04],
  [/rag_embedding/, 0.062, 0.016], [/rag_vector_search/, 0.038, 0.01], [/rag_search/, 0.142, 0.03], [/relevance_ratio/, 0.82, 0.03],
  [/queue_depth/, 12, 8], [/complexity_score/, 3.4, 0.5], [/errors_total/, 64, 6], [/code=~"5/, 0.004, 0.003], [/query_duration_seconds/, 0.006, 0.003],
  [/quantile\(0\.5,.*http_request_duration/, 0.004, 0.001], [/http_request_duration/, 0.021, 0.008], [/http_requests_total|cache_requests_total/, 42, 12],
];
/** Values of labels that people use; other labels have the last list. */
const VALUES = {
  channel: ['web', 'app', 'store', 'partner', 'phone'], feature: ['search', 'reviews', 'wishlist', 'compare', 'coupons', 'chat'], app: ['shop', 'backoffice'],
  level: ['memory', 'disk'], index: ['products', 'articles', 'reviews'], queue: ['mail', 'invoices', 'thumbnails'], cache: ['pages', 'sessions'],
  kind: ['timeout', 'validation', 'upstream'], code: ['200', '304', '404', '500'], route: ['/orders', '/search', '/cart', '/login', '/users/{id}'],
};
const NAMES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];
const BUCKETS = ['0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '+Inf'];
const SESSIONS = ['10', '30', '60', '180', '600', '1800', '3600', '+Inf'];
/** The most that a share can be. */
const MOST = { ratio: 0.995, percent: 99.5 };

/** Labels that tell the series of a query apart: those of its legend, else those it is grouped by. */
function labelsOf({ legend = '', query = '' }) {
  const named = [...legend.matchAll(/\{\{\s*([\w.]+)\s*\}\}/g)].map(([, label]) => label);
  if (named.length) return named;
  const grouped = /\bby\s*\(([^)]*)\)/.exec(query)?.[1] ?? '';
  return grouped.split(',').map((label) => label.trim()).filter((label) => label && label !== 'le');
}

/** The series of a query: `{name, labels}`. The last label varies, the others stay. */
function seriesOf(panel, one) {
  const labels = panel.type === 'gauge' || panel.type === 'big_number' ? [] : labelsOf(one);
  const many = labels.length ? VALUES[labels.at(-1)] ?? NAMES : [''];
  return many.map((value) => {
    const set = Object.fromEntries(labels.map((label, i) => [label, i === labels.length - 1 ? value : (VALUES[label] ?? NAMES)[0]]));
    const name = one.legend ? one.legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, label) => set[label] ?? label) : value || panel.title;
    return { name, labels: set };
  });
}

/** What the values of a query are like: `{base, swing, most, total}`. */
function scale(panel, { query = '' }, index) {
  const { options = {} } = panel;
  const unit = options.columns?.[index]?.unit ?? panel.unit ?? (/_ratio\b/.test(query) ? 'ratio' : '');
  const known = KNOWN.find(([pattern]) => pattern.test(query));
  const times = known && /^\s*100 \*/.test(query) ? 100 : 1;
  let [base, swing] = known ? [known[1] * times, known[2] * times] : USUAL[unit] ?? [120, 30];
  const most = Math.min(MOST[unit] ?? Infinity, options.max > 0 ? options.max : Infinity);
  if (base > most) [base, swing] = [most * 0.62, most * 0.12];
  return { base, swing, most, unit, total: /last_over_time\(\w+_(total|count)\b/.test(query) && !/increase|rate\(/.test(query) };
}

/** The share of the whole that each series has: parts of a sum get smaller, what is measured beside each other differs a little. */
function shares(count, { unit }, query) {
  const beside = ['ratio', 'percent', 'celsius', 'seconds'].includes(unit) || /^\W*(avg|histogram_quantile)/.test(query ?? '');
  const parts = Array.from({ length: count }, (_, i) => (beside ? 1 - 0.045 * i : 1 / (1 + i * 0.55)));
  const whole = beside ? 1 : parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / whole);
}

/**
 * Data of a panel as the daemon would send it.
 * @param {any} panel @param {{start: number, end: number}} span @returns {import('./merge.js').PanelData}
 */
export function demoData(panel, span) {
  const roll = dice(`${panel.id}${panel.title}`);
  const step = Math.max(1000, Math.round((span.end - span.start) / 160 / 1000) * 1000);
  const times = Array.from({ length: 160 }, (_, i) => span.end - (159 - i) * step);
  const queries = panel.queries?.length ? panel.queries : [{ query: panel.query ?? '', legend: panel.title }];
  if (panel.type === 'heatmap') {
    const bounds = /session/.test(queries[0].query ?? '') ? SESSIONS : BUCKETS;
    return { state: 'ok', unit: panel.unit, step: step * 3, series: buckets(roll, times.filter((_, i) => i % 3 === 0), bounds) };
  }
  const series = queries.flatMap((one, query) => {
    const { base, swing, most, total, unit } = scale(panel, one, query);
    const found = seriesOf(panel, one);
    const parts = shares(found.length, { unit }, one.query);
    return found.map((names, i) => {
      const points = panel.type === 'status_grid' ? [[span.end, roll() > 0.12 ? 1 : 0]]
        : total ? climb(roll, times, base * parts[i]) : walk(roll, times, base * parts[i], swing * parts[i], most);
      return { query, ...names, tier: 'raw', points: newestAlone(panel) ? points.slice(-1) : points };
    });
  });
  return { state: 'ok', unit: panel.unit, step, series };
}

const newestAlone = ({ type, options = {} }) => ['gauge', 'pie', 'status_grid'].includes(type) || (type === 'bar' && options.by === 'category');

/** Counts per bucket, cumulative by `le`, a crowd that wanders. */
function buckets(roll, times, bounds) {
  const centre = walk(roll, times, 3.2, 0.9);
  return bounds.map((le, row) => ({
    query: 0, name: le, labels: { le }, tier: 'raw',
    points: times.map((t, i) => [t, Math.round(90 / (1 + Math.exp(-1.9 * (row - centre[i][1] + 0.4))) + roll() * 0.4 * row)]),
  }));
}
