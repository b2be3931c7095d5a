// Which names fit what was typed, best first. Pure.

/**
 * Every word must be in the name; a name that begins with the text comes first, then words that begin so, then shorter names.
 * @template T @param {string} text @param {T[]} items @param {(item: T) => string} nameOf @returns {T[]}
 */
export function rank(text, items, nameOf) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return items;
  const scored = [];
  for (const item of items) {
    const name = nameOf(item).toLowerCase();
    if (!words.every((word) => name.includes(word))) continue;
    const first = name.indexOf(words[0]);
    const begins = first === 0 ? 0 : /[\s_:./-]/.test(name[first - 1]) ? 1 : 2;
    scored.push({ item, begins, length: name.length });
  }
  return scored.sort((a, b) => a.begins - b.begins || a.length - b.length).map(({ item }) => item);
}
