// New points joined to those that are there, panel by panel. Pure: arrays in, new arrays out; what did not change is the same object.

/** @typedef {[number, number|string]} Point moment in ms and value; NaN and infinities are texts */
/** @typedef {{name: string, query?: number, labels?: Record<string, string>, tier?: string, points: Point[]}} Series */
/** @typedef {{state: 'ok'|'empty'|'error', message?: string, unit?: string, step?: number, missing?: any[], series?: Series[]}} PanelData */
/**
 * @typedef {object} Frame
 * @property {number} start points before it leave
 * @property {number} step ms between points of the history
 * @property {number} tail ms before the newest point in which every live point is kept; older ones are thinned to `step`
 * @property {boolean} latest the panel shows the newest value alone
 */

/** What makes a series the same one. @param {Series} series */
export function seriesKey(series) {
  const labels = Object.entries(series.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([series.query ?? 0, series.name, labels]);
}

/** Points of `fresh` that are newer than all of `old`; one of the same moment takes the old one's place. @param {Point[]} old @param {Point[]} fresh */
export function joined(old, fresh) {
  if (!old.length) return fresh;
  const last = old[old.length - 1][0];
  let from = fresh.length;
  while (from > 0 && fresh[from - 1][0] >= last) from--;
  if (from === fresh.length) return old;
  const kept = fresh[from][0] === last ? old.slice(0, -1) : old;
  return kept.concat(fresh.slice(from));
}

/** One point a step before `until`: the first of each. @param {Point[]} points @param {number} step @param {number} until */
export function thinned(points, step, until) {
  if (!(step > 0)) return points;
  const out = [];
  let slot = null;
  for (const point of points) {
    const its = Math.floor(point[0] / step);
    if (point[0] < until && its === slot) continue;
    slot = its;
    out.push(point);
  }
  return out.length === points.length ? points : out;
}

/** Points from `start` on. @param {Point[]} points @param {number} start */
export function since(points, start) {
  let from = 0;
  while (from < points.length && points[from][0] < start) from++;
  return from ? points.slice(from) : points;
}

/** The newest moment of a panel, or -Infinity. @param {PanelData|null} data */
export function newest(data) {
  let at = -Infinity;
  for (const { points } of data?.series ?? []) if (points.length) at = Math.max(at, points[points.length - 1][0]);
  return at;
}

/**
 * A panel after a frame. An error keeps the series behind it; an empty frame takes nothing away but what is too old.
 * @param {PanelData|null} base @param {PanelData} update @param {Frame} frame @returns {PanelData}
 */
export function mergePanel(base, update, frame) {
  if (!base?.series) return update;
  if (update.state === 'error') return { ...base, state: 'error', message: update.message };
  if (frame.latest) return newest(update) > newest(base) ? { ...base, ...update } : base;
  const fresh = new Map((update.series ?? []).map((series) => [seriesKey(series), series]));
  const series = [];
  let changed = base.state === 'error';
  for (const old of base.series) {
    const key = seriesKey(old);
    const points = renewed(old.points, fresh.get(key)?.points ?? [], frame);
    fresh.delete(key);
    if (points.length) series.push(points === old.points ? old : { ...old, tier: update.tier ?? old.tier, points });
    changed ||= points !== old.points;
  }
  for (const one of fresh.values()) {
    if (!one.points.length) continue;
    series.push(one);
    changed = true;
  }
  if (!changed) return base;
  const { message: _, ...rest } = base;
  return { ...rest, state: series.length ? 'ok' : 'empty', missing: update.missing ?? base.missing, series };
}

function renewed(old, fresh, { start, step, tail }) {
  const all = joined(old, fresh);
  if (all === old) return since(old, start);
  return thinned(since(all, start), step, all[all.length - 1][0] - tail);
}

/**
 * Whether an update is drawn in other steps than what is shown: data that was young has grown older.
 * @param {PanelData|null} base @param {PanelData|undefined} update
 */
export function otherSteps(base, update) {
  return base?.step > 0 && update?.step > 0 && base.step !== update.step;
}

/** Ms between the points of a panel, from what it says or what it holds. @param {PanelData} data @param {number} otherwise */
export function stepOf(data, otherwise) {
  if (data?.step > 0) return data.step;
  const points = data?.series?.find((series) => series.points.length > 2)?.points;
  return points ? points[1][0] - points[0][0] : otherwise;
}
