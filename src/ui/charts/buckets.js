// What a heatmap draws: rows of cells over time and the scale of their colours. Pure.

import { parseValue, axisFormat, formatText } from '../format.js';
import { align, dataStep, seriesOf } from './series.js';

/** Steps of the colour ramp above zero. */
export const RAMP = 5;
const MOST_ROWS = 60;

/** The upper edge of a bucket; NaN where a series is none. */
function edgeOf(series) {
  return series.labels && 'le' in series.labels ? parseValue(series.labels.le) : NaN;
}

/**
 * Rows of cells, the lowest first: `{times, step, rows: [{name, edge, values}], buckets}`.
 * Series with `le` are cumulative and come out as counts per bucket; others are rows as they are, the first on top.
 */
export function heatModel(data) {
  const list = seriesOf(data);
  const step = dataStep(data);
  const buckets = list.length > 0 && list.every((series) => !Number.isNaN(edgeOf(series)));
  if (!buckets) {
    const kept = list.slice(0, MOST_ROWS).reverse();
    const { times, columns } = align(kept, step);
    return { times, step, buckets, rows: kept.map((series, index) => ({ name: series.name ?? '', edge: NaN, values: columns[index] })) };
  }
  const sorted = [...list].sort((a, b) => edgeOf(a) - edgeOf(b));
  const { times, columns } = align(sorted, step);
  const edges = [...new Set(sorted.map(edgeOf))];
  const totals = edges.map((edge) => sumColumns(columns.filter((_, index) => edgeOf(sorted[index]) === edge), times.length));
  const rows = edges.map((edge, index) => ({ name: '', edge, values: index ? differences(totals[index], totals[index - 1]) : totals[index] }));
  return { times, step, buckets, rows: trimRows(rows) };
}

function sumColumns(columns, length) {
  const sum = new Array(length);
  for (const column of columns) {
    for (let index = 0; index < length; index += 1) {
      if (column[index] != null) sum[index] = (sum[index] ?? 0) + column[index];
    }
  }
  return sum;
}

function differences(upper, lower) {
  return Array.from(upper, (value, index) => (value == null ? undefined : Math.max(0, value - (lower[index] ?? 0))));
}

/** Buckets that are empty all along are left out, but for one at each end. */
function trimRows(rows) {
  const used = rows.map((row) => row.values.some((value) => value > 0));
  const first = used.indexOf(true);
  if (first < 0) return rows.slice(0, MOST_ROWS);
  return rows.slice(Math.max(0, first - 1), Math.min(rows.length, used.lastIndexOf(true) + 2)).slice(-MOST_ROWS);
}

/** Columns joined so that no more than `most` remain; values of buckets add up, others keep the greatest. */
export function mergeCells(model, most) {
  const span = model.times.length ? model.times.at(-1) - model.times[0] : 0;
  const step = model.step || 1;
  const factor = Math.max(1, Math.ceil(span / step / Math.max(1, most)));
  if (factor === 1) return model;
  const width = step * factor;
  const slot = model.times.map((t) => Math.ceil(t / width) * width);
  const times = [...new Set(slot)];
  const place = new Map(times.map((t, index) => [t, index]));
  const rows = model.rows.map((row) => {
    const values = new Array(times.length);
    row.values.forEach((value, index) => {
      if (value == null) return;
      const at = place.get(slot[index]);
      values[at] = values[at] === undefined ? value : model.buckets ? values[at] + value : Math.max(values[at], value);
    });
    return { ...row, values };
  });
  return { ...model, times, step: width, rows };
}

/**
 * The colour scale: upper limits of the ramp's steps at quantiles of what is above zero, so that each colour is seen
 * about equally often. Fewer limits where there are fewer values.
 */
export function quantileScale(rows) {
  const values = [];
  for (const row of rows) for (const value of row.values) if (value > 0 && Number.isFinite(value)) values.push(value);
  if (!values.length) return [];
  const sorted = Float64Array.from(values).sort();
  const limits = [];
  for (let part = 1; part <= RAMP; part += 1) {
    const limit = sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * part) / RAMP) - 1)];
    if (!limits.length || limit > limits.at(-1)) limits.push(limit);
  }
  return limits;
}

/** The step of the ramp of a value: 0 for zero and less, up to 5; a scale of fewer steps uses the stronger ones too. */
export function rampStep(value, limits) {
  if (!(value > 0) || !limits.length) return 0;
  let at = limits.findIndex((limit) => value <= limit);
  if (at < 0) at = limits.length - 1;
  return limits.length === 1 ? 3 : 1 + Math.round((at * (RAMP - 1)) / (limits.length - 1));
}

/** Labels of the rows that have room, `[{row, text}]`; of buckets preferably the powers of ten and their 2.5 and 5. */
export function rowLabels(model, height, unit) {
  const room = Math.max(1, Math.floor(height / (model.buckets ? 26 : 15)));
  const every = Math.max(1, Math.ceil(model.rows.length / room));
  const picked = model.rows.map((_, index) => index).filter((index) => index % every === 0);
  if (!model.buckets) return picked.map((row) => ({ row, text: model.rows[row].name }));
  return picked.map((row) => ({ row, text: edgeText(model.rows[row].edge, unit) }));
}

/** An upper edge in words: `10 ms`, `∞`. */
export function edgeText(edge, unit) {
  if (!Number.isFinite(edge)) return '∞';
  return unit === 'seconds' ? axisFormat([edge], unit)[0] : formatText(edge, unit);
}
