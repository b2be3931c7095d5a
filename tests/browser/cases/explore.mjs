// Explore: an expression becomes a chart and a table, and a wrong one says where it is wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();
const expression = (tab) => tab.role('textbox', /expression/i);

test('a query shows a chart and a table', () => here.visit('/explore', async (tab) => {
  await until('two samples', async () => (await here.daemon.query('count_over_time(node_load1[5m]) >= 2')).length > 0);
  await expression(tab).fill('node_load1');
  await tab.page.keyboard.press('Control+Enter');
  await tab.chart(/\d/);
  const table = tab.page.getByRole('table').first();
  await until('the value stands in the table', async () => /\d/.test(await table.innerText()));
  assert.match(tab.path(), /^\/explore\?.*expr=node_load1/, 'the address keeps the expression');
  await tab.page.reload();
  await tab.chart(/\d/);
  assert.equal(await expression(tab).inputValue(), 'node_load1');
}));

test('a wrong expression says what and where', () => here.visit('/explore', async (tab) => {
  tab.allow(/status of 400/);
  await expression(tab).fill('sum(rate(node_cpu_seconds_total[5m])');
  await (await tab.sees('button', 'Run')).click();
  const alert = await tab.sees('alert', undefined);
  assert.match(await alert.innerText(), /\d|parse|expected|bracket|parenthes|\)/i);
}));

test('metric names are suggested while one writes and taken with the keyboard', () => here.visit('/explore', async (tab) => {
  await until('names are known', async () => (await here.daemon.query('node_load15')).length > 0);
  await expression(tab).click();
  await tab.page.keyboard.type('node_load1');
  await tab.sees('option', /node_load15/);
  await tab.page.keyboard.press('ArrowDown');
  const chosen = tab.page.getByRole('option', { selected: true });
  const name = (await chosen.innerText()).split('\n')[0].trim();
  await tab.page.keyboard.press('Tab');
  await until('the suggestion is taken', async () => (await expression(tab).inputValue()).startsWith('node_load1'));
  assert.ok(name.startsWith('node_load1'), name);
}));

test('nothing found is said, not drawn', () => here.visit('/explore?expr=no_such_metric', async (tab) => {
  await tab.reads(/no samples/i);
}));
