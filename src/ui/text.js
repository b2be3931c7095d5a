// The page's words. English is the key; a dictionary gives the others. Knows no component.
import { signal } from './lib.js';
import boards from './text/es-boards.js';
import shell from './text/es-shell.js';

/** `en` or `es`. */
export const lang = signal(stored() ?? first());

const dictionaries = { es: { ...boards, ...shell } };

/** Adds words of a part of the page: charts and pages each bring their own. @param {string} language @param {Record<string,string>} words */
export function addWords(language, words) {
  Object.assign((dictionaries[language] ??= {}), words);
}

/**
 * The sentence in the chosen language, `{name}` filled in.
 * @param {string} sentence English @param {Record<string, string|number>} [values] @returns {string}
 */
export function t(sentence, values) {
  const text = dictionaries[lang.value]?.[sentence] ?? sentence;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole)) : text;
}

/** Numbers with the language's separators. @param {number} n */
export const count = (n) => n.toLocaleString(lang.value === 'es' ? 'es' : 'en');

function stored() {
  try {
    return localStorage.getItem('latido.lang');
  } catch {
    return null;
  }
}

function first() {
  return typeof navigator !== 'undefined' && navigator.language?.startsWith('es') ? 'es' : 'en';
}
