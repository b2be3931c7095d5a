// Panels on their grid never lie on one another, whatever a person does with them.
import test from 'node:test';
import assert from 'node:assert/strict';
import { below, faults, outgoing, overlap, partOf, place, settle, swap, tidy } from '../../src/ui/pages/logic/layout.js';

const free = (panels) => panels.every((a, i) => panels.every((b, k) => i === k || !overlap(a, b)));
const panels = () => [{ id: 'a', x: 0, y: 0, w: 6, h: 3 }, { id: 'b', x: 6, y: 0, w: 6, h: 3 }, { id: 'c', x: 0, y: 3, w: 12, h: 2 }];

test('a new panel comes beside the last ones where there is room, else below', () => {
  assert.deepEqual(below([], { type: 'line' }), { type: 'line', x: 0, y: 0, w: 6, h: 3 });
  const one = below([{ x: 0, y: 0, w: 6, h: 3 }], { type: 'line' });
  assert.deepEqual([one.x, one.y], [6, 0]);
  const two = below(panels(), { type: 'big_number' });
  assert.deepEqual([two.x, two.y], [0, 5]);
});

test('whatever is moved or resized, nothing lies on anything', () => {
  let list = panels();
  for (let i = 0; i < 400; i += 1) {
    const change = [{ x: i % 13 }, { y: i % 7 }, { w: i % 14 }, { h: i % 5 }][i % 4];
    list = place(list, i % 3, change);
    assert.ok(free(list), JSON.stringify(list));
    assert.ok(list.every((one) => one.x >= 0 && one.x + one.w <= 12 && one.w >= 1 && one.h >= 1));
  }
});

test('rows that nothing covers go, and no other place changes', () => {
  assert.deepEqual(tidy([{ x: 0, y: 2, w: 1, h: 1 }, { x: 1, y: 5, w: 1, h: 2 }]).map((one) => one.y), [0, 1]);
  assert.deepEqual(tidy(panels()), panels());
});

test('the one that is moved stays where it was put', () => {
  const list = place(panels(), 2, { y: 1 });
  assert.deepEqual([list[2].x, list[2].y], [0, 1]);
  assert.ok(free(list));
});

test('neighbours change places, and the first has none before it', () => {
  assert.deepEqual(swap(panels(), 0, 1).map((one) => one.x), [6, 0, 0]);
  assert.deepEqual(swap(panels(), 0, -1), panels());
  assert.ok(free(swap(panels(), 1, 1)));
  assert.deepEqual(settle(panels()), panels());
});

test('the part an error names is found by number and by id', () => {
  assert.deepEqual(partOf('panels[2].query', panels()), { panel: 2, part: 'query' });
  assert.deepEqual(partOf('panels.b.queries[0].query', panels()), { panel: 1, part: 'queries[0].query' });
  assert.equal(partOf('title', panels()), null);
  assert.equal(partOf('panels[9].x', panels()), null);
  assert.equal(partOf(undefined, panels()), null);
});

test('an unfinished board says what it lacks, and empty parts are not sent', () => {
  const board = { title: ' ', panels: [{ title: '', type: 'line', unit: '', queries: [{ query: '', legend: '' }], x: 0, y: 0, w: 1, h: 1, options: {} }] };
  assert.deepEqual(Object.keys(faults(board)), ['title', 'panels[0].queries[0].query']);
  const sent = outgoing({ title: 'T', subtitle: '', panels: [{ type: 'line', unit: '', queries: [{ query: 'up', legend: '' }, { query: ' ' }], options: {} }] });
  assert.deepEqual(sent, { title: 'T', panels: [{ type: 'line', queries: [{ query: 'up' }] }] });
});
