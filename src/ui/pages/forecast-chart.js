// A series, where it goes on and how sure that is: a line, a dotted line, a band. Drawn as SVG, as wide as its place.
import { html, useLayoutEffect, useRef, useState } from '../lib.js';
import { t } from '../text.js';
import { axisFormat, formatTime, formatValue } from '../format.js';
import { ticks } from './logic/trend.js';

const [LEFT, RIGHT, TOP, BOTTOM] = [52, 8, 12, 22];

/** @param {{points: [number, number][], ahead: {t, v, lo, hi}[], unit?: string, name: string, min?: number, max?: number}} props finite values */
export function ForecastChart({ points, ahead, unit, name, min, max }) {
  const [ref, { width, height }] = useSize();
  const all = [...points.map(([, v]) => v), ...ahead.flatMap(({ lo, hi }) => [lo, hi])];
  let [lo, hi] = [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];
  if (hi === lo) [lo, hi] = [lo - Math.max(Math.abs(lo) * 0.1, 0.5), hi + Math.max(Math.abs(hi) * 0.1, 0.5)];
  [lo, hi] = [Math.max(lo - (hi - lo) * 0.06, min ?? -Infinity), Math.min(hi + (hi - lo) * 0.06, max ?? Infinity)];
  const now = points.at(-1)?.[0] ?? ahead[0].t;
  const [from, to] = [points[0]?.[0] ?? now, ahead.at(-1)?.t ?? now];
  const x = (ms) => LEFT + ((ms - from) / Math.max(to - from, 1)) * (width - LEFT - RIGHT);
  const y = (v) => TOP + (1 - (Math.min(Math.max(v, lo), hi) - lo) / (hi - lo)) * (height - TOP - BOTTOM);
  const path = (list) => list.map(([a, b], i) => `${i ? 'L' : 'M'}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('');
  const begun = points.length ? [{ t: now, v: points.at(-1)[1], lo: points.at(-1)[1], hi: points.at(-1)[1] }, ...ahead.filter((one) => one.t > now)] : ahead;
  const band = begun.length > 1 ? `${path(begun.map((one) => [one.t, one.hi]))}L${[...begun].reverse().map((one) => `${x(one.t).toFixed(1)} ${y(one.lo).toFixed(1)}`).join('L')}Z` : '';
  const lines = ticks(lo, hi, 4);
  const written = axisFormat(lines, unit);
  const times = Array.from({ length: width < 480 ? 3 : 5 }, (_, i) => i).map((i, _, { length }) => from + ((to - from) * i) / (length - 1));
  const last = ahead.at(-1);
  const shown = (v) => { const got = formatValue(v, unit); return got.unit ? `${got.text}${got.unit === '%' ? '' : ' '}${got.unit}` : got.text; };
  const said = last ? t('{name}: now {now}, forecast {then} between {lo} and {hi}', { name, now: points.length ? shown(points.at(-1)[1]) : '–', then: shown(last.v), lo: shown(last.lo), hi: shown(last.hi) }) : t('{name}: now {now}, no forecast', { name, now: points.length ? shown(points.at(-1)[1]) : '–' });
  return html`<div class="p-forecast" ref=${ref} role="img" aria-label=${said}>${width ? html`<svg width=${width} height=${height} aria-hidden="true">
    ${lines.map((v, i) => html`<line class="g" x1=${LEFT} x2=${width - RIGHT} y1=${y(v)} y2=${y(v)} /><text x=${LEFT - 8} y=${y(v) + 4} text-anchor="end">${labelOf(written, i)}</text>`)}
    ${times.map((ms, i) => html`<text x=${x(ms)} y=${height - 5} text-anchor=${i === 0 ? 'start' : i === times.length - 1 ? 'end' : 'middle'}>${formatTime(ms, to - from)}</text>`)}
    ${ahead.length ? html`<line class="now" x1=${x(now)} x2=${x(now)} y1=${TOP} y2=${height - BOTTOM} /><text x=${x(now) + 6} y=${TOP + 9}>${t('forecast')}</text>` : null}
    <path class="band" d=${band} /><path class="line" d=${path(points)} /><path class="line dots" d=${path(begun.map((one) => [one.t, one.v]))} />
  </svg>` : null}</div>`;
}

const labelOf = (written, i) => (Array.isArray(written) ? written[i] : written.labels?.[i]) ?? '';

function useSize() {
  const ref = useRef(null);
  const [size, set] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => set({ width: Math.floor(entry.contentRect.width), height: Math.floor(entry.contentRect.height) }));
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return [ref, size];
}
