// A dashboard is made in the browser, is there after a restart, is changed and taken away again.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();
const boards = async () => (await here.daemon.api('GET', 'dashboards/list')).dashboards;

test('what is found in explore becomes a dashboard that is there after a restart', async () => {
  await here.visit('/explore?expr=node_load1', async (tab) => {
    await (await tab.sees('button', 'Add to dashboard')).click();
    const dialog = await tab.sees('dialog', /add to dashboard/i);
    await dialog.getByRole('textbox', { name: /name of the new dashboard/i }).fill('My machine');
    await dialog.getByRole('textbox', { name: /title of the panel/i }).fill('Load of the last minute');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await until('the new dashboard', () => tab.path().startsWith('/d/'));
    await tab.sees('heading', /my machine/i);
    await tab.chart(/load of the last minute/i);
  });
  await here.daemon.stop();
  await here.daemon.again();
  await here.visit('/dashboards', async (tab) => {
    await (await tab.sees('link', /my machine/i)).click();
    await tab.sees('heading', /my machine/i);
    await tab.chart(/load of the last minute/i);
  });
});

test('a dashboard is written in the editor', () => here.visit('/dashboards/new', async (tab) => {
  await (await tab.sees('textbox', 'Title')).fill('By hand');
  await (await tab.sees('button', 'Add a panel')).click();
  await tab.sees('heading', 'Panel', { exact: true });
  await tab.role('textbox', 'Title').last().fill('Processes');
  await tab.role('textbox', 'Expression').fill('node_procs_running');
  await tab.page.keyboard.press('Escape');
  await (await tab.sees('button', 'Save')).click();
  await until('it is stored', async () => (await boards()).some(({ title }) => title === 'By hand'));
  await until('it is shown', () => /^\/d\/[^/]+$/.test(tab.path()));
  await tab.chart(/processes/i);
}));

test('who leaves the editor with unsaved changes is asked, and stays if they like', () => here.visit('/catalog', async (tab) => {
  const asked = [];
  let leave = false;
  tab.page.on('dialog', (dialog) => { asked.push(dialog.message()); return leave ? dialog.accept() : dialog.dismiss(); });
  await (await tab.sees('link', 'New dashboard')).click();
  await (await tab.sees('textbox', 'Title')).fill('Not yet');
  await (await tab.sees('link', 'Explore')).click();
  await until('asked', () => asked.length === 1);
  await tab.page.evaluate(() => history.back());
  await until('asked again', () => asked.length === 2);
  await until('still there', () => tab.path() === '/dashboards/new');
  assert.equal(await tab.role('textbox', 'Title').first().inputValue(), 'Not yet');
  leave = true;
  await (await tab.sees('link', 'Explore')).click();
  await until('left', () => tab.path() === '/explore');
  await (await tab.sees('link', 'Alerts')).click();
  await until('free to go', () => tab.path() === '/alerts');
  assert.equal(asked.length, 3);
}));

test('all eight types are drawn', async () => {
  const types = ['line', 'bar', 'gauge', 'pie', 'table', 'big_number', 'status_grid', 'heatmap'];
  const panels = types.map((type, place) => ({ title: `As ${type}`, type, query: 'test_wave', unit: 'ratio', x: (place % 2) * 6, y: Math.floor(place / 2) * 3, w: 6, h: 3 }));
  await here.daemon.api('POST', 'dashboards/create', { id: 'all-types', title: 'All types', panels });
  await here.daemon.api('POST', 'metrics/custom/register', { name: 'test_wave', type: 'gauge', labels: ['shard'] });
  const moments = Array.from({ length: 240 }, (_, back) => Date.now() - back * 15_000).reverse();
  const samples = ['a', 'b', 'c'].flatMap((shard, shift) => moments.map((timestamp) => ({ name: 'test_wave', labels: { shard }, timestamp, value: 0.5 + 0.4 * Math.sin(timestamp / 200_000 + shift) })));
  await here.daemon.api('POST', 'metrics/custom/record', { samples });
  await here.visit('/d/all-types', async (tab) => {
    for (const type of types) await tab.sees('heading', `As ${type}`);
    const { frame } = await until('a snapshot', () => tab.frames.find((one) => one.frame.type === 'snapshot'));
    assert.deepEqual(Object.values(frame.panels).map(({ state, message }) => message ?? state), types.map(() => 'ok'), 'every panel has data');
    await until('nothing is empty, broken or waiting', async () => {
      const said = await tab.page.locator('main').innerText();
      return !/no data|no samples|could not|did not|loading/i.test(said);
    });
    await tab.page.getByRole('table').first().waitFor();
    for (const type of types.filter((one) => one !== 'table' && one !== 'status_grid')) await tab.chart(new RegExp(`^As ${type}.*\\d`));
  });
});

test('a dashboard that somebody else has changed meanwhile is not overwritten', async () => {
  const made = await here.daemon.api('POST', 'dashboards/create', { title: 'Shared', panels: [{ title: 'Load', type: 'line', query: 'node_load1', x: 0, y: 0, w: 6, h: 3 }] });
  await here.visit(`/d/${made.id}/edit`, async (tab) => {
    tab.allow(/status of 409/);
    const title = await tab.sees('textbox', 'Title');
    await until('the form is filled', async () => (await title.inputValue()) === 'Shared');
    await here.daemon.api('PUT', `dashboards/${made.id}`, { ...made, title: 'Theirs' });
    await title.fill('Mine');
    await (await tab.sees('button', /^save/i)).click();
    await tab.reads(/somebody else saved/i);
    assert.equal((await here.daemon.api('GET', `dashboards/${made.id}`)).title, 'Theirs');
  });
});

test('an unknown dashboard is said to be unknown', () => here.visit('/d/no-such-board', async (tab) => {
  tab.allow(/status of 404|WebSocket/);
  await tab.reads(/there is nothing here/i);
}));
