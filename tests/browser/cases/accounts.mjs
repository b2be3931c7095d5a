// With an account nobody comes in without signing in, and the page leads there and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();
const PASSWORD = 'correct horse battery staple';

here.prepare = async () => {
  await here.daemon.command(['user', 'add', 'ana', '--role', 'admin'], `${PASSWORD}\n`);
  await here.daemon.command(['user', 'add', 'vera', '--role', 'viewer'], `${PASSWORD}\n`);
  await until('accounts hold', async () => (await fetch(`${here.daemon.base}/api/v1/monitoring/metrics/stats`)).status === 401);
};

async function signIn(tab, name, password) {
  await tab.role('textbox', 'Name').fill(name);
  await tab.page.getByLabel('Password').fill(password);
  await tab.role('button', 'Sign in').click();
}

test('a stranger is led to the sign-in page, and after signing in to where they wanted', () => here.visit('/explore?expr=up', async (tab) => {
  await tab.sees('button', 'Sign in');
  assert.match(tab.path(), /^\/sign-in/);
  await signIn(tab, 'ana', PASSWORD);
  await until('back at explore', () => tab.path().startsWith('/explore'));
  await tab.chart(/\d/);
  const cookies = await tab.context.cookies();
  assert.equal(cookies.length, 1, 'one cookie');
  assert.ok(cookies[0].httpOnly && cookies[0].sameSite === 'Strict', 'no script and no other page gets it');
  assert.equal(await tab.page.evaluate(() => JSON.stringify(localStorage).includes('correct horse')), false);
}));

test('a wrong password is refused in words, the next try may be right', () => here.visit('/sign-in', async (tab) => {
  tab.allow(/status of 401|status of 403/);
  await signIn(tab, 'vera', 'wrong');
  await tab.reads(/name or password is wrong/i);
  await signIn(tab, 'vera', PASSWORD);
  await tab.sees('heading', /operations/i);
  await tab.chart(/\d/);
}));

test('a viewer is offered nothing that they may not do', () => here.visit('/sign-in', async (tab) => {
  await signIn(tab, 'vera', PASSWORD);
  await tab.sees('heading', /operations/i);
  await tab.page.goto(`${here.daemon.base}/explore?expr=up`);
  await tab.chart(/\d/);
  assert.equal(await tab.role('button', 'Make an alert').count(), 0);
  assert.equal(await tab.role('button', 'Add to dashboard').count(), 0);
}));

test('signing out ends the session', () => here.visit('/sign-in', async (tab) => {
  tab.allow(/status of 40[14]/);
  await signIn(tab, 'ana', PASSWORD);
  await tab.sees('heading', /operations/i);
  await (await tab.sees('button', /account of ana/i)).click();
  await (await tab.sees('button', 'Sign out')).click();
  await tab.sees('button', 'Sign in');
  await tab.page.goto(`${here.daemon.base}/d/operations`);
  await tab.sees('button', 'Sign in');
}));

test('a public dashboard is seen by strangers, its queries are not', async () => {
  const key = (await here.daemon.command(['key', 'create', 'board', '--role', 'editor', '--scope', 'write'])).trim().split(/\s+/).pop();
  await here.daemon.api('POST', 'dashboards/create', {
    id: 'open', title: 'Open to all', access: 'public',
    panels: [{ title: 'Load', type: 'line', query: 'node_load1', x: 0, y: 0, w: 6, h: 3 }],
  }, { Authorization: `Bearer ${key}` });
  await here.visit('/d/open', async (tab) => {
    await tab.sees('heading', /open to all/i);
    await tab.chart(/load/i);
    assert.doesNotMatch(tab.path(), /sign-in/);
    await tab.sees('link', 'Sign in');
    await until('it is live', () => tab.frames.length > 1);
    assert.equal(await tab.page.getByRole('link', { name: 'Explore' }).count(), 0);
    assert.equal((await fetch(`${here.daemon.base}/api/v1/query?query=up`)).status, 401);
  });
});
