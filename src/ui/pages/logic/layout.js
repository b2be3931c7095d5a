// Panels on a grid of twelve columns: where there is room, who lies on whom, moving and resizing. Pure.

export const COLUMNS = 12;
export const ROWS_OF_PANEL = 12;

/** Type and its words. */
export const PANEL_TYPES = [
  ['line', 'Line'], ['bar', 'Bars'], ['gauge', 'Gauge'], ['pie', 'Ring'], ['table', 'Table'], ['big_number', 'Big number'], ['status_grid', 'Status grid'], ['heatmap', 'Heat map'],
];
const SIZE = { line: [6, 3], bar: [6, 3], gauge: [3, 3], pie: [4, 3], table: [6, 3], big_number: [3, 2], status_grid: [6, 3], heatmap: [6, 3] };

/** The size a type begins with. @param {string} type @returns {{w: number, h: number}} */
export const sizeOf = (type) => ({ w: (SIZE[type] ?? SIZE.line)[0], h: (SIZE[type] ?? SIZE.line)[1] });

const within = (n, least, most) => Math.min(Math.max(Number.isFinite(n) ? Math.round(n) : least, least), most);

/** Whether two panels share a cell. */
export const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** The panel with a size and a place below all others, beside the last ones where there is room. */
export function below(panels, panel) {
  const { w, h } = { ...sizeOf(panel.type), ...panel };
  const end = panels.reduce((most, one) => Math.max(most, one.y + one.h), 0);
  for (let y = Math.max(0, end - h); y <= end; y += 1) {
    for (let x = 0; x + w <= COLUMNS; x += 1) {
      const place = { ...panel, x, y, w, h };
      if (!panels.some((one) => overlap(one, place)) && (y === end || panels.some((one) => one.y <= y && one.y + one.h > y))) return place;
    }
  }
  return { ...panel, x: 0, y: end, w, h };
}

/** The panels with one changed; those it comes to lie on give way downwards, and so on. Others keep their place. */
export function place(panels, index, change) {
  const old = panels[index];
  const w = within(change.w ?? old.w, 1, COLUMNS);
  const moved = { ...old, ...change, w, h: within(change.h ?? old.h, 1, ROWS_OF_PANEL), x: within(change.x ?? old.x, 0, COLUMNS - w), y: within(change.y ?? old.y, 0, 10_000) };
  return settle(panels.map((panel, i) => (i === index ? moved : panel)), index);
}

/** No two on one another: from top to bottom each goes down until it is free; `fixed` stays where it is. */
export function settle(panels, fixed = -1) {
  const order = panels.map((_, i) => i).sort((a, b) => (a === fixed ? -1 : b === fixed ? 1 : panels[a].y - panels[b].y || panels[a].x - panels[b].x));
  const done = [];
  const result = [...panels];
  for (const i of order) {
    let panel = panels[i];
    for (let hit = done.find((other) => overlap(other, panel)); hit; hit = done.find((other) => overlap(other, panel))) panel = { ...panel, y: hit.y + hit.h };
    result[i] = panel;
    done.push(panel);
  }
  return result;
}

/** Without rows that no panel covers. */
export function tidy(panels) {
  const covered = new Set(panels.flatMap(({ y, h }) => Array.from({ length: h }, (_, i) => y + i)));
  const before = (y) => Array.from({ length: y }, (_, i) => i).filter((row) => !covered.has(row)).length;
  return panels.map((panel) => ({ ...panel, y: panel.y - before(panel.y) }));
}

/** Changes places with the panel before (-1) or after (1) it in reading order. @returns {object[]} */
export function swap(panels, index, way) {
  const order = readingOrder(panels);
  const other = order[order.indexOf(index) + way];
  if (other === undefined) return panels;
  const [a, b] = [panels[index], panels[other]];
  const trade = (panel, { x, y }) => ({ ...panel, x: Math.min(x, COLUMNS - panel.w), y });
  return settle(panels.map((panel, i) => (i === index ? trade(a, b) : i === other ? trade(b, a) : panel)), index);
}

/** Indices from top to bottom, left to right. @returns {number[]} */
export const readingOrder = (panels) => panels.map((_, i) => i).sort((a, b) => panels[a].y - panels[b].y || panels[a].x - panels[b].x);

/** What a person sees at once, before the daemon is asked: `{field: words}`; words are keys of the dictionaries. */
export function faults(board) {
  const found = {};
  if (!board.title?.trim()) found.title = 'A dashboard needs a title.';
  board.panels.forEach((panel, i) => {
    if (!panel.queries?.some((one) => one.query.trim())) found[`panels[${i}].queries[0].query`] = 'A panel needs an expression.';
  });
  return found;
}

/** Which panel, and which part of it, a field of the daemon's error names: `{panel, part}`; null for none. */
export function partOf(field, panels) {
  const hit = /^panels[.[]+([^\].]+)\]?\.?(.*)$/.exec(field ?? '');
  if (!hit) return null;
  const panel = /^\d+$/.test(hit[1]) ? Number(hit[1]) : panels.findIndex((one) => one.id === hit[1]);
  return panel >= 0 && panel < panels.length ? { panel, part: hit[2] } : null;
}

/** The document as it is sent: empty parts left out. */
export function outgoing(board) {
  const { subtitle, refresh, range, ...rest } = board;
  const told = Object.fromEntries(Object.entries({ subtitle, refresh, range }).filter(([, value]) => value));
  const panels = board.panels.map(({ unit, subtitle: note, options, queries, ...panel }) => ({
    ...panel, queries: queries.filter((one) => one.query.trim()).map(({ legend, ...one }) => (legend ? { ...one, legend } : one)),
    ...(unit ? { unit } : {}), ...(note ? { subtitle: note } : {}), ...(options && Object.keys(options).length ? { options } : {}),
  }));
  return { ...rest, ...told, panels };
}
