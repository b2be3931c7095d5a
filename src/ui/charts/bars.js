// What a bar picture draws: bars by time or by category. Pure.

import { reach, newest, stack } from './series.js';
import { lineModel, unitOfPanel } from './lines.js';
import { yRange } from './axis.js';
import { limitsOf, numberOf, unitFloor } from './limits.js';

/** More categories than this are cut off. */
const MOST_CATEGORIES = 40;

/** Bars over time: stacked columns on one axis, never narrower than `least` px of `width`; y always from zero. */
export function barModel(props, width, least = 3) {
  const base = lineModel(props);
  const span = base.x[1] - base.x[0];
  const most = Math.max(1, Math.floor(width / least));
  const step = base.step || span / 60;
  const merged = Math.max(1, Math.ceil(span / step / most));
  const { times, columns } = merged > 1 ? mergeColumns(base.times, base.columns, step * merged) : base;
  const shown = stack(columns);
  const options = props.panel?.options ?? {};
  const y = yRange({
    ...reach(shown), fromZero: true, floor: unitFloor(base.unit),
    fixed: { max: numberOf(options.max) }, include: limitsOf(options).map((limit) => limit.value),
  });
  return { ...base, times, columns, shown, y, width: step * merged };
}

/** Columns in wider steps: the greatest value of each keeps peaks in sight. */
export function mergeColumns(times, columns, width) {
  const slots = new Map();
  times.forEach((t, index) => {
    const at = Math.ceil(t / width) * width;
    if (!slots.has(at)) slots.set(at, []);
    slots.get(at).push(index);
  });
  const merged = [...slots.keys()].sort((a, b) => a - b);
  return {
    times: merged,
    columns: columns.map((column) => merged.map((at) => {
      const values = slots.get(at).map((index) => column[index]).filter((value) => value != null);
      return values.length ? values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)) : null;
    })),
  };
}

/** Bars by category: the newest value of each series, `[{name, value, best}]`, with the reach of y. */
export function categoryModel({ panel, data }) {
  const all = newest(data).filter((bar) => Number.isFinite(bar.v));
  const bars = all.slice(0, MOST_CATEGORIES).map((bar) => ({ name: bar.name, value: bar.v }));
  const { min, max } = reach([bars.map((bar) => bar.value)]);
  const unit = unitOfPanel(panel, data);
  const options = panel?.options ?? {};
  const y = yRange({ min, max, fromZero: true, floor: unitFloor(unit), fixed: { max: numberOf(options.max) } });
  return { unit, y, bars: bars.map((bar) => ({ ...bar, best: bar.value === max })), cut: all.length - bars.length };
}
