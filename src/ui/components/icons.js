// The few drawings of the shell: strokes of one width, named.
import { html } from '../lib.js';

const PATHS = {
  executive: 'M3 16.5h14M5 13.5v-3M9 13.5V7M13 13.5V9M17 13.5v-9',
  operations: 'M2.5 10.5h3l2-5.5 4 10 2.2-6 1.2 1.5h2.6',
  development: 'M7 6 3 10l4 4M13 6l4 4-4 4',
  board: 'M3.5 4h5.5v5.5H3.5zM11.5 4h5v5.5h-5zM3.5 12h5.5v4H3.5zM11.5 12h5v4h-5z',
  plus: 'M10 4v12M4 10h12',
  explore: 'M9 3.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M13.2 13.2l3.8 3.8',
  analysis: 'M3 14.5c3 0 3.5-7 7-7c2.6 0 3 4 7-4M10 7.5c2 0 3 6 7 5.5',
  alerts: 'M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.3 17.2a2 2 0 0 0 3.4 0',
  catalog: 'M4 5h12M4 10h12M4 15h7',
  sources: 'M4.5 4h11A1.5 1.5 0 0 1 17 5.5v2A1.5 1.5 0 0 1 15.5 9h-11A1.5 1.5 0 0 1 3 7.5v-2A1.5 1.5 0 0 1 4.5 4zM4.5 11h11a1.5 1.5 0 0 1 1.5 1.5v2a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 14.5v-2A1.5 1.5 0 0 1 4.5 11zM6 6.5h.01M6 13.5h.01',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4a2 2 0 1 1 0 4a2 2 0 1 1 0-4M7 12a2 2 0 1 1 0 4a2 2 0 1 1 0-4',
  clock: 'M10 3a7 7 0 1 1 0 14a7 7 0 1 1 0-14M10 6v4l2.5 2',
  moon: 'M16 11.5A6.5 6.5 0 0 1 8.5 4a6.5 6.5 0 1 0 7.5 7.5z',
  sun: 'M10 6.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1',
  auto: 'M10 3a7 7 0 1 1 0 14a7 7 0 1 1 0-14M10 3v14M10 6.5h4.6M10 10h7M10 13.5h4.6',
  person: 'M10 3.5a3.2 3.2 0 1 1 0 6.4a3.2 3.2 0 1 1 0-6.4M3.8 16.5c.8-3 3.2-4.4 6.2-4.4s5.4 1.4 6.2 4.4',
  empty: 'M3 14.5h14M4 11h3l1.5-3 3 6',
  error: 'M10 3.5 17.5 16h-15zM10 8.5v3M10 13.8h.01',
  lock: 'M5 9.5h10V16H5zM7 9.5V7a3 3 0 0 1 6 0v2.5',
  more: 'M10 5h.01M10 10h.01M10 15h.01',
  close: 'M5 5l10 10M15 5 5 15',
  full: 'M11.5 4H16v4.5M8.5 16H4v-4.5M16 4l-4.5 4.5M4 16l4.5-4.5',
  table: 'M3.5 4.5h13v11h-13zM3.5 8.5h13M8 8.5v7',
  chart: 'M3 15.5h14M3.5 12l4-4 3 2.5 5.5-6',
  link: 'M8.5 11.5a3 3 0 0 0 4.2 0l2.6-2.6a3 3 0 0 0-4.2-4.2L10 5.8M11.5 8.5a3 3 0 0 0-4.2 0l-2.6 2.6a3 3 0 0 0 4.2 4.2L10 14.2',
  download: 'M10 3.5v9M6.5 9 10 12.5 13.5 9M4 16h12',
  pen: 'M4 16l1-4 8-8 3 3-8 8zM11.5 5.5l3 3',
  copy: 'M7.5 7.5h8v8h-8zM4.5 12.5v-8h8',
  out: 'M12 6V4H4v12h8v-2M8.5 10H17M14 7l3 3-3 3',
  check: 'M4.5 10.5l3.5 3.5 7.5-8',
};

/** @param {{name: keyof PATHS}} props */
export function Icon({ name }) {
  return html`<svg class="i" viewBox="0 0 20 20" aria-hidden="true"><path d=${PATHS[name] ?? PATHS.board} /></svg>`;
}

/** The mark of the product. */
export function Mark() {
  return html`<svg viewBox="0 0 26 26" aria-hidden="true"><rect class="m" width="26" height="26" rx="8" /><path class="p" d="M5 13.5h3.4l2.2-6 4 11 2.5-7.5 1.2 2.5H21" /></svg>`;
}
