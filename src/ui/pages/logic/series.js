// From Prometheus' answers to what charts and tables take, and the figures of a series. Pure.

export function number(text) {
  if (typeof text === 'number') return text;
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return text === null || text === '' || text === undefined ? NaN : Number(text);
}

// Braces and all; `{}` where nothing is left. `without` leaves labels out.
export function selector(metric, without = []) {
  const pairs = Object.entries(metric).filter(([name]) => name !== '__name__' && !without.includes(name))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const name = without.includes('__name__') ? '' : metric.__name__ ?? '';
  return pairs.length || !name ? `${name}{${pairs.join(', ')}}` : name;
}

// Labels that are the same on every series say nothing about which is which.
export function sameEverywhere(metrics) {
  if (metrics.length < 2) return [];
  const [first, ...rest] = metrics;
  return Object.keys(first).filter((name) => rest.every((metric) => metric[name] === first[name]));
}

// `{{label}}` filled in; without a legend the labels that tell the series apart.
export function nameOf(metric, legend, common = []) {
  if (legend) return legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, label) => metric[label] ?? '');
  return selector(metric, common);
}

// A range answer of Prometheus as the data of a panel: times in milliseconds. A series without labels is called as its expression.
export function panelData(answer, { legend, query = 0, tier = 'raw', expr = '' } = {}) {
  if (answer.resultType === 'scalar' || answer.resultType === 'string') return { state: 'empty', series: [] };
  const metrics = answer.result.map((series) => series.metric);
  const common = sameEverywhere(metrics);
  const series = answer.result.map(({ metric, values, value }) => ({
    name: nameOf(metric, legend, common).replace(/^\{\}$/, () => (metrics.length > 1 && metric.__name__) || expr || '{}'), query, labels: metric, tier,
    points: (values ?? [value]).map(([t, v]) => [Math.round(t * 1000), Number.isFinite(number(v)) ? number(v) : v]),
  }));
  return { state: series.length ? 'ok' : 'empty', series };
}

// `{last, min, mean, max}` of the finite values; null where there are none. `last` may be infinite.
export function figures(points) {
  const values = points.map(([, v]) => number(v));
  const finite = values.filter(Number.isFinite);
  const last = values.at(-1) ?? null;
  if (!finite.length) return { last, min: null, mean: null, max: null };
  return { last, min: finite.reduce((a, b) => Math.min(a, b)), mean: finite.reduce((a, b) => a + b, 0) / finite.length, max: finite.reduce((a, b) => Math.max(a, b)) };
}

// The unit of what an expression yields, guessed from names and functions; undefined where nothing tells.
export function unitOf(expr) {
  const rate = /\b(?:i?rate|deriv)\s*\(/.test(expr);
  if (/_percent\b/.test(expr)) return 'percent';
  if (/_celsius\b/.test(expr)) return 'celsius';
  if (/_(?:ratio|utilization)\b/.test(expr) && !rate) return 'ratio';
  if (/\bcount\s*[( ]/.test(expr) || /[^=!<>]\/[^/]/.test(expr)) return undefined;
  if (/_bytes(?:_total)?\b/.test(expr)) return rate ? 'bytes/s' : 'bytes';
  if (/_seconds(?:_total|_bucket)?\b/.test(expr)) return rate && !/histogram_quantile/.test(expr) ? undefined : 'seconds';
  return rate ? 'ops/s' : undefined;
}

// Which tiers a range reads, newest first: `[{tier, start, end}]`. `tiers` is that of metrics/stats.
export function tiersRead(tiers, { start, end }) {
  const read = [];
  let to = end;
  for (const tier of ['raw', 'aggregated', 'summary']) {
    const oldest = tiers?.[tier]?.oldest;
    if (oldest === null || oldest === undefined || oldest >= to) continue;
    const from = Math.max(start, oldest);
    if (to > from) read.push({ tier, start: from, end: to });
    to = Math.min(to, from);
    if (to <= start) break;
  }
  return read;
}

/** An expression with the places of a dashboard filled in: step, rate window, range. @param {string} expr @param {{start: number, end: number}} span @param {number} step seconds */
export function fill(expr, { start, end }, step) {
  return expr.replaceAll('$__rate_interval', `${Math.max(4 * step, 60)}s`).replaceAll('$__interval', `${step}s`).replaceAll('$__range', `${Math.max(Math.round((end - start) / 1000), 1)}s`);
}

/** Several answers as the data of one panel, each series with the number of its query. `newest` keeps the last point alone. */
export function joined(answers, queries, { newest = false } = {}) {
  const series = answers.flatMap((answer, query) => panelData(answer, { legend: queries[query].legend, query }).series)
    .map((one) => (newest ? { ...one, points: one.points.slice(-1) } : one));
  return { state: series.length ? 'ok' : 'empty', series };
}
