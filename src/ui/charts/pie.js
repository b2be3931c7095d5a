// A ring of shares with the total in the middle and the values in a list beside it.

import { html, useMemo } from '../lib.js';
import { route } from '../state.js';
import { t } from '../text.js';
import { formatText } from '../format.js';
import { unitOfPanel } from './lines.js';
import { pieModel } from './slices.js';

const SIZE = 150;
const RADIUS = 58;
const ROUND = 2 * Math.PI * RADIUS;
const GAP = 2.5;

function Ring({ slices, figure, caption, stale, label }) {
  let at = 0;
  const gap = slices.length > 1 ? GAP : 0;
  return html`<svg class="ring" viewBox="0 0 150 150" role="img" aria-label=${label}>
    ${!slices.length && html`<circle class="track" cx=${SIZE / 2} cy=${SIZE / 2} r=${RADIUS} />`}
    ${slices.map((slice, index) => {
      const length = Math.max(0.75, slice.share * ROUND - gap);
      const offset = -at * ROUND;
      at += slice.share;
      return html`<circle key=${index} class=${`slice ink-${stale && slice.color !== 'line-2' ? 's8' : slice.color}`} cx=${SIZE / 2} cy=${SIZE / 2} r=${RADIUS}
        stroke-dasharray=${`${length.toFixed(2)} ${ROUND.toFixed(2)}`} stroke-dashoffset=${offset.toFixed(2)} transform="rotate(-90 75 75)" />`;
    })}
    <text class="figure" x=${SIZE / 2} y=${caption ? SIZE / 2 + 2 : SIZE / 2 + 8} text-anchor="middle" style=${{ fontSize: figure.length > 7 ? '16px' : '22px' }}>${figure}</text>
    ${caption && html`<text class="under" x=${SIZE / 2} y=${SIZE / 2 + 19} text-anchor="middle">${caption.length > 14 ? `${caption.slice(0, 13)}…` : caption}</text>`}
  </svg>`;
}

function Pie({ panel, data, stale, label }) {
  const scope = route.value.path;
  const { slices, sum, used } = useMemo(() => pieModel({ panel, data, scope }), [panel, data, scope]);
  const options = panel.options ?? {};
  const unit = unitOfPanel(panel, data);
  const share = options.center === 'used';
  const figure = share ? formatText(used, 'ratio', { decimals: 0 }) : unit === 'percent' || unit === 'ratio' ? formatText(sum, unit, { decimals: 0 }) : formatText(sum, unit, { decimals: options.decimals });
  const caption = typeof options.caption === 'string' ? options.caption : share ? t('in use') : t('total');
  return html`<div class="pie">
    <${Ring} slices=${slices} figure=${figure} caption=${caption} stale=${stale} label=${label} />
    <ul class="slices" tabindex=${slices.length > 4 ? 0 : undefined}>${slices.map((slice, index) => {
      const name = slice.others ? t('{count} others', { count: slice.others }) : slice.name;
      return html`<li key=${index} class=${`ink-${stale && slice.color !== 'line-2' ? 's8' : slice.color}`} title=${name}><i></i><span>${name}</span><b>${formatText(slice.value, unit, { decimals: options.decimals })}</b></li>`;
    })}</ul>
  </div>`;
}

export default { type: 'pie', title: 'Pie', Draw: Pie };
