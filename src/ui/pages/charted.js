// Charts as the pages use them: the colours of series, as classes of the style sheet.
import { assignColors } from '../charts/color.js';

/** A class a series, in their order: `c1` … `c8`; the same as on the chart of the same scope. */
export const colors = (series, scope) => assignColors(series, scope).map((name) => name.replace(/^s/, 'c'));
