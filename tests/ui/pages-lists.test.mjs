// Catalogue, reference, boards, trends: what the pages work out before they draw.
import test from 'node:test';
import assert from 'node:assert/strict';
import { matching, registration, united, wrong } from '../../src/ui/pages/logic/catalog.js';
import { curl, groups, resolved, sample, sought } from '../../src/ui/pages/logic/openapi.js';
import { copyOf, found, read, whole, written } from '../../src/ui/pages/logic/boards.js';
import { ahead, bounds, perWhat, reaches, within } from '../../src/ui/pages/logic/trend.js';
import { fill, joined } from '../../src/ui/pages/logic/series.js';

test('metrics are found by all words, in one category', () => {
  const list = [{ name: 'orders_total', help: 'Orders taken', category: 'business' }, { name: 'orders_open', help: '', category: 'custom' }];
  assert.deepEqual(matching(list, 'orders TAKEN', '').map((one) => one.name), ['orders_total']);
  assert.equal(matching(list, '', 'custom').length, 1);
});

test('catalogue and collected metrics make one list without doubles', () => {
  const list = united([{ name: 'b', series: 0, category: 'custom' }], { a: [{ type: 'gauge', help: 'h' }], b: [{ type: 'gauge' }] }, { a: 3, b: 2 });
  assert.deepEqual(list.map(({ name, series, collected }) => [name, series, Boolean(collected)]), [['a', 3, true], ['b', 2, false]]);
});

test('a registration is checked before it is sent and leaves out what is empty', () => {
  const form = { name: '1x', type: 'histogram', unit: '', help: '', category: '', labels: 'a b-c', buckets: '1, x' };
  assert.deepEqual(Object.keys(wrong(form)), ['name', 'labels', 'buckets']);
  assert.deepEqual(registration({ ...form, name: ' x ', labels: 'a, b', buckets: '0.1 1' }), { name: 'x', type: 'histogram', labels: ['a', 'b'], buckets: [0.1, 1] });
});

const SPEC = {
  paths: { '/x/{id}': { parameters: [{ $ref: '#/components/parameters/id' }], get: { tags: ['things'], summary: 'One thing', parameters: [{ name: 'q', in: 'query', required: true }], responses: { 200: { description: 'ok', content: { 'application/json': { schema: { $ref: '#/components/schemas/T' } } } } } },
    post: { tags: ['things'], requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/T' } } } }, responses: { 201: { description: 'made' } } } } },
  components: { parameters: { id: { name: 'id', in: 'path', required: true } }, schemas: { T: { type: 'object', properties: { name: { type: 'string' }, n: { type: ['integer', 'null'] }, self: { $ref: '#/components/schemas/T' } } }, Loop: { $ref: '#/components/schemas/Loop' } } },
};

test('calls are grouped with resolved parameters and examples, and circles end', () => {
  const [group] = groups(SPEC);
  assert.deepEqual([group.name, group.calls.map((one) => one.method)], ['things', ['GET', 'POST']]);
  assert.deepEqual(group.calls[0].parameters.map((one) => one.name), ['id', 'q']);
  assert.equal(group.calls[1].body.example.name, 'text');
  assert.equal(curl('http://h', group.calls[0]), "curl -sS 'http://h/x/{id}?q=%3Cq%3E'");
  assert.ok(resolved(SPEC, { $ref: '#/components/schemas/Loop' })?.$ref);
  assert.equal(sample(SPEC, { anyOf: [{ type: 'null' }, { type: 'boolean' }] }), true);
  assert.equal(sought(groups(SPEC), 'one thing')[0].calls.length, 1);
});

test('a copy of a board has nothing of its own identity, and JSON comes back whole', () => {
  const board = { id: 'a', revision: 3, predefined: true, title: 'A', panels: [{ type: 'pie', query: 'up' }] };
  assert.deepEqual(copyOf(board, 'B'), { title: 'B', panels: board.panels });
  assert.deepEqual(read(written(board)).board.panels[0].queries, [{ query: 'up', legend: '' }]);
  for (const text of ['{', '[]', 'null', '{"panels":1}']) assert.ok(read(text).error, text);
  assert.equal(whole({ queries: [{ query: 'a', legend: 'l' }] }).queries[0].legend, 'l');
  assert.equal(found([{ id: 'ops', title: 'Operations' }], 'OPER').length, 1);
});

test('a forecast has the band of 80 % where there is one, and its middle alone where there is none', () => {
  const bands = [{ level: 0.95, points: [[1, 0, 4]] }, { level: 0.8, points: [[1, 1, 3]] }];
  assert.deepEqual(ahead({ points: [[1, 2], [2, 'NaN']], intervals: bands }), [{ t: 1, v: 2, lo: 1, hi: 3 }]);
  assert.deepEqual(ahead({ points: [[1, 2]], intervals: [] }), [{ t: 1, v: 2, lo: 2, hi: 2 }]);
  assert.deepEqual(ahead(null), []);
  assert.deepEqual(within([{ t: 1, v: 99, lo: -3, hi: 120 }], { lo: 0, hi: 100 }), [{ t: 1, v: 99, lo: 0, hi: 100 }]);
  assert.deepEqual(bounds([1, '2']), [1, 2]);
  assert.equal(bounds([null, 2]), null);
  assert.equal(bounds(null), null);
  assert.equal(reaches([{ t: 5, v: 9 }], 10, 11), null);
  assert.equal(reaches([{ t: 5, v: 9 }, { t: 6, v: 11 }], 10, 1), 6);
  assert.equal(perWhat(60_000)[1], 'a minute');
});

test('places of a dashboard in an expression are filled in and answers joined by query', () => {
  assert.equal(fill('rate(a[$__rate_interval]) + $__interval + $__range', { start: 0, end: 60_000 }, 5), 'rate(a[60s]) + 5s + 60s');
  const answer = { resultType: 'matrix', result: [{ metric: { d: 'x' }, values: [[1, '1'], [2, '2']] }] };
  const data = joined([answer, answer], [{ legend: '{{d}}' }, { legend: 'b' }], { newest: true });
  assert.deepEqual(data.series.map(({ name, query, points }) => [name, query, points.length]), [['x', 0, 1], ['b', 1, 1]]);
});
