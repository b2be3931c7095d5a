// The colours of the page as canvases need them: read from the tokens once per theme, and again when it changes.

import { signal } from '../lib.js';

const NAMES = [
  's1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 'accent', 'ok', 'warn', 'crit', 'unk', 'surface', 'sunken', 'raised',
  'line', 'line-2', 'grid', 'ink', 'ink-2', 'ink-3', 'h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'font',
];

/** Counts up when colours or fonts are others than before; who draws on a canvas reads it and draws anew. */
export const themeVersion = signal(0);

let tokens = null;

function read() {
  const style = getComputedStyle(document.documentElement);
  tokens = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** The value of a token by its name without the dashes: `color('s1')`. */
export function color(name) {
  if (!tokens) read();
  return tokens[name] || tokens.s8;
}

/** The font of axis labels on a canvas. */
export function axisFont() {
  if (!tokens) read();
  return `500 11px ${tokens.font || 'sans-serif'}`;
}

const widths = new Map();

/** Width of an axis label in px. */
export function textWidth(ctx, text) {
  let width = widths.get(text);
  if (width === undefined) {
    if (widths.size > 2000) widths.clear();
    const before = ctx.font;
    ctx.font = axisFont();
    width = ctx.measureText(text).width;
    ctx.font = before;
    widths.set(text, width);
  }
  return width;
}

function changed() {
  tokens = null;
  widths.clear();
  themeVersion.value += 1;
}

if (typeof document !== 'undefined') {
  new MutationObserver(changed).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  matchMedia('(prefers-contrast: more)').addEventListener('change', changed);
  // A canvas does not draw again by itself when its font arrives. To ask whether it is there would take the styles of the whole page.
  document.fonts?.addEventListener('loadingdone', ({ fontfaces }) => {
    if (tokens && fontfaces.some(({ family }) => tokens.font.includes(family.replaceAll('"', '')))) changed();
  });
}
