// axe finds nothing on any page in either theme, on a desktop and, for the main pages, on a phone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { PHONE } from '../lib/page.mjs';
import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGES = ['/d/operations', '/sign-in', '/d/executive', '/d/development', '/dashboards', '/dashboards/new', '/explore?expr=node_load1', '/alerts', '/analysis', '/catalog', '/sources', '/settings', '/no-such-page'];

async function violations(tab) {
  await tab.page.evaluate(AXE);
  const { violations: found } = await tab.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 4).map(({ html, any }) => `${html.slice(0, 160)} ${any.map(({ message }) => message).join('; ').slice(0, 200)}`).join(' | ')}`);
}

async function settled(tab) {
  await until('the page stands', async () => (await tab.page.locator('main, form').first().innerText()).trim().length > 0);
  if (tab.path().startsWith('/d/operations')) await tab.chart(/\d/);
  await until('nothing is loading', async () => (await tab.page.getByRole('status', { name: /loading/i }).count()) === 0);
}

for (const colorScheme of ['light', 'dark']) {
  for (const path of PAGES) {
    test(`${path} in ${colorScheme}`, () => here.visit(path, async (tab) => {
      await settled(tab);
      assert.deepEqual(await violations(tab), []);
    }, { colorScheme, bypassCSP: true, reducedMotion: 'reduce' }));
  }
  for (const path of ['/d/operations', '/sign-in', '/alerts']) {
    test(`${path} on a phone in ${colorScheme}`, () => here.visit(path, async (tab) => {
      await settled(tab);
      assert.deepEqual(await violations(tab), []);
    }, { colorScheme, bypassCSP: true, reducedMotion: 'reduce', viewport: PHONE, isMobile: true, hasTouch: true }));
  }
}

test('a panel in full size, and demo data', () => here.visit('/d/operations?panel=cpu', async (tab) => {
  await settled(tab);
  await tab.sees('dialog', 'CPU');
  assert.deepEqual(await violations(tab), []);
  await tab.go('/d/executive');
  await (await tab.sees('button', 'Show with demo data')).click();
  await tab.chart(/revenue/i);
  assert.deepEqual(await violations(tab), []);
}, { bypassCSP: true, reducedMotion: 'reduce' }));

for (const [key, role, what] of [['?', 'dialog', 'Keyboard'], ['t', 'list', 'Usual times'], ['/', 'dialog', 'Search']]) {
  test(`${what}, open over operations`, () => here.visit('/d/operations', async (tab) => {
    await settled(tab);
    await tab.page.keyboard.press(key);
    await tab.sees(role, what);
    assert.deepEqual(await violations(tab), []);
  }, { bypassCSP: true, reducedMotion: 'reduce' }));
}
