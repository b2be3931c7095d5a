// Charts as the pages use them: the colours of series, as classes of the style sheet.
import { slots } from '../charts/color.js';

/** A class a series, in their order: `c1` … `c8`. */
export const colors = (series) => slots(series).map((slot) => `c${slot}`);
