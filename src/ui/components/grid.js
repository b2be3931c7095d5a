// Where panels stand: 12 columns of rows of 84 px; fewer columns on small screens.
import { html } from '../lib.js';

/** Kinds whose content grows with the number of series: they grow the panel on phones instead of scrolling. */
const GROWS = new Set(['status_grid']);

/**
 * Places for three widths, in reading order: `w`, `h` as designed; `mw`, `mh` on middle screens, where panels stand in
 * halves or full rows; `sw`, `sh` on phones, where big numbers stay two a row. Pure.
 * @param {{id: string, type: string, x: number, y: number, w: number, h: number}[]} panels
 */
export function places(panels) {
  const order = [...panels].sort((a, b) => a.y - b.y || a.x - b.x);
  const out = order.map((panel) => ({ panel, mw: panel.w <= 4 ? 6 : 12, mh: panel.h, sw: panel.type === 'big_number' ? 6 : 12, sh: panel.h }));
  pair(out, 'mw', 'mh');
  pair(out, 'sw', 'sh');
  return out;
}

/** Two halves beside each other get one height; a half that stands alone takes the row. */
function pair(list, width, height) {
  for (let i = 0; i < list.length; i++) {
    if (list[i][width] !== 6) continue;
    const [one, next] = [list[i], list[i + 1]];
    if (next?.[width] === 6) {
      one[height] = next[height] = Math.max(one[height], next[height]);
      i++;
    } else one[width] = 12;
  }
}

/** @param {{panels: any[], children: (panel: any) => any, grown?: (panel: any) => number}} props `grown`: rows a panel needs on phones */
export function Grid({ panels, children, grown }) {
  return html`<div class="grid">${places(panels).map(({ panel, mw, mh, sw, sh }) => {
    const need = GROWS.has(panel.type) ? grown?.(panel) : null;
    const style = { '--x': panel.x, '--y': panel.y, '--w': panel.w, '--h': panel.h, '--mw': mw, '--mh': mh, '--sw': sw, '--sh': need ?? sh };
    return html`<div key=${panel.id} class="cell" style=${style}>${children(panel)}</div>`;
  })}</div>`;
}
