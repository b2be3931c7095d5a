// Lines over time: plain, with the area of one alone, stacked, or in steps.

import { html, uPlot, useMemo } from '../lib.js';
import { route } from '../state.js';
import { t } from '../text.js';
import { axisFormat } from '../format.js';
import { withAlpha } from './color.js';
import { fit } from './frame.js';
import { headerRoom } from './headroom.js';
import { Legend as Keys } from './legend.js';
import { lineModel, sharedEntries, unitOfPanel } from './lines.js';
import { Plot } from './plot.js';
import { dataStep } from './series.js';
import { color, themeVersion } from './theme.js';
import { tierStretches } from './tier.js';

const stepped = uPlot.paths.stepped({ align: 1 });
const straight = uPlot.paths.linear();

/** How uPlot draws the entries of a model. */
function seriesOptions(model) {
  return model.entries.map((entry, index) => {
    const ink = color(entry.color);
    const alone = model.entries.length === 1;
    return {
      ink,
      stroke: ink,
      width: model.stacked ? 1.2 : 1.7,
      fill: alone ? withAlpha(ink, 0.1) : model.stacked && index === 0 ? withAlpha(ink, 0.28) : undefined,
      fillTo: () => Math.max(0, model.y[0]),
      paths: model.stepped ? stepped : straight,
      points: { show: false },
      spanGaps: false,
    };
  });
}

function bandsOf(model) {
  if (!model.stacked) return undefined;
  return model.entries.slice(1).map((entry, index) => ({ series: [index + 2, index + 1], fill: withAlpha(color(entry.color), 0.28) }));
}

/** What the frame draws for a model. */
function specOf(model, tiers) {
  return {
    data: [model.times, ...model.shown],
    series: () => seriesOptions(model),
    bands: () => bandsOf(model),
    x: model.x,
    y: model.y,
    yText: (values) => axisFormat(values, model.unit),
    tiers,
    limits: model.limits,
    dots: true,
    over(view) {
      drawLone(view, model);
      drawForecast(view, model);
      drawMarks(view, model);
    },
  };
}

/** Points that no line reaches. */
function drawLone(view, model) {
  const { ctx } = view;
  model.lone.forEach((indexes, column) => {
    if (!indexes.length) return;
    ctx.fillStyle = color(model.entries[column].color);
    ctx.beginPath();
    for (const index of indexes) {
      const [x, y] = [view.X(model.times[index]), view.Y(model.shown[column][index])];
      if (x < view.left || x > view.right) continue;
      ctx.moveTo(x + 2, y);
      ctx.arc(x, y, 2, 0, 2 * Math.PI);
    }
    ctx.fill();
  });
}

function drawForecast(view, model) {
  const { forecast } = model;
  if (!forecast) return;
  const { ctx } = view;
  const ink = color(model.entries[0]?.color ?? 'accent');
  const column = model.shown[0] ?? [];
  const last = column.findLastIndex((value) => value != null);
  const from = last >= 0 && model.times[last] <= forecast.times[0] ? [model.times[last], column[last]] : [forecast.times[0], forecast.middle[0]];
  const along = (values) => [[view.X(from[0]), view.Y(from[1])], ...forecast.times.map((at, index) => [view.X(at), view.Y(values[index])])];
  ctx.fillStyle = withAlpha(ink, 0.12);
  ctx.beginPath();
  for (const [x, y] of [...along(forecast.high), ...along(forecast.low).reverse()]) ctx.lineTo(x, y);
  ctx.fill();
  ctx.strokeStyle = ink;
  ctx.lineWidth = 1.7;
  ctx.lineCap = 'round';
  ctx.setLineDash([2, 4]);
  ctx.beginPath();
  for (const [x, y] of along(forecast.middle)) ctx.lineTo(x, y);
  ctx.stroke();
  ctx.strokeStyle = color('line-2');
  ctx.lineWidth = 1;
  ctx.setLineDash([2, 3]);
  ctx.beginPath();
  ctx.moveTo(view.X(from[0]), view.top);
  ctx.lineTo(view.X(from[0]), view.bottom);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = color('ink-3');
  ctx.textAlign = 'left';
  ctx.fillText(fit(ctx, t('forecast'), view.right - view.X(from[0]) - 6), view.X(from[0]) + 6, view.top + 9);
}

/** Anomalies: hollow rings. */
function drawMarks(view, model) {
  const { ctx } = view;
  ctx.fillStyle = color('surface');
  ctx.strokeStyle = color('crit');
  ctx.lineWidth = 2;
  for (const [at, value] of model.marks) {
    const x = view.X(at);
    if (x < view.left || x > view.right) continue;
    ctx.beginPath();
    ctx.arc(x, view.Y(value), 5, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  }
}

function Line({ panel, data, range, stale, onZoom, label }) {
  const theme = themeVersion.value;
  const scope = route.value.path;
  const chosen = useMemo(() => sharedEntries({ panel, data, scope, stale }), [panel, data, scope, stale]);
  const build = useMemo(() => () => specOf(lineModel({ panel, data, range, chosen }), tierStretches(data, range)), [panel, data, range.start, range.end, chosen, theme]);
  const { stack, step } = panel.options ?? {};
  const shape = `${theme} ${stack} ${step} ${chosen.entries.map((entry) => entry.color).join(' ')}`;
  return html`<${Plot} build=${build} shape=${shape} label=${label} onZoom=${onZoom} />`;
}

/** The names of a picture: in the header as many as fit there, above the picture the others; one alone has its value only while it is pointed at. */
function Legend({ panel, data, stale, place }) {
  const { entries } = sharedEntries({ panel, data, scope: route.value.path, stale });
  const room = headerRoom(panel, entries, unitOfPanel(panel, data));
  if (place === 'header' && room === 'none') return null;
  if (place === 'rest' && room !== 'none') return null;
  return html`<${Keys} entries=${entries} unit=${unitOfPanel(panel, data)} step=${dataStep(data)} options=${panel.options} ahead=${panel.type === 'bar'} brief=${place === 'header' && room === 'names'} />`;
}

export default { type: 'line', title: 'Line', namesSeries: true, Draw: Line, Legend };
