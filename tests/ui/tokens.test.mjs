// The contrast that the design promises, computed from the style sheet itself (WCAG 2 formula). Guards against a token that
// nobody can read, and against colours outside the tokens.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';

const UI = new URL('../../src/ui/', import.meta.url);
const css = readFileSync(new URL('tokens.css', UI), 'utf8');

function theme(name) {
  const body = new RegExp(`\\[data-theme="${name}"\\] \\{([^}]*color-scheme[^}]*)\\}`).exec(css)[1];
  return Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, token, value]) => [token, value]));
}

function luminance(hex) {
  const part = (at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const TEXT = [
  ['ink', 'surface'], ['ink-2', 'surface'], ['ink-3', 'surface'], ['ink-3', 'sunken'], ['ink-3', 'bg'], ['ink-2', 'raised'], ['accent', 'surface'],
  ['accent', 'accent-soft'], ['on-accent', 'accent'], ['ok', 'ok-soft'], ['warn', 'warn-soft'], ['crit', 'crit-soft'], ['ink-2', 'unk-soft'],
  ['ink-2', 'accent-soft'], ['ink-2', 'warn-soft'],
];

for (const name of ['light', 'dark']) {
  test(`every text of the ${name} theme has 4.5 : 1`, () => {
    const tokens = theme(name);
    for (const [text, ground] of TEXT) {
      const found = contrast(tokens[text], tokens[ground]);
      assert.ok(found >= 4.5, `${text} on ${ground}: ${found.toFixed(2)}`);
    }
  });

  test(`every series colour of the ${name} theme has 3 : 1 on a panel`, () => {
    const tokens = theme(name);
    for (let n = 1; n <= 8; n++) assert.ok(contrast(tokens[`s${n}`], tokens.surface) >= 2.95, `s${n}`);
  });

  test(`the heat ramp of the ${name} theme goes one way`, () => {
    const tokens = theme(name);
    const ramp = [0, 1, 2, 3, 4, 5].map((n) => luminance(tokens[`h${n}`]));
    const sorted = [...ramp].sort((a, b) => (name === 'light' ? b - a : a - b));
    assert.deepEqual(ramp, sorted);
  });
}

test('the themes name the same tokens', () => {
  assert.deepEqual(Object.keys(theme('light')).sort(), Object.keys(theme('dark')).sort());
});

test('no colour stands outside the tokens', () => {
  for (const file of readdirSync(UI).filter((name) => name.endsWith('.css') && name !== 'tokens.css')) {
    const text = readFileSync(new URL(file, UI), 'utf8').replace(/\/\*[^]*?\*\//g, '');
    assert.deepEqual(text.match(/#[0-9a-f]{3,8}\b|\b(rgb|hsl)a?\(/gi) ?? [], [], file);
  }
});
