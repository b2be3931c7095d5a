// The page speaks Spanish to whoever wants it, and remembers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();

test('a Spanish browser gets a Spanish page', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/\d/);
  assert.equal(await tab.page.evaluate(() => document.documentElement.lang), 'es');
  await tab.sees('link', /alertas/i);
}, { locale: 'es-ES' }));

test('the language is chosen in the settings and kept', () => here.visit('/settings', async (tab) => {
  await tab.sees('link', /alerts/i);
  await (await tab.sees('combobox', 'Language')).selectOption({ label: 'Español' });
  await tab.sees('link', /alertas/i);
  await tab.go('/d/operations');
  await tab.sees('link', /alertas/i);
  await until('the page says its language', () => tab.page.evaluate(() => document.documentElement.lang === 'es'));
}));
