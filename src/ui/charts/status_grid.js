// A tile for each series: a shape and a name; only what is not well has a tint.

import { html, useMemo } from '../lib.js';
import { t } from '../text.js';
import { formatText } from '../format.js';
import { unitOfPanel } from './lines.js';
import { countStates, tileModel } from './tiles.js';

const SHAPES = {
  ok: () => html`<circle cx="5" cy="5" r="4" />`,
  warn: () => html`<path d="M5 .8 9.6 9H.4z" />`,
  crit: () => html`<rect x="1" y="1" width="8" height="8" rx="1.2" />`,
  none: () => html`<circle cx="5" cy="5" r="3.6" />`,
};

/** A state in words. */
function stateWord(state) {
  return { ok: t('healthy'), warn: t('degraded'), crit: t('down'), none: t('no data') }[state];
}

/** The shape of a state, which tells it without colour. */
function StateShape({ state }) {
  return html`<svg class=${`shape ${state}`} viewBox="0 0 10 10" aria-hidden="true">${SHAPES[state]()}</svg>`;
}

function StatusGrid({ panel, data, stale, label }) {
  const tiles = useMemo(() => tileModel({ panel, data }), [panel, data]);
  const unit = unitOfPanel(panel, data);
  const shown = panel.options?.show_value === true;
  return html`<div class=${`tiles-scroll ${stale ? 'is-stale' : ''}`} tabindex="0" role="img" aria-label=${label}><div class=${`tiles ${shown ? 'wide' : ''}`}>
    ${tiles.map((tile, index) => html`<div key=${index} class=${`tile ${tile.state}`} title=${`${tile.name}: ${stateWord(tile.state)}`}><${StateShape} state=${tile.state} /><span>${tile.name}</span>${shown && html`<b>${formatText(tile.value, unit, { decimals: panel.options.decimals })}</b>`}</div>`)}
  </div></div>`;
}

/** How many are not well, as badges. */
function Legend({ panel, data }) {
  const counts = countStates(tileModel({ panel, data }));
  return html`<span class="badges-row">
    ${counts.crit > 0 && html`<span class="badge crit">${t('{count} down', { count: counts.crit })}</span>`}
    ${counts.warn > 0 && html`<span class="badge warn">${t('{count} degraded', { count: counts.warn })}</span>`}
  </span>`;
}

export default { type: 'status_grid', title: 'Status grid', Draw: StatusGrid, Legend };
