// Dark and light: the system's wish before the first paint, then the person's choice, kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { world } from '../lib/world.mjs';

const here = world();
const luminance = (tab) => tab.page.evaluate(() => {
  const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
});

/** Runs in the page before anything else: notes the theme at every change and at the first paint. */
function watchTheme() {
  globalThis.themes = [];
  new MutationObserver(() => {
    if (document.body && document.documentElement.dataset.theme !== globalThis.themes.at(-1)) globalThis.themes.push(document.documentElement.dataset.theme);
  }).observe(document, { attributes: true, attributeFilter: ['data-theme'], childList: true, subtree: true });
}

for (const theme of ['dark', 'light']) {
  test(`a system that is ${theme} gets a ${theme} page from the first moment`, () => here.visit('/d/operations', async (tab) => {
    await tab.page.addInitScript(watchTheme);
    await tab.page.reload();
    await tab.chart(/\d/);
    assert.equal(await tab.theme(), theme);
    assert.deepEqual(await tab.page.evaluate(() => globalThis.themes), [theme], 'the body never had another theme');
    const light = await luminance(tab);
    assert.ok(theme === 'dark' ? light < 0.2 : light > 0.8, `the page is ${theme}: ${light}`);
  }, { colorScheme: theme }));
}

test('the choice is kept, and charts are drawn anew in its colours', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/cpu/i);
  const chart = tab.role('img', /cpu/i).first();
  const light = await chart.screenshot();
  await (await tab.sees('button', /theme/i)).click();
  await tab.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  assert.ok(await luminance(tab) < 0.2, 'the page is dark now');
  assert.notDeepEqual(await chart.screenshot(), light, 'the chart looks different');
  await tab.page.reload();
  await tab.chart(/cpu/i);
  assert.equal(await tab.theme(), 'dark', 'the choice outlives a reload');
  assert.ok(await luminance(tab) < 0.2);
}));

test('a change of the system is followed while nobody has chosen', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/\d/);
  await tab.page.emulateMedia({ colorScheme: 'dark' });
  await tab.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  await tab.page.emulateMedia({ colorScheme: 'light' });
  await tab.page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
}));
