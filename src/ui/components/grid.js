// Where panels stand: 12 columns of rows of 84 px; fewer columns on small screens.
import { html } from '../lib.js';

/** Kinds whose content has a height of its own: on phones, and where it has a row alone, the panel is as high as it. */
const GROWS = new Set(['status_grid', 'table']);

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

/** @param {{panels: any[], children: (panel: any) => any, grown?: (panel: any) => boolean}} props `grown`: whether a panel has content by which it may grow */
export function Grid({ panels, children, grown }) {
  return html`<div class="grid">${places(panels).map(({ panel, mw, mh, sw, sh }) => {
    const style = { '--x': panel.x, '--y': panel.y, '--w': panel.w, '--h': panel.h, '--mw': mw, '--mh': mh, '--sw': sw, '--sh': sh };
    return html`<div key=${panel.id} class=${GROWS.has(panel.type) && grown?.(panel) ? `cell grows ${mw === 12 ? 'whole' : ''}` : 'cell'} style=${style}>${children(panel)}</div>`;
  })}</div>`;
}
