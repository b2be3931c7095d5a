// A panel without data tells which metric feeds it and how to send it; sent, it comes alive. A dashboard
// without any data offers to show itself with made-up values, marked as such, gone on a click.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();

/** Pastes the lines that an empty panel shows into a shell. */
async function doAsToldBy(tab) {
  await (await tab.sees('button', 'How to send it')).click();
  const dialog = await tab.sees('dialog', 'How to send it');
  const lines = await dialog.getByText(/curl/).first().innerText();
  assert.match(lines, /metrics\/custom\/record/);
  await tab.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  return execFileSync('sh', ['-e', '-c', lines.replaceAll('curl ', 'curl -fsS ')], { encoding: 'utf8', stdio: 'pipe' });
}

const isAlive = (tab) => until('the panel is not empty any more', async () => (await tab.role('button', 'How to send it').count()) === 0);

test('executive offers demo data, marks it and takes it away', () => here.visit('/d/executive', async (tab) => {
  await (await tab.sees('button', /demo/i)).click();
  await tab.reads(/demo data/i);
  const shown = await until('charts are drawn', async () => (await tab.sentences()).filter((said) => /\d/.test(said)).length >= 4);
  assert.ok(shown);
  assert.equal((await here.daemon.query('{__name__=~"revenue.+"}')).length, 0, 'nothing of it is stored');
  await (await tab.sees('button', 'Remove', { exact: true })).click();
  await tab.sees('button', 'How to send it');
  await tab.sees('button', /demo/i);
  assert.equal((await tab.page.getByText('Demo data', { exact: true }).count()), 0);
}));

test('the curl line of an empty panel brings it to life', async () => {
  const known = (await here.daemon.api('GET', 'metrics/custom/list')).metrics.find(({ category, type }) => category === 'business' && type === 'gauge');
  const panels = [{ title: 'Revenue', type: 'line', query: known.name, x: 0, y: 0, w: 6, h: 3 }];
  await here.daemon.api('POST', 'dashboards/create', { id: 'empty-one', title: 'Empty', panels });
  await here.visit('/d/empty-one', async (tab) => {
    await tab.reads(known.name);
    await doAsToldBy(tab);
    await isAlive(tab);
    await tab.chart(/revenue/i);
  });
});

test('for a metric nobody knows, the line registers it first', async () => {
  const panels = [{ title: 'Coffee', type: 'big_number', query: 'office_coffee_cups', x: 0, y: 0, w: 6, h: 3 }];
  await here.daemon.api('POST', 'dashboards/create', { id: 'empty-two', title: 'Empty too', panels });
  await here.visit('/d/empty-two', async (tab) => {
    await tab.reads('office_coffee_cups');
    await doAsToldBy(tab);
    assert.equal((await here.daemon.query('office_coffee_cups')).length, 1, 'it is recorded');
    await isAlive(tab);
  });
});
