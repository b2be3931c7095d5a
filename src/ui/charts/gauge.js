// A half circle that fills with a value, with a tick for the target; several series are several small ones.

import { html } from '../lib.js';
import { t } from '../text.js';
import { formatText, formatValue } from '../format.js';
import { naturalEnd, numberOf, toneOf } from './limits.js';
import { unitOfPanel } from './lines.js';
import { newest } from './series.js';
import { useSize } from './size.js';

const MOST = 6;

const clamp = (share) => Math.min(1, Math.max(0, share));

function arc(centre, radius, from, to) {
  const at = (share) => {
    const angle = Math.PI * (1 - share);
    return `${(centre.x + radius * Math.cos(angle)).toFixed(2)} ${(centre.y - radius * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A${radius} ${radius} 0 0 1 ${at(to)}`;
}

function tick(centre, share, inner, outer) {
  const angle = Math.PI * (1 - share);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return `M${(centre.x + inner * cos).toFixed(2)} ${(centre.y - inner * sin).toFixed(2)}L${(centre.x + outer * cos).toFixed(2)} ${(centre.y - outer * sin).toFixed(2)}`;
}

function Dial({ value, name, width, height, unit, options, stale }) {
  const radius = Math.max(20, Math.min(width / 2 - 10, height - 26, 112));
  const centre = { x: width / 2, y: (height + radius) / 2 - 4 };
  const thick = Math.max(8, radius * 0.15);
  const middle = radius - thick / 2;
  const low = numberOf(options.min) ?? 0;
  const high = numberOf(options.max) ?? naturalEnd(unit);
  const target = numberOf(options.target);
  const share = (number) => (high > low ? clamp((number - low) / (high - low)) : 0);
  const tone = stale ? 's8' : toneOf(value, options) || 'accent';
  const figure = formatValue(value, unit, { decimals: options.decimals });
  const text = figure.unit === '%' ? `${figure.text}%` : figure.text;
  const big = Math.round(Math.min(radius * 0.38, (middle * 1.75) / Math.max(3, text.length * 0.62)));
  const below = [figure.unit === '%' ? '' : figure.unit, name || (target === undefined ? '' : t('target {value}', { value: formatText(target, unit) }))].filter(Boolean).join(' · ');
  return html`<svg width=${width} height=${height} aria-hidden="true">
    <path class="track" d=${arc(centre, middle, 0, 1)} stroke-width=${thick} />
    ${Number.isFinite(value) && share(value) > 0 && html`<path class=${`arc ink-${tone}`} d=${arc(centre, middle, 0, share(value))} stroke-width=${thick} />`}
    ${target !== undefined && html`<path class="target" d=${tick(centre, share(target), radius - thick - 3, radius + 3)} />`}
    <text class="figure" x=${centre.x} y=${centre.y - 4} text-anchor="middle" style=${{ fontSize: `${big}px` }}>${text}</text>
    <text class="under" x=${centre.x} y=${centre.y + 14} text-anchor="middle">${below.length > width / 6 ? `${below.slice(0, Math.floor(width / 6) - 1)}…` : below}<title>${below}</title></text>
  </svg>`;
}

/** Columns and rows that give `count` half circles the most room. */
function arrange(count, width, height) {
  let best = { columns: 1, size: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const size = Math.min(width / columns / 2, height / Math.ceil(count / columns) - 26);
    const fair = count % columns ? size * 0.8 : size;
    if (fair > best.size) best = { columns, size: fair };
  }
  return { columns: best.columns, rows: Math.ceil(count / best.columns) };
}

function Gauge({ panel, data, stale, label }) {
  const [ref, { width, height }] = useSize();
  const list = newest(data).slice(0, MOST);
  const { columns, rows } = arrange(list.length, width, height);
  const unit = unitOfPanel(panel, data);
  return html`<div class="dials" ref=${ref} role="img" aria-label=${label}>
    ${width > 40 && height > 40 && list.map((series, index) => html`<${Dial} key=${index} value=${series.v} name=${list.length > 1 ? series.name : ''}
      width=${Math.floor(width / columns)} height=${Math.floor(height / rows)} unit=${unit} options=${panel.options ?? {}} stale=${stale} />`)}
  </div>`;
}

export default { type: 'gauge', title: 'Gauge', Draw: Gauge };
