// A plot with a time axis: uPlot behind it, with grid, labels, cursor and zoom in this page's look.
// Made once; new data go in by `update`. Knows nothing of panels: it draws what a spec says (see `update`).

import { uPlot } from '../lib.js';
import { formatTime } from '../format.js';
import { niceTicks, timeTicks } from './axis.js';
import { leads, namesTime, point } from './cursor.js';
import { crossings } from './limits.js';
import { axisFont, color, textWidth } from './theme.js';
import { TIER_ALPHA } from './tier.js';

const TOP = 6;
const RIGHT = 4;
const BOTTOM = 22;
const LEAST_LEFT = 40;
const WIDE_LABEL = 74;

const roomFor = (widest) => Math.max(LEAST_LEFT, Math.ceil((widest + 10) / 4) * 4);
let ruler = null;

export class Frame {
  /** Draws `spec` into `box`. `onZoom` gets `(start, end)` in ms, or nothing for the way back. */
  constructor(box, size, spec, onZoom) {
    this.spec = spec;
    this.onZoom = onZoom;
    this.size = size;
    this.left = spec.yLabels ? LEAST_LEFT : this.firstRoom();
    this.series = spec.series();
    this.plot = new uPlot(this.options(), this.spec.data, box);
    this.chip = document.createElement('div');
    this.chip.className = 'plot-time';
    this.chip.hidden = true;
    this.plot.root.append(this.chip);
  }

  options() {
    const { spec } = this;
    return {
      ...this.size,
      ms: 1,
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      padding: [() => TOP, () => RIGHT, () => BOTTOM, () => this.left],
      scales: {
        x: { time: true, auto: false, range: () => this.spec.x, min: spec.x[0], max: spec.x[1] },
        y: { auto: false, range: () => this.spec.y, min: spec.y[0], max: spec.y[1] },
      },
      series: [{}, ...this.series],
      bands: spec.bands?.(),
      cursor: this.cursorOptions(),
      hooks: {
        drawClear: [(plot) => this.drawUnder(plot)],
        draw: [(plot) => this.drawOver(plot)],
        setCursor: [(plot) => this.moved(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  cursorOptions() {
    const shiftOnly = (plot, target, handler) => (event) => {
      if (event.shiftKey && this.onZoom) handler(event);
      return null;
    };
    return {
      x: true, y: false,
      drag: { x: true, y: false, setScale: false, dist: 4 },
      points: this.spec.dots
        ? { size: 8, width: 1.5, stroke: () => color('surface'), fill: (plot, index) => this.series[index - 1]?.ink ?? color('accent') }
        : { show: false },
      bind: {
        mousedown: shiftOnly,
        dblclick: () => () => {
          this.onZoom?.();
          return null;
        },
      },
    };
  }

  /**
   * Shows another spec of the same shape: `{data: [times, ...columns], series(), bands()?, x, y, yText(values) or
   * yLabels(view), tiers, limits?, under(view)?, over(view)?, dots?}`. Other series need a new frame.
   */
  update(spec) {
    this.spec = spec;
    this.plot.batch(() => {
      this.plot.setData(spec.data, false);
      this.plot.setScale('x', { min: spec.x[0], max: spec.x[1] });
      this.plot.setScale('y', { min: spec.y[0], max: spec.y[1] });
    });
    this.keepCursor();
  }

  resize(size) {
    this.size = size;
    this.plot.setSize(size);
  }

  destroy() {
    this.plot.destroy();
  }

  // ---- cursor ----

  moved(plot) {
    const { left } = plot.cursor;
    if (left === undefined || left < 0) {
      point(this, null);
      this.chip.hidden = true;
      return;
    }
    const ms = Math.round(plot.posToVal(left, 'x'));
    point(this, ms);
    this.showTime(left, ms);
  }

  /** Where the moving axis is under a resting pointer, the moment changes; elsewhere the line moves with the axis. */
  keepCursor() {
    const { left } = this.plot.cursor;
    if (!(left >= 0)) return;
    if (leads(this)) this.moved(this.plot);
    else if (Number.isFinite(this.moment)) this.showCursor(this.moment);
  }

  /** Points at a moment that comes from elsewhere, or at nothing (null). */
  showCursor(ms) {
    this.moment = ms;
    const [start, end] = this.spec.x;
    const inside = ms !== null && ms >= start && ms <= end;
    if (!inside && !(this.plot.cursor.left >= 0)) return;
    const left = inside ? this.plot.valToPos(ms, 'x') : -10;
    this.plot.setCursor({ left, top: inside ? 10 : -10 }, false);
    if (inside) this.showTime(left, ms);
    else this.chip.hidden = true;
  }

  showTime(left, ms) {
    const [start, end] = this.spec.x;
    const text = formatTime(ms, end - start);
    if (this.chip.textContent !== text) this.chip.textContent = text;
    this.chip.hidden = !namesTime(this);
    const half = text.length * 3.4 + 6;
    const at = Math.min(Math.max(this.left + left, half), this.size.width - half);
    this.chip.style.transform = `translateX(calc(${at.toFixed(1)}px - 50%))`;
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const start = Math.round(plot.posToVal(left, 'x'));
    const end = Math.round(plot.posToVal(left + width, 'x'));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.onZoom?.(start, end);
  }

  // ---- drawing ----

  /** The plot area in CSS px and the way from values to it. */
  view(plot) {
    const ratio = uPlot.pxRatio;
    const { left, top, width, height } = plot.bbox;
    const area = { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio };
    const [start, end] = this.spec.x;
    const [low, high] = this.spec.y;
    return {
      ctx: plot.ctx, ...area, ratio,
      right: area.left + area.width, bottom: area.top + area.height,
      X: (ms) => area.left + ((ms - start) / (end - start)) * area.width,
      Y: (value) => area.top + (1 - (value - low) / (high - low)) * area.height,
    };
  }

  drawUnder(plot) {
    const view = this.view(plot);
    const { ctx } = view;
    ctx.save();
    ctx.scale(view.ratio, view.ratio);
    if (!this.spec.yLabels) this.drawGrid(view);
    this.spec.under?.(view);
    ctx.restore();
  }

  drawOver(plot) {
    const view = this.view(plot);
    const { ctx } = view;
    ctx.save();
    ctx.scale(view.ratio, view.ratio);
    ctx.font = axisFont();
    ctx.textBaseline = 'alphabetic';
    this.drawYLabels(view);
    this.drawXLabels(view);
    this.drawTiers(view);
    this.drawLimits(view);
    this.spec.over?.(view);
    ctx.restore();
  }

  ticks(view) {
    const [low, high] = this.spec.y;
    return niceTicks(low, high, this.size.height > 190 ? 4 : 3).map((at) => ({ at, y: view.Y(at) }));
  }

  drawGrid(view) {
    const { ctx } = view;
    ctx.strokeStyle = color('grid');
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const { y } of this.ticks(view)) {
      const crisp = Math.round(y) + 0.5;
      ctx.moveTo(view.left, crisp);
      ctx.lineTo(view.right, crisp);
    }
    ctx.stroke();
  }

  drawYLabels(view) {
    const { ctx } = view;
    const labels = this.spec.yLabels?.(view) ?? this.valueLabels(view);
    ctx.fillStyle = color('ink-3');
    ctx.textAlign = 'right';
    let widest = 0;
    for (const label of labels) {
      const text = fit(ctx, label.text, WIDE_LABEL);
      widest = Math.max(widest, textWidth(ctx, text));
      ctx.fillText(text, view.left - 8, label.y + 4);
    }
    this.makeRoom(widest);
  }

  /** The room for the labels before there is a canvas, so that the first picture is drawn once. */
  firstRoom() {
    const [low, high] = this.spec.y;
    ruler ??= document.createElement('canvas').getContext('2d');
    const texts = this.spec.yText(niceTicks(low, high, this.size.height > 190 ? 4 : 3));
    return roomFor(Math.min(WIDE_LABEL, Math.max(0, ...texts.map((text) => textWidth(ruler, text)))));
  }

  valueLabels(view) {
    const ticks = this.ticks(view);
    const texts = this.spec.yText(ticks.map((tick) => tick.at));
    return ticks.map((tick, index) => ({ y: tick.y, text: texts[index] }));
  }

  /** The room left of the plot grows with its labels; it shrinks only when much is free, so that plots do not tremble. */
  makeRoom(widest) {
    const wanted = roomFor(widest);
    if (wanted === this.left || (wanted < this.left && this.left - wanted < 12)) return;
    this.left = wanted;
    queueMicrotask(() => {
      if (this.plot.root.isConnected) this.plot.setSize(this.size);
    });
  }

  drawXLabels(view) {
    const { ctx } = view;
    const [start, end] = this.spec.x;
    const most = Math.max(2, Math.floor(view.width / 62));
    let free = view.left - 40;
    ctx.fillStyle = color('ink-3');
    ctx.textAlign = 'center';
    for (const tick of timeTicks(start, end, Math.min(most, 9))) {
      const half = textWidth(ctx, tick.text) / 2;
      const x = Math.min(Math.max(view.X(tick.at), view.left - 12 + half), view.right + RIGHT - half);
      if (x - half < free || Math.abs(x - view.X(tick.at)) > half) continue;
      ctx.fillText(tick.text, x, view.bottom + 17);
      free = x + half + 10;
    }
  }

  drawTiers(view) {
    const { ctx } = view;
    for (const part of this.spec.tiers ?? []) {
      const from = Math.max(view.left, view.X(part.start));
      const width = Math.min(view.right, view.X(part.end)) - from - 2;
      if (width < 1) continue;
      ctx.globalAlpha = TIER_ALPHA[part.tier];
      ctx.fillStyle = color('accent');
      ctx.beginPath();
      ctx.roundRect(from, view.bottom + 3, width, 2, 1);
      ctx.fill();
    }
    ctx.globalAlpha = 1;
  }

  drawLimits(view) {
    const { ctx } = view;
    ctx.textAlign = 'left';
    for (const limit of this.spec.limits ?? []) {
      const y = view.Y(limit.value);
      if (y < view.top - 1 || y > view.bottom) continue;
      ctx.strokeStyle = color(limit.tone);
      ctx.lineWidth = 1.2;
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(view.left, y);
      ctx.lineTo(view.right, y);
      ctx.stroke();
      ctx.setLineDash([]);
      if (!limit.label) continue;
      this.drawLimitLabel(view, fit(ctx, limit.label, view.width - 8), y);
    }
  }

  /** The words of a limit stand where no line runs: above or below it, at the left or the right end. */
  drawLimitLabel(view, text, y) {
    const { ctx } = view;
    const width = textWidth(ctx, text);
    const places = [[view.left + 2, y - 6], [view.right - width - 2, y - 6], [view.left + 2, y + 15], [view.right - width - 2, y + 15]];
    const inside = places.filter(([, base]) => base - 10 >= view.top - 4 && base + 2 <= view.bottom);
    const boxOf = ([x, base]) => ({ left: x - 3, right: x + width + 3, top: base - 11, bottom: base + 4 });
    const hits = inside.map((place) => crossings(this.spec.data, view, boxOf(place)));
    const [x, base] = inside[hits.indexOf(Math.min(...hits))] ?? places[0];
    // A rim in the colour of the ground keeps them readable where no place is free.
    ctx.strokeStyle = color('surface');
    ctx.lineWidth = 4;
    ctx.lineJoin = 'round';
    ctx.setLineDash([]);
    ctx.strokeText(text, x, base);
    ctx.fillStyle = color('ink-3');
    ctx.fillText(text, x, base);
  }
}

/** A text cut to a width, with an ellipsis where something is gone. */
export function fit(ctx, text, width) {
  if (textWidth(ctx, text) <= width) return text;
  let end = text.length;
  while (end > 1 && textWidth(ctx, `${text.slice(0, end)}…`) > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

