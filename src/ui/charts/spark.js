// A small line without axes: the course of one figure.

import { html } from '../lib.js';
import { parseValue } from '../format.js';

const MOST_POINTS = 120;
const WIDTH = 100;
const HEIGHT = 40;

/** Points thinned to what a small picture shows: the last of each group. */
function thin(points) {
  if (points.length <= MOST_POINTS) return points;
  const every = points.length / MOST_POINTS;
  return Array.from({ length: MOST_POINTS }, (_, index) => points[Math.ceil((index + 1) * every) - 1]);
}

/** SVG path of a line and of the area below it, in a box of 100 × 40; empty for less than two values. */
function sparkPath(points, pad = 4) {
  const shown = thin(points).map(([t, v]) => [t, parseValue(v)]).filter(([t, v]) => Number.isFinite(t) && Number.isFinite(v));
  if (shown.length < 2) return { line: '', area: '' };
  const values = shown.map(([, v]) => v);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [start, end] = [shown[0][0], shown.at(-1)[0]];
  const X = (t) => (end > start ? ((t - start) / (end - start)) * WIDTH : 0);
  const Y = (v) => (high > low ? pad + (1 - (v - low) / (high - low)) * (HEIGHT - 2 * pad - 2) : HEIGHT * 0.6);
  const line = shown.map(([t, v], index) => `${index ? 'L' : 'M'}${X(t).toFixed(2)} ${Y(v).toFixed(2)}`).join('');
  return { line, area: `${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z` };
}

/** The course of `points` (`[[t, v]]`), filling its box. `tone`: accent (default), warn, crit, ok or s8. Hidden from readers: the figure beside it says it. */
export function Spark({ points, tone = 'accent', pad }) {
  const { line, area } = sparkPath(points ?? [], pad);
  return html`<svg class=${`spark ink-${tone}`} viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
    ${line && html`<path class="area" d=${area} /><path class="stroke" d=${line} />`}
  </svg>`;
}
