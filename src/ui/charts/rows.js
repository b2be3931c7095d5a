// Panels as rows: the joined table, every panel "as table", and CSV. Pure.

import { dataStep, labelKey, lastOf, newest, pointsOf, seriesOf, align } from './series.js';
import { toneOf } from './limits.js';
import { parseValue } from '../format.js';

/** Rows of a table that are drawn at most. */
export const MOST_ROWS = 500;

/** Heads of the value columns, one for each query. */
function columnsOf(panel, data) {
  const queries = Array.isArray(panel?.queries) && panel.queries.length ? panel.queries : [{}];
  const most = seriesOf(data).reduce((count, series) => Math.max(count, (series.query ?? 0) + 1), queries.length);
  const options = panel?.options ?? {};
  return Array.from({ length: most }, (_, index) => ({
    head: queries[index]?.legend ?? '',
    unit: options.columns?.[index]?.unit ?? (options.columns ? '' : panel?.unit ?? ''),
    options: { thresholds: options.columns?.[index]?.thresholds ?? (most === 1 ? options.thresholds : undefined), better: options.columns?.[index]?.better },
  }));
}

/** Labels whose values tell the rows apart. */
function namingLabels(rows, wanted) {
  if (Array.isArray(wanted) && wanted.length) return wanted;
  if (typeof wanted === 'string' && wanted) return [wanted];
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].filter((name) => name !== '__name__').sort();
  const telling = names.filter((name) => new Set(rows.map((row) => row.labels[name])).size > 1);
  return telling.length ? telling : names.slice(0, 1);
}

/**
 * The joined table of a panel: `{title, columns, rows, spark, sort, cut}`; a row is `{name, values, tones, points}` with a value
 * for each column (NaN: none). Series of all queries with the same labels are one row.
 */
export function tableModel(panel, data) {
  const options = panel?.options ?? {};
  const columns = columnsOf(panel, data);
  const byKey = new Map();
  for (const series of seriesOf(data)) {
    const labels = series.labels ?? {};
    const key = labelKey(labels);
    if (!byKey.has(key)) byKey.set(key, { labels, series: new Array(columns.length), first: series.name ?? '' });
    byKey.get(key).series[series.query ?? 0] = series;
  }
  const found = [...byKey.values()];
  const naming = namingLabels(found, options.row);
  const spark = Number.isInteger(options.spark) && options.spark >= 0 && options.spark < columns.length ? options.spark : -1;
  const rows = found.map((row) => {
    const values = row.series.length ? Array.from(row.series, (series) => (series ? lastOf(series).v : NaN)) : [];
    const name = naming.map((label) => row.labels[label]).filter((text) => text !== undefined && text !== '').join(' ');
    return {
      key: labelKey(row.labels), name: name || row.first, values,
      tones: values.map((value, index) => toneOf(value, columns[index].options)),
      points: spark >= 0 ? pointsOf(row.series[spark]) : [],
    };
  });
  const sort = Number.isInteger(options.sort) && options.sort >= 0 && options.sort < columns.length ? options.sort : -1;
  const limit = Number.isInteger(options.limit) && options.limit > 0 ? Math.min(options.limit, MOST_ROWS) : MOST_ROWS;
  const ordered = sort >= 0 ? sortRows(rows, sort, 'descending') : rows;
  return { title: rowTitle(options, naming), columns, rows: ordered.slice(0, limit), spark, sort, cut: Math.max(0, rows.length - limit) };
}

function rowTitle(options, naming) {
  if (typeof options.row_title === 'string') return options.row_title;
  return naming.join(' ');
}

/** Rows in another order: by a column's value, or by name for -1. What has no value is last; equal rows keep their order. */
export function sortRows(rows, column, direction) {
  const sign = direction === 'descending' ? -1 : 1;
  const compare = (a, b) => {
    if (column < 0) return sign * a.name.localeCompare(b.name, undefined, { numeric: true });
    const [left, right] = [a.values[column], b.values[column]];
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) - Number.isNaN(right);
    return left === right ? 0 : sign * (left < right ? -1 : 1);
  };
  return [...rows].sort(compare);
}

/** Whether a panel's data are values over time (more than one point in some series). */
export function overTime(data) {
  return seriesOf(data).some((series) => pointsOf(series).length > 1);
}

/** Values over time as rows, the newest first: `{names, rows: [{t, values}], cut}`. */
export function timeRows(data, most = MOST_ROWS) {
  const list = seriesOf(data);
  const { times, columns } = align(list, dataStep(data));
  const kept = [];
  for (let index = times.length - 1; index >= 0; index -= 1) {
    const values = columns.map((column) => column[index] ?? NaN);
    if (values.some((value) => !Number.isNaN(value))) kept.push({ t: times[index], values });
  }
  return { names: list.map((series) => series.name ?? ''), rows: kept.slice(0, most), cut: Math.max(0, kept.length - most) };
}

/** A text as a CSV field. One that a spreadsheet would run as a formula gets an apostrophe before it. */
function field(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function figure(value) {
  if (Number.isNaN(value)) return '';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

const iso = (ms) => (Number.isFinite(ms) ? new Date(ms).toISOString() : '');

/**
 * A panel's data as CSV (RFC 4180, lines end in CRLF): a line for each time with a column for each series, or, where
 * there are only newest values, a line for each series with its labels.
 */
export function toCsv(panel, data) {
  const lines = panel?.type === 'table' ? tableLines(panel, data) : overTime(data) ? timeLines(data) : valueLines(data);
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function tableLines(panel, data) {
  const { title, columns, rows } = tableModel(panel, data);
  return [[field(title || 'name'), ...columns.map((column, index) => field(column.head || `value ${index + 1}`))],
    ...rows.map((row) => [field(row.name), ...row.values.map(figure)])];
}

function timeLines(data) {
  const list = seriesOf(data);
  const at = new Map();
  list.forEach((series, index) => {
    for (const [t, v] of pointsOf(series)) {
      if (!at.has(t)) at.set(t, new Array(list.length).fill(''));
      at.get(t)[index] = figure(parseValue(v));
    }
  });
  const times = [...at.keys()].sort((a, b) => a - b);
  return [['time', ...list.map((series) => field(series.name ?? ''))], ...times.map((t) => [iso(t), ...at.get(t)])];
}

function valueLines(data) {
  const list = newest(data);
  const labels = [...new Set(list.flatMap((series) => Object.keys(series.labels)))].sort();
  return [['name', ...labels.map(field), 'time', 'value'],
    ...list.map((series) => [field(series.name), ...labels.map((name) => field(String(series.labels[name] ?? ''))), iso(series.t), figure(series.v)])];
}

