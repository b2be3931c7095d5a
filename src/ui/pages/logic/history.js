// The expressions that were run last, newest first. Pure.

const MOST = 20;

/** What a browser kept; whatever else lies there counts as nothing. @param {string|null} text @returns {string[]} */
export function remembered(text) {
  try {
    const list = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** @param {string[]} list @param {string} expr @returns {string[]} */
export const latest = (list, expr) => [expr, ...list.filter((one) => one !== expr)].slice(0, MOST);
