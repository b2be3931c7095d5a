// Every sentence of the pages that is written out in the code has its Spanish, with the same places to fill in.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import pages from '../../src/ui/text/es-pages.js';
import shell from '../../src/ui/text/es-shell.js';
import { AGGREGATIONS, FUNCTIONS, KEYWORDS } from '../../src/ui/pages/logic/promql.js';
import { PANEL_TYPES } from '../../src/ui/pages/logic/layout.js';

const folder = new URL('../../src/ui/pages/', import.meta.url);
const OTHERS = new Set(['dashboard.js', 'unknown.js', 'index.js']);

test('no sentence of a page is without its Spanish', () => {
  const missing = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.js') && !OTHERS.has(name))) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    for (const [, key] of text.matchAll(/\bt\(\s*'((?:[^'\\]|\\.)*)'/g)) if (!(key in pages) && !(key in shell)) missing.push(`${file}: ${key}`);
  }
  assert.deepEqual(missing, []);
});

test('no word of the lists is without its Spanish', () => {
  const words = [...Object.values(FUNCTIONS), ...Object.values(AGGREGATIONS), ...Object.values(KEYWORDS), ...PANEL_TYPES.map(([, name]) => name)];
  assert.deepEqual(words.filter((word) => !(word in pages)), []);
});

test('a translation has the places of its sentence and no other', () => {
  const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [english, spanish] of Object.entries(pages)) assert.deepEqual(places(spanish), places(english), english);
});
