// What a line picture draws: columns on one time axis, names, colours, the reach of y. Pure.

import { yRange } from './axis.js';
import { assignColors, OTHER } from './color.js';
import { limitsOf, numberOf, startsAtZero, unitFloor } from './limits.js';
import { align, dataStep, loneIndexes, pickDrawn, reach, seriesOf, stack } from './series.js';

const TOKEN = /^(s[1-8]|ok|warn|crit|accent|unk|ink-[23])$/;

/** The unit of a panel: its own, else what the data say. */
export function unitOfPanel(panel, data) {
  return panel?.unit || data?.unit || '';
}

/**
 * The series that are drawn with their colours: `[{name, series, color, others}]`. One alone has the accent.
 * `others` is how many series an entry stands for (0: itself), `mean` whether as their mean.
 */
export function entriesOf({ panel, data, scope = '', stale = false, before = null }) {
  const list = seriesOf(data);
  const options = panel?.options ?? {};
  const stacked = options.stack === true;
  const { drawn, others } = pickDrawn(list, { unit: unitOfPanel(panel, data), step: dataStep(data), stacked, before });
  const colors = drawn.length === 1 ? ['accent'] : assignColors(drawn, scope);
  const entries = drawn.map((series, index) => {
    const own = options.colors?.[series.name];
    return { name: series.name ?? '', series, color: stale ? OTHER : TOKEN.test(own) ? own : colors[index], others: 0, mean: false };
  });
  if (others) entries.push({ name: '', series: others.series, color: OTHER, others: others.count, mean: others.mean });
  return { entries, drawn };
}

/** Entries worked out before, by data; and the series drawn last, by panel. */
const known = new WeakMap();
const lastDrawn = new WeakMap();

/** `entriesOf` for a picture and the names beside it: worked out once, and holding to the series that are drawn. */
export function sharedEntries({ panel, data, scope = '', stale = false }) {
  const found = known.get(data);
  if (found && found.panel === panel && found.scope === scope && found.stale === stale) return found.chosen;
  const chosen = entriesOf({ panel, data, scope, stale, before: lastDrawn.get(panel) });
  lastDrawn.set(panel, chosen.drawn);
  known.set(data, { panel, scope, stale, chosen });
  return chosen;
}

/** All that is drawn of a line panel over `range`; see the fields at the end. */
export function lineModel({ panel, data, range, scope, stale, chosen = entriesOf({ panel, data, scope, stale }) }) {
  const options = panel?.options ?? {};
  const unit = unitOfPanel(panel, data);
  const { entries } = chosen;
  const step = dataStep(data);
  const { times, columns } = align(entries.map((entry) => entry.series), step);
  const stacked = options.stack === true && entries.length > 1;
  const shown = stacked ? stack(columns) : columns;
  const forecast = forecastOf(data);
  const limits = limitsOf(options);
  const bounds = reach([...shown, ...(forecast ? [forecast.low, forecast.high] : [])]);
  const y = yRange({
    ...bounds,
    fromZero: startsAtZero(unit),
    fixed: { min: numberOf(options.min), max: numberOf(options.max) },
    include: limits.map((limit) => limit.value),
    floor: unitFloor(unit),
  });
  const end = forecast ? Math.max(range.end, forecast.times.at(-1)) : range.end;
  return {
    unit, entries, times, columns, shown, step, stacked, limits, forecast, y,
    x: [range.start, end],
    stepped: options.step === true,
    lone: shown.map(loneIndexes),
    marks: Array.isArray(data?.marks) ? data.marks.filter((mark) => Number.isFinite(mark?.[0]) && Number.isFinite(mark?.[1])) : [],
  };
}

/** A forecast of the first series as columns: `{times, middle, low, high}`; null where there is none. */
export function forecastOf(data) {
  const points = data?.forecast?.points;
  if (!Array.isArray(points) || points.length < 2) return null;
  const bounds = new Map((data.forecast.intervals ?? []).map((row) => [row[0], row]));
  const rows = points.filter((point) => Number.isFinite(point?.[0]) && Number.isFinite(point?.[1]));
  if (rows.length < 2) return null;
  return {
    times: rows.map(([t]) => t),
    middle: rows.map(([, v]) => v),
    low: rows.map(([t, v]) => finiteOr(bounds.get(t)?.[1], v)),
    high: rows.map(([t, v]) => finiteOr(bounds.get(t)?.[2], v)),
  };
}

function finiteOr(value, otherwise) {
  return Number.isFinite(value) ? value : otherwise;
}
