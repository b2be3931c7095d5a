// Bars over time, or one for each category; always from zero.

import { html, useMemo } from '../lib.js';
import { route } from '../state.js';
import { axisFormat, formatText } from '../format.js';
import { niceTicks } from './axis.js';
import { barModel, categoryModel } from './bars.js';
import { withAlpha } from './color.js';
import line from './line.js';
import { sharedEntries } from './lines.js';
import { Plot } from './plot.js';
import { useSize } from './size.js';
import { color, themeVersion } from './theme.js';
import { tierStretches } from './tier.js';

const GAP = 0.16;

function drawBars(view, model) {
  const { ctx } = view;
  const cell = Math.max(1, view.X(model.x[0] + model.width) - view.left);
  const width = Math.max(1, cell * (1 - 2 * GAP));
  const radius = Math.min(3, width * 0.2);
  const zero = view.Y(0);
  ctx.save();
  ctx.beginPath();
  ctx.rect(view.left, view.top - 2, view.width, view.height + 3);
  ctx.clip();
  // From the top of the stack down, each from zero: the lower ones cover what is not theirs.
  for (let column = model.shown.length - 1; column >= 0; column -= 1) {
    const ink = color(model.entries[column].color);
    ctx.fillStyle = model.shown.length === 1 ? withAlpha(ink, 0.62) : ink;
    ctx.beginPath();
    model.shown[column].forEach((value, index) => {
      if (value == null || value === 0) return;
      const y = view.Y(value);
      ctx.roundRect(view.X(model.times[index]) - cell * (1 - GAP), Math.min(y, zero), width, Math.abs(zero - y), radius);
    });
    ctx.fill();
  }
  ctx.restore();
}

/** Bars are joined for about this width; the picture is not worked out anew when its box grows. */
const USUAL_WIDTH = 640;

function specOf(model, tiers) {
  return {
    data: [model.times, ...model.shown],
    series: () => model.shown.map(() => ({ paths: () => null, points: { show: false } })),
    x: model.x, y: model.y, yText: (values) => axisFormat(values, model.unit), tiers, limits: model.limits,
    under: (view) => drawBars(view, model),
  };
}

function TimeBars({ panel, data, range, stale, onZoom, label }) {
  const theme = themeVersion.value;
  const scope = route.value.path;
  const chosen = useMemo(() => sharedEntries({ panel, data, scope, stale }), [panel, data, scope, stale]);
  const build = useMemo(() => () => specOf(barModel({ panel, data, range, chosen }, USUAL_WIDTH), tierStretches(data, range)), [panel, data, range.start, range.end, chosen, theme]);
  return html`<${Plot} build=${build} shape=${`${theme} ${chosen.entries.length}`} label=${label} onZoom=${onZoom} />`;
}

/** Labels of categories that have no room are left out, the same number between those that stay. */
function labelEvery(bars, slot) {
  const longest = Math.max(...bars.map((bar) => Math.min(bar.name.length, 12)));
  return Math.max(1, Math.ceil(Math.min(longest * 6.2 + 8, 78) / slot));
}

function CategoryBars({ panel, data, stale, label }) {
  const [ref, { width, height }] = useSize();
  const model = useMemo(() => categoryModel({ panel, data }), [panel, data]);
  const ticks = niceTicks(model.y[0], model.y[1], height > 190 ? 4 : 3);
  const texts = axisFormat(ticks, model.unit);
  const left = Math.max(40, Math.max(0, ...texts.map((text) => text.length)) * 6.4 + 14);
  const [top, bottom, right] = [6, height - 22, width - 4];
  const Y = (value) => top + (1 - (value - model.y[0]) / (model.y[1] - model.y[0])) * (bottom - top);
  const slot = (right - left) / Math.max(1, model.bars.length);
  const wide = Math.min(slot * (1 - 2 * GAP), 72);
  const every = model.bars.length ? labelEvery(model.bars, slot) : 1;
  const room = Math.max(3, Math.floor((slot * every - 6) / 6));
  return html`<div class="plot" ref=${ref} role="img" aria-label=${label}>
    ${width > 60 && height > 40 && html`<svg width=${width} height=${height} aria-hidden="true">
      ${ticks.map((at, index) => html`<g key=${`t${at}`}><line class="grid-line" x1=${left} x2=${right} y1=${Math.round(Y(at)) + 0.5} y2=${Math.round(Y(at)) + 0.5} />
        <text x=${left - 8} y=${Y(at) + 4} text-anchor="end">${texts[index]}</text></g>`)}
      ${model.bars.map((bar, index) => {
        const x = left + (index + 0.5) * slot;
        const [from, to] = [Math.min(Y(bar.value), Y(0)), Math.max(Y(bar.value), Y(0))];
        return html`<g key=${`b${index}`} class=${`bar-mark ${stale ? 'ink-s8' : 'ink-accent'} ${bar.best ? 'best' : ''}`}><title>${`${bar.name}: ${formatText(bar.value, model.unit)}`}</title>
          <rect x=${x - wide / 2} y=${from} width=${Math.max(1, wide)} height=${Math.max(0, to - from)} rx=${Math.min(3, wide * 0.2)} />
          ${index % every === 0 && html`<text x=${x} y=${height - 5} text-anchor="middle">${bar.name.length > room ? `${bar.name.slice(0, room - 1)}…` : bar.name}</text>`}</g>`;
      })}
    </svg>`}
  </div>`;
}

const byCategory = (panel) => panel?.options?.by === 'category';

function Bar(props) {
  return byCategory(props.panel) ? html`<${CategoryBars} ...${props} />` : html`<${TimeBars} ...${props} />`;
}

function Legend(props) {
  return byCategory(props.panel) ? null : html`<${line.Legend} ...${props} />`;
}

export default { type: 'bar', title: 'Bars', namesSeries: true, Draw: Bar, Legend };
