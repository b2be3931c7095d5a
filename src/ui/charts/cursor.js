// The moment that the whole page points at: from a plot to the shared signal and from the signal to every plot.

import { effect } from '../lib.js';
import { cursor } from '../state.js';

/** The plot under the pointer, which leads; null where the pointer is elsewhere. */
let leader = null;

/** Says that `frame` is pointed at `ms`, or at nothing any more (null). */
export function point(frame, ms) {
  if (ms === null) {
    if (leader !== frame) return;
    leader = null;
    cursor.value = null;
    return;
  }
  leader = frame;
  cursor.value = ms;
}

/** Whether the pointer is on this plot. */
export function leads(frame) {
  return leader === frame;
}

/** Whether this plot says which moment it is: the one under the pointer, or all where keys move the line. */
export function namesTime(frame) {
  return leader === null || leader === frame;
}

/** Shows the shared moment on `frame` (`frame.showCursor(ms|null)`) until the returned function is called. */
export function follow(frame) {
  const stop = effect(() => {
    const ms = cursor.value;
    if (!leads(frame)) frame.showCursor(ms);
  });
  return () => {
    stop();
    point(frame, null);
  };
}
