// An alert is made in the browser, seen firing, and told to a webhook; it resolves when it should.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

/** What the webhook was told, oldest first. */
const told = [];
const hook = createServer((request, answer) => {
  let body = '';
  request.on('data', (piece) => { body += piece; });
  request.on('end', () => { told.push(JSON.parse(body)); answer.end(); });
}).listen(0, '127.0.0.1');
await once(hook, 'listening');
after(() => { hook.closeAllConnections(); hook.close(); });

const here = world('alerts.evaluation_interval=1s', `alerts.webhook=http://127.0.0.1:${hook.address().port}/`);
const toldOf = (name, status) => told.filter((one) => one.status === status && one.alerts.some(({ labels }) => labels.alertname === name));

async function write(tab, name, expression, pending) {
  const dialog = await tab.sees('dialog', /rule/i);
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
  await dialog.getByRole('textbox', { name: 'Expression' }).fill(expression);
  await dialog.getByRole('textbox', { name: /pending for/i }).fill(pending);
  return dialog;
}

test('a rule made in the browser fires, is seen and told, and resolves', () => here.visit('/alerts', async (tab) => {
  await here.daemon.api('POST', 'metrics/custom/register', { name: 'test_pressure', type: 'gauge' });
  await here.daemon.api('POST', 'metrics/custom/record', { name: 'test_pressure', value: 9 });
  await (await tab.sees('button', 'New rule')).click();
  const dialog = await write(tab, 'Pressure is high', 'test_pressure > 5', '0s');
  await tab.reads(/one series/i);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await tab.sees('img', /firing/i);
  const row = await tab.sees('button', /pressure is high/i);
  assert.match(await row.innerText(), /9/);
  assert.equal((await here.daemon.api('GET', 'alerts/active')).alerts.find(({ name }) => name === 'Pressure is high')?.state, 'firing');
  await until('the webhook is told', () => toldOf('Pressure is high', 'firing').length === 1);
  await here.daemon.api('POST', 'metrics/custom/record', { name: 'test_pressure', value: 1 });
  await until('the webhook is told that it is over', () => toldOf('Pressure is high', 'resolved').length === 1);
  await until('nothing fires on the page', async () => (await tab.page.getByRole('img', { name: /^firing$/i }).count()) === 0);
  assert.equal(toldOf('Pressure is high', 'firing').length, 1, 'told once');
}));

test('a firing alert is announced on every page, politely', () => here.visit('/d/operations', async (tab) => {
  await here.daemon.api('POST', 'alerts/rules', { name: 'Always so', expr: 'vector(1)', for: '0s', severity: 'critical' });
  await until('it fires', async () => (await here.daemon.api('GET', 'alerts/active')).alerts.some(({ name, state }) => name === 'Always so' && state === 'firing'));
  await until('a live region says it', async () => (await tab.page.locator('[aria-live=polite], [role=status]').allInnerTexts()).some((said) => /always so/i.test(said)), 45_000);
  await until('the rail counts it', async () => /1/.test(await tab.page.getByRole('navigation').getByRole('link', { name: /alerts/i }).filter({ visible: true }).first().innerText()));
}));

test('a rule that does not parse is refused in the form, nothing is stored', () => here.visit('/alerts', async (tab) => {
  tab.allow(/status of 400/);
  const before = (await here.daemon.api('GET', 'alerts/rules')).rules.length;
  await (await tab.sees('button', 'New rule')).click();
  const dialog = await write(tab, 'Broken', 'sum(', '0s');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await until('the form says what is wrong', async () => (await dialog.getByRole('alert').filter({ visible: true }).count()) > 0);
  await tab.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal((await here.daemon.api('GET', 'alerts/rules')).rules.length, before);
}));

test('the default rules are listed and quiet on this machine', () => here.visit('/alerts', async (tab) => {
  const { rules } = await here.daemon.api('GET', 'alerts/rules');
  assert.ok(rules.length >= 10, `a Linux host is watched: ${rules.length} rules`);
  const firing = (await here.daemon.api('GET', 'alerts/active')).alerts.filter(({ name, state }) => state === 'firing' && name !== 'Always so');
  assert.deepEqual(firing, []);
  await (await tab.sees('button', /^show all/i)).click();
  for (const { name } of rules.slice(0, 5)) await tab.sees('button', new RegExp(name.replace(/[^\w ]/g, '.'), 'i'));
}));
