// A phone's width: everything fits, the bar is at the bottom, fingers hit what they aim at.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PHONE } from '../lib/page.mjs';
import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();
const phone = { viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const PAGES = ['/d/operations', '/d/executive', '/d/development', '/dashboards', '/dashboards/new', '/explore?expr=node_load1', '/alerts', '/analysis', '/catalog', '/sources', '/settings', '/sign-in'];

/** What sticks out of the window to the right, if anything lets the document scroll sideways. */
const sticksOut = () => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > clientWidth + 1);
  return wide.slice(0, 8).map((element) => `${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className} ${Math.round(element.getBoundingClientRect().right)}`);
};

for (const path of PAGES) {
  test(`${path} fits a phone`, () => here.visit(path, async (tab) => {
    await tab.page.waitForLoadState('networkidle').catch(() => {});
    await until('something stands in the page', async () => (await tab.page.locator('main, form').first().innerText()).trim().length > 0);
    assert.deepEqual(await tab.page.evaluate(sticksOut), [], 'nothing makes the document scroll sideways');
  }, phone));
}

test('the rail is a bar at the bottom and leads to the other pages', () => here.visit('/d/operations', async (tab) => {
  const bar = tab.page.getByRole('navigation').filter({ visible: true }).filter({ has: tab.page.getByRole('link', { name: /alerts/i }) }).first();
  await bar.waitFor();
  const box = await bar.boundingBox();
  assert.ok(Math.abs(box.y + box.height - PHONE.height) <= 1 && box.width >= PHONE.width - 1, `the bar lies along the bottom: ${JSON.stringify(box)}`);
  const targets = await bar.getByRole('link').or(bar.getByRole('button')).all();
  assert.equal(targets.length, 5, 'five places');
  for (const target of targets) {
    const { width, height } = await target.boundingBox();
    assert.ok(width >= 44 && height >= 44, `a finger hits ${await target.innerText()}: ${width} x ${height}`);
  }
  await bar.getByRole('button', { name: /boards/i }).click();
  const sheet = await tab.sees('dialog', /dashboards/i);
  await sheet.getByRole('link', { name: 'Executive' }).click();
  await until('executive', () => tab.path() === '/d/executive');
  await bar.getByRole('link', { name: /alerts/i }).click();
  await until('the alerts', () => tab.path() === '/alerts');
  await tab.sees('heading', /alerts/i);
}, phone));

test('the time range opens as a sheet at the bottom', () => here.visit('/d/operations', async (tab) => {
  await (await tab.sees('button', /^time/i)).click();
  const times = await tab.sees('list', /usual times/i);
  const last = times.getByRole('button', { name: /last hour/i });
  const { x, y, width, height } = await last.boundingBox();
  assert.ok(x >= 0 && x + width <= PHONE.width && y > 0 && y + height <= PHONE.height, `the sheet fits: ${JSON.stringify({ x, y, width, height })}`);
  await last.click();
  await times.waitFor({ state: 'hidden' });
  await tab.sees('button', /last hour/i);
}, phone));
