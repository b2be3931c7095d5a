// Without a mouse: the skip link first, letters that lead everywhere, a list of them, focus that is seen.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();
const focused = (tab) => tab.page.evaluate(() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  return { text: element.textContent.trim(), id: element.id, tag: element.tagName, ringed: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none' };
});

test('the first Tab is the skip link, and it leads to the content', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/\d/);
  await tab.page.keyboard.press('Tab');
  const skip = await focused(tab);
  assert.match(skip.text, /skip to content/i);
  assert.ok(skip.ringed, 'focus is seen');
  await tab.page.keyboard.press('Enter');
  await until('the content has the focus', async () => (await focused(tab)).id === 'main' || (await focused(tab)).tag === 'MAIN');
  assert.match(tab.path(), /^\/d\/operations/);
}));

test('g and a letter lead to each page', () => here.visit('/settings', async (tab) => {
  await tab.sees('heading', /settings/i);
  for (const [letter, path] of [['o', '/'], ['e', '/d/executive'], ['d', '/d/development'], ['x', '/explore'], ['n', '/analysis'], ['a', '/alerts']]) {
    await tab.page.keyboard.press('g');
    await tab.page.keyboard.press(letter);
    await until(`g ${letter} leads to ${path}`, () => new URL(tab.page.url()).pathname === path);
  }
}));

test('? shows the keys, Escape closes them', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/\d/);
  await tab.page.keyboard.press('?');
  const dialog = await tab.sees('dialog', /key/i);
  assert.match(await dialog.innerText(), /search/i);
  await tab.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
}));

test('t opens the time range, and a choice changes what is asked', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/\d/);
  await tab.page.keyboard.press('t');
  await (await tab.sees('button', /^last 6 hours/i)).click();
  await until('the address keeps it', () => /6h/.test(decodeURIComponent(tab.path())));
  await tab.sees('button', /6 hours/i);
}));

test('/ searches and leads to what was found', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/\d/);
  await tab.page.keyboard.press('/');
  await tab.sees('dialog', /./);
  await tab.page.keyboard.type('explore');
  await tab.sees('option', /explore/i);
  await tab.page.keyboard.press('Enter');
  await until('explore', () => tab.path().startsWith('/explore'));
}));

test('Enter opens the focused panel in full, Escape closes it', () => here.visit('/d/operations', async (tab) => {
  await tab.chart(/cpu/i);
  await tab.page.evaluate(() => document.querySelector('main').focus());
  const panel = await until('a panel with a picture has the focus', async () => {
    await tab.page.keyboard.press('Tab');
    const title = await tab.page.evaluate(() => document.activeElement.closest('main article, main section')?.querySelector('h2, h3')?.textContent);
    return title === 'CPU' && title;
  });
  await tab.page.keyboard.press('Enter');
  const dialog = await tab.sees('dialog', panel);
  const { width, height } = await dialog.boundingBox();
  assert.ok(width > 1000 && height > 600, `it is large: ${width} x ${height}`);
  await tab.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
}));

test('letters typed into a field are text', () => here.visit('/explore', async (tab) => {
  const field = await tab.sees('textbox', /expression/i);
  await field.click();
  await tab.page.keyboard.type('go?t/l');
  assert.equal(await field.inputValue(), 'go?t/l');
  assert.equal(tab.path(), '/explore');
}));
