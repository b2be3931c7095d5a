// A panel without data tells which metric feeds it and how to send it; sent, it comes alive. A dashboard
// without any data offers to show itself with made-up values, marked as such, gone on a click.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();

/** The curl line that a panel shows, as it would be pasted into a shell. */
async function curlLine(tab) {
  return until('a curl line', async () => {
    const shown = await tab.page.locator('main').getByText(/curl/).filter({ visible: true }).first().innerText();
    return shown.includes('metrics/custom/record') && shown.slice(shown.indexOf('curl'));
  });
}

test('the curl line of an empty panel brings it to life', async () => {
  const panels = [{ title: 'Revenue', type: 'line', query: 'business_revenue_total', x: 0, y: 0, w: 6, h: 3 }];
  const known = (await here.daemon.api('GET', 'metrics/custom/list')).metrics.find(({ category, type }) => category === 'business' && type === 'gauge');
  panels[0].query = known.name;
  await here.daemon.api('POST', 'dashboards/create', { id: 'empty-one', title: 'Empty', panels });
  await here.visit('/d/empty-one', async (tab) => {
    await tab.reads(known.name);
    const line = await curlLine(tab);
    execFileSync('sh', ['-c', line], { stdio: 'pipe' });
    await tab.chart(/revenue/i);
    await until('the curl line is gone', async () => (await tab.page.getByText(/curl/).filter({ visible: true }).count()) === 0);
  });
});

test('for a metric nobody knows, the line registers it first', async () => {
  const panels = [{ title: 'Coffee', type: 'big_number', query: 'office_coffee_cups', x: 0, y: 0, w: 6, h: 3 }];
  await here.daemon.api('POST', 'dashboards/create', { id: 'empty-two', title: 'Empty too', panels });
  await here.visit('/d/empty-two', async (tab) => {
    await tab.reads('office_coffee_cups');
    execFileSync('sh', ['-c', await curlLine(tab)], { stdio: 'pipe' });
    await until('it is recorded', async () => (await here.daemon.query('office_coffee_cups')).length > 0);
    await until('the curl line is gone', async () => (await tab.page.getByText(/curl/).filter({ visible: true }).count()) === 0);
  });
});

test('executive offers demo data, marks it and takes it away', () => here.visit('/d/executive', async (tab) => {
  const series = (await here.daemon.api('GET', 'metrics/stats')).series;
  await (await tab.sees('button', /demo/i)).click();
  await tab.reads(/demo data/i);
  const shown = await until('charts are drawn', async () => (await tab.sentences()).filter((said) => /\d/.test(said)).length >= 4);
  assert.ok(shown);
  assert.ok((await here.daemon.query('{category="business"}')).length === 0 && (await here.daemon.api('GET', 'metrics/stats')).series < series + 50, 'nothing of it is stored');
  await (await tab.sees('button', /remove|take away|stop|hide|without/i)).click();
  await until('it is empty again', async () => (await tab.page.locator('main').getByText(/curl/).count()) > 0 || (await tab.role('button', /demo/i).count()) > 0);
  await tab.page.reload();
  await tab.sees('button', /demo/i);
}));
