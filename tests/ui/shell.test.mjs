// The shell's pure parts: paths, places on the grid, search, the lines that send a metric, back-off, CSV.
import assert from 'node:assert/strict';
import test from 'node:test';
import { places } from '../../src/ui/components/grid.js';
import { csv, grid } from '../../src/ui/components/datatable.js';
import { rank } from '../../src/ui/components/rank.js';
import { recordLines } from '../../src/ui/components/record.js';
import { oldest, sizeText, storage } from '../../src/ui/components/storage.js';
import { demoData } from '../../src/ui/demo.js';
import { backoff } from '../../src/ui/live.js';
import { find, match } from '../../src/ui/pages/index.js';

test('paths find their page and what they name', () => {
  assert.deepEqual(find('/').params, { id: 'operations' });
  assert.deepEqual(find('/d/my%20board').params, { id: 'my board' });
  assert.equal(find('/dashboards/new').page.name, 'edit');
  assert.equal(find('/explore/').page.name, 'explore');
  assert.equal(find('/d/x/y').page.name, 'unknown');
  assert.equal(match('/d/:id', '/d/%'), null);
});

const panel = (id, type, x, y, w, h = 2) => ({ id, type, x, y, w, h });

test('on middle screens halves stand in pairs of one height, and none stands alone', () => {
  const out = places([panel('a', 'line', 0, 0, 4, 2), panel('b', 'line', 4, 0, 4, 3), panel('c', 'line', 8, 0, 4, 2), panel('d', 'line', 0, 3, 7)]);
  assert.deepEqual(out.map(({ mw, mh }) => [mw, mh]), [[6, 3], [6, 3], [12, 2], [12, 2]]);
});

test('on phones big numbers stay two a row, everything else takes the width', () => {
  const out = places([panel('a', 'big_number', 0, 0, 3), panel('b', 'big_number', 3, 0, 3), panel('c', 'big_number', 6, 0, 3), panel('d', 'pie', 9, 0, 3)]);
  assert.deepEqual(out.map(({ sw }) => sw), [6, 6, 12, 12]);
});

test('panels come in reading order', () => {
  const out = places([panel('low', 'line', 0, 5, 6), panel('right', 'line', 6, 0, 6), panel('left', 'line', 0, 0, 6)]);
  assert.deepEqual(out.map((place) => place.panel.id), ['left', 'right', 'low']);
});

test('search takes every word, names that begin so first', () => {
  const names = ['node_memory_Percpu_bytes', 'cpu_top', 'node_cpu_seconds_total', 'disk'];
  assert.deepEqual(rank('cpu', names, (n) => n), ['cpu_top', 'node_cpu_seconds_total', 'node_memory_Percpu_bytes']);
  assert.deepEqual(rank('node cpu', names, (n) => n)[0], 'node_cpu_seconds_total');
  assert.deepEqual(rank('zzz', names, (n) => n), []);
  assert.deepEqual(rank('  ', names, (n) => n), names);
});

test('a known metric is sent by one line, an unknown one is registered first', () => {
  const known = recordLines([{ name: 'orders_total', type: 'counter', unit: '', known: true }], 'http://h:1');
  assert.equal(known.match(/curl/g).length, 1);
  assert.match(known, /metrics\/custom\/record/);
  assert.match(known, /"increment":1/);
  const unknown = recordLines([{ name: 'x_seconds_bucket', known: false }], 'http://h:1');
  assert.match(unknown, /register[^]*"name":"x_seconds","type":"histogram"[^]*record[^]*"value"/);
  assert.match(recordLines([{ name: "it's", type: 'gauge', known: true }], ''), /'\{"name":"it'\\''s"/);
});

test('tries come ever more slowly, at most every 30 s, not all at once', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((n) => backoff(n, 0.5)), [1, 2, 4, 8, 16, 30, 30]);
  assert.ok(backoff(3, 0) < backoff(3, 1));
});

test('CSV has all moments, oldest first, and quotes names', () => {
  const data = { series: [{ name: 'a,"b"', points: [[0, 1], [1000, 'NaN']] }, { name: 'c', points: [[1000, 2]] }] };
  assert.equal(csv(data), 'time,"a,""b""",c\r\n1970-01-01T00:00:00.000Z,1,\r\n1970-01-01T00:00:01.000Z,NaN,2\r\n');
  assert.deepEqual(grid(data).moments, [1000, 0]);
});

test('storage says sizes, shares and since when', () => {
  const tier = (bytes, from) => ({ bytes, oldest: from });
  const stats = { tiers: { raw: tier(600, 9e8), aggregated: tier(300, 5e8), summary: tier(0, null) }, journal: { bytes: 100 } };
  assert.equal(oldest(stats), 5e8);
  assert.deepEqual(storage(stats, 5e8 + 864e5 * 3), { total: '1.0 kB', parts: [{ tier: 'raw', share: 0.7 }, { tier: 'aggregated', share: 0.3 }], days: '3 days' });
  assert.equal(storage(null, 0), null);
  assert.deepEqual([0, 999, 1000, 412e6, 9.94e9].map(sizeText), ['0 B', '999 B', '1.0 kB', '412 MB', '9.9 GB']);
});

test('demo data are the same each time, of every type, and inside the range', () => {
  const span = { start: 0, end: 3_600_000 };
  for (const type of ['line', 'bar', 'gauge', 'pie', 'table', 'big_number', 'status_grid', 'heatmap']) {
    const one = { id: type, title: type, type, queries: [{ query: 'sum by (route) (x)', legend: '{{route}}' }] };
    const data = demoData(one, span);
    assert.deepEqual(data, demoData(one, span));
    assert.equal(data.state, 'ok');
    assert.ok(data.series.length > 0 && data.series.every(({ points }) => points.length && points.every(([t, v]) => t <= span.end && Number.isFinite(v))), type);
  }
});

test('demo data are plausible: shares are shares, tables have rows with every column, totals agree', () => {
  const span = { start: 0, end: 86_400_000 };
  const by = (expr) => `avg by (channel) (last_over_time(${expr}[1d]))`;
  const revenue = 'sum by (channel) (last_over_time(revenue_total[1d]))';
  const table = {
    id: 'channels', title: 'Channels', type: 'table', options: { columns: [{ unit: 'ratio' }, { unit: 'ratio' }, { unit: 'count' }] },
    queries: [{ query: by('sales_conversion_ratio'), legend: 'conversion' }, { query: by('user_satisfaction_ratio'), legend: 'satisfaction' }, { query: revenue, legend: 'revenue' }],
  };
  const { series } = demoData(table, span);
  const rows = new Map();
  for (const { labels, query, points } of series) rows.set(labels.channel, { ...rows.get(labels.channel), [query]: points.at(-1)[1] });
  assert.ok(rows.size >= 3);
  for (const row of rows.values()) assert.ok(row[0] > 0 && row[0] < 0.2 && row[1] > 0.5 && row[1] < 1 && row[2] > 1, JSON.stringify(row));
  const sum = (list) => Math.round(list.reduce((all, { points }) => all + points.at(-1)[1], 0));
  const pie = demoData({ id: 'sales', title: 'Sales', type: 'pie', queries: [{ query: `${revenue} > 0`, legend: '{{channel}}' }] }, span);
  const number = demoData({ id: 'n', title: 'Revenue', type: 'big_number', queries: [{ query: 'sum(last_over_time(revenue_total[1d]))' }] }, span);
  assert.equal(sum(pie.series), sum(number.series));
  assert.ok(number.series[0].points.every(([, v], i, all) => i === 0 || v >= all[i - 1][1]), 'a total only grows');
  const shares = demoData({ id: 'x', title: 'x', type: 'line', unit: 'percent', queries: [{ query: '100 * avg by (level) (cache_hit_ratio)', legend: '{{level}}' }] }, span);
  assert.ok(shares.series.every(({ points }) => points.every(([, v]) => v > 50 && v <= 100)));
});

test('every sentence of the shell has its Spanish', async () => {
  const { readFileSync, readdirSync } = await import('node:fs');
  const { default: words } = await import('../../src/ui/text/es-shell.js');
  const ui = new URL('../../src/ui/', import.meta.url);
  const files = ['main.js', 'board.js', 'pages/dashboard.js', 'pages/unknown.js', ...readdirSync(new URL('components/', ui)).map((name) => `components/${name}`)];
  const said = files.flatMap((file) => [...readFileSync(new URL(file, ui), 'utf8').matchAll(/\bt\('([^']+)'/g)].map(([, text]) => text));
  assert.ok(said.length > 80);
  assert.deepEqual(said.filter((text) => !words[text]), []);
});

test('every title of the dashboards that come with the program has its Spanish', async () => {
  const { readFileSync, readdirSync } = await import('node:fs');
  const { default: words } = await import('../../src/ui/text/es-boards.js');
  const { default: shell } = await import('../../src/ui/text/es-shell.js');
  const folder = new URL('../../config/dashboards/', import.meta.url);
  const texts = readdirSync(folder).flatMap((file) => [...readFileSync(new URL(file, folder), 'utf8').matchAll(/^ *(?:sub)?title: (.+)$/gm)]);
  const said = texts.map(([, text]) => text.replace(/^"(.*)"$/, '$1'));
  assert.ok(said.length > 40);
  assert.deepEqual(said.filter((text) => !words[text] && !shell[text]), []);
});
