// Lists of dashboards and copies of them. Pure.

/** Those whose title or name has the word, in the order of the list. */
export function found(list, word) {
  const wanted = word.trim().toLowerCase();
  return list.filter(({ id, title }) => !wanted || title.toLowerCase().includes(wanted) || id.toLowerCase().includes(wanted));
}

/** A document to create from another one: without what belongs to that one alone. */
export function copyOf({ id, revision, predefined, created, updated, ...board }, title) {
  return { ...board, title };
}

/** A dashboard to begin with. */
export const blank = () => ({ title: '', subtitle: '', access: 'viewer', theme: 'auto', range: '', panels: [] });

/** A document as text, and back: `{board}` or `{error}` in words. */
export const written = (board) => JSON.stringify(board, null, 2);
export function read(text) {
  let board;
  try {
    board = JSON.parse(text);
  } catch (error) {
    return { error: error.message };
  }
  if (board === null || typeof board !== 'object' || Array.isArray(board)) return { error: 'A dashboard is an object with title and panels.' };
  if (!Array.isArray(board.panels)) return { error: 'panels must be a list.' };
  return { board: { ...board, panels: board.panels.map(whole) } };
}

/** A panel with everything that the form shows. */
export function whole(panel) {
  const { query, ...rest } = panel ?? {};
  const queries = Array.isArray(rest.queries) ? rest.queries : [{ query: query ?? '' }];
  return { title: '', type: 'line', unit: '', x: 0, y: 0, w: 6, h: 3, ...rest, options: rest.options ?? {}, queries: queries.map((one) => ({ query: '', legend: '', ...one })) };
}
