// Cells over time, coloured by how much there was: buckets of a histogram, or any series as rows.

import { html, useMemo } from '../lib.js';
import { cursor } from '../state.js';
import { t } from '../text.js';
import { formatText } from '../format.js';
import { edgeText, heatModel, mergeCells, quantileScale, RAMP, rampStep, rowLabels } from './buckets.js';
import { unitOfPanel } from './lines.js';
import { Plot } from './plot.js';
import { color, themeVersion } from './theme.js';
import { tierStretches } from './tier.js';

const LEAST_CELL = 5;
/** Cells are merged for about this width; the picture is not worked out anew when its box grows. */
const USUAL_WIDTH = 720;

/** Lower ends of the rows are whole numbers from 0. */
function drawCells(view, model, limits) {
  const { ctx } = view;
  const rows = model.rows.length;
  const high = view.height / Math.max(1, rows);
  const wide = Math.max(1, view.X(model.start + model.step) - view.left);
  const gap = Math.min(2, wide * 0.14);
  const radius = Math.min(3, high * 0.2, wide * 0.4);
  ctx.save();
  ctx.beginPath();
  ctx.rect(view.left, view.top, view.width, view.height);
  ctx.clip();
  const paths = Array.from({ length: RAMP + 1 }, () => new Path2D());
  model.rows.forEach((row, index) => {
    const y = view.bottom - (index + 1) * high;
    row.values.forEach((value, column) => {
      if (value == null) return;
      const x = view.X(model.times[column]) - wide;
      if (x + wide < view.left || x > view.right) return;
      paths[rampStep(value, limits)].roundRect(x + gap / 2, y + gap / 2, Math.max(0.5, wide - gap), Math.max(0.5, high - gap), radius);
    });
  });
  paths.forEach((path, step) => {
    ctx.fillStyle = color(`h${step}`);
    ctx.fill(path);
  });
  ctx.restore();
}

function specOf(model, range, unit, tiers) {
  const limits = quantileScale(model.rows);
  const rows = Math.max(1, model.rows.length);
  return {
    data: [model.times, model.times.map(() => null)],
    series: () => [{ paths: () => null, points: { show: false } }],
    x: [range.start, range.end], y: [0, rows], tiers,
    yLabels: (view) => rowLabels(model, view.height, unit).map(({ row, text }) => ({ text, y: view.Y(row + 0.5) })),
    under: (view) => drawCells(view, model, limits),
  };
}

function Heatmap({ panel, data, range, stale, onZoom, label }) {
  const theme = themeVersion.value;
  const unit = unitOfPanel(panel, data);
  const build = useMemo(() => () => {
    const model = { ...mergeCells(heatModel(data), USUAL_WIDTH / LEAST_CELL), start: range.start };
    return specOf(model, range, unit, tierStretches(data, range));
  }, [data, unit, range.start, range.end, theme]);
  return html`<div class=${`heat ${stale ? 'is-stale' : ''}`}><${Plot} build=${build} shape=${`${theme}`} label=${label} onZoom=${onZoom} /></div>`;
}

/** The colours with what they stand for; while something is pointed at, its greatest cell. */
function Legend({ panel, data }) {
  const ms = cursor.value;
  const model = useMemo(() => heatModel(data), [data]);
  const limits = useMemo(() => quantileScale(model.rows), [model]);
  if (!limits.length) return null;
  const told = ms === null ? '' : pointed(model, ms, unitOfPanel(panel, data));
  return html`<span class="ramp" title=${t('Each colour covers about as many cells')}>
    ${told && html`<span class="told">${told}</span>`}
    <span>0</span>${Array.from({ length: RAMP + 1 }, (_, step) => html`<i key=${step} class=${`h${step}`}></i>`)}<span>${formatText(limits.at(-1), '')}</span>
  </span>`;
}

/** The greatest cell at a moment in words: `250 ms: 41`. */
function pointed(model, ms, unit) {
  const column = model.times.findIndex((time) => time >= ms);
  if (column < 0) return '';
  let best = null;
  for (const row of model.rows) {
    const value = row.values[column];
    if (value != null && (!best || value > best.value)) best = { row, value };
  }
  if (!best || !(best.value > 0)) return '';
  const name = model.buckets ? `≤ ${edgeText(best.row.edge, unit)}` : best.row.name;
  return `${name}: ${formatText(best.value, model.buckets ? '' : unit)}`;
}

export default { type: 'heatmap', title: 'Heatmap', Draw: Heatmap, Legend };
