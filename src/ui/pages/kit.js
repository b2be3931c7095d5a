// What the pages share: asking and keeping what was answered, the states of a card, fields with their errors.
// Knows no page and no path of the interface.
import { html, useCallback, useEffect, useRef, useState } from '../lib.js';
import { heading, lang } from '../state.js';
import { addWords, t } from '../text.js';
import words from '../text/es-pages.js';
import { Dialog } from '../components/dialog.js';
import { Icon } from '../components/icons.js';
import { Failed, State, copy } from '../components/states.js';

addWords('es', words);

let ids = 0;
/** An id that is this component's alone. */
export const useId = () => useState(() => `p${++ids}`)[0];

/**
 * Asks, keeps the old answer while it asks again, and says after 300 ms that one waits.
 * @param {(signal: AbortSignal) => Promise<any>} ask null asks nothing @param {unknown[]} deps asks again where they change
 * @param {{every?: number}} [how] `every`: ms between further times, while the page is seen
 * @returns {{data: any, error: Error|null, waiting: boolean, again: () => void}}
 */
export function useAnswer(ask, deps, { every } = {}) {
  const [state, set] = useState({ data: null, error: null, waiting: false });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  useEffect(() => {
    if (!ask) return undefined;
    const stop = new AbortController();
    const slow = setTimeout(() => set((old) => ({ ...old, waiting: old.data === null })), 300);
    const done = (change) => {
      clearTimeout(slow);
      if (!stop.signal.aborted) set((old) => ({ ...old, waiting: false, ...change }));
    };
    ask(stop.signal).then((data) => done({ data, error: null }), (error) => error.name !== 'AbortError' && done({ error }));
    return () => {
      clearTimeout(slow);
      stop.abort();
    };
  }, [...deps, turn]);
  useEffect(() => {
    if (!every || !ask) return undefined;
    const timer = setInterval(() => document.visibilityState === 'visible' && again(), every);
    return () => clearInterval(timer);
  }, [every, ask === null]);
  return { ...state, again };
}

/** A card of the grid. @param {{title: string, note?: any, end?: any, class?: string, children?: any, level?: 2|3}} props */
export function Card({ title, note, end, class: name = '', children }) {
  return html`<section class=${`card ${name}`}>
    <header><h2>${title}</h2>${note ? html`<p>${note}</p>` : null}${end ? html`<div class="end">${end}</div>` : null}</header>
    ${children}
  </section>`;
}

/** What stands in place of a picture. @param {{icon?: string, title: string, children?: any, action?: any}} props */
export function Blank({ icon = 'empty', title, children, action }) {
  return html`<${State} icon=${icon} title=${title}>${children ? html`<p>${children}</p>` : null}${action}<//>`;
}

/** The answer of `useAnswer` drawn: skeleton, error or `children(data)`; a later error keeps the old picture. */
export function Answered({ of, rows = 3, children }) {
  if (of.data !== null) {
    return html`${of.error ? html`<p class="strip-note warn" role="status">${t('Not renewed: {why}', { why: of.error.message })}</p>` : null}${children(of.data)}`;
  }
  if (of.error) return html`<${Failed} error=${of.error} again=${of.again} />`;
  return of.waiting ? html`<${Skeleton} rows=${rows} />` : html`<div class="p-hold"></div>`;
}

/** Grey bars while one waits. @param {{rows?: number}} props */
export function Skeleton({ rows = 3 }) {
  return html`<div class="p-skel" role="status" aria-label=${t('Loading')}>${Array.from({ length: rows }, () => html`<div class="skel"></div>`)}</div>`;
}

const GLYPHS = {
  up: 'M5 12l5-5 5 5', down: 'M5 8l5 5 5-5', left: 'M12 5l-5 5 5 5', right: 'M8 5l5 5-5 5', bin: 'M4.5 6h11M8 6V4h4v2M6 6l.7 10h6.6L14 6',
  wider: 'M3 10h14M13 6l4 4-4 4M7 6l-4 4 4 4', narrower: 'M2 10h6M5 7l3 3-3 3M18 10h-6M15 7l-3 3 3 3',
};

/** A small drawing that only the pages need; the others are the shell's. @param {{name: keyof GLYPHS}} props */
export function Glyph({ name }) {
  return html`<svg class="i" viewBox="0 0 20 20" aria-hidden="true"><path d=${GLYPHS[name]} /></svg>`;
}

const SHAPE = { ok: 'M5 1a4 4 0 1 1 0 8a4 4 0 1 1 0-8z', warn: 'M5 .8 9.6 9H.4z', crit: 'M1 1h8v8H1z', unk: 'M5 1.4a3.6 3.6 0 1 1 0 7.2a3.6 3.6 0 1 1 0-7.2z' };

/** State as shape and colour; the word stands beside it or is `label`. @param {{tone: 'ok'|'warn'|'crit'|'unk', label?: string}} props */
export function Mark({ tone, label }) {
  const named = label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': 'true' };
  return html`<svg class=${`st ${tone}`} viewBox="0 0 10 10" ...${named}><path d=${SHAPE[tone]} /></svg>`;
}

/**
 * An input with its label, help and error; `children(props)` draws the input with the props it must carry.
 * @param {{label: string, help?: any, error?: string|null, class?: string, children: (props: object) => any}} props
 */
export function Field({ label, help, error, class: name = '', children }) {
  const id = useId();
  const about = [error && `${id}-e`, help && `${id}-h`].filter(Boolean).join(' ');
  return html`<div class=${`p-field ${error ? 'bad' : ''} ${name}`}>
    <label for=${id}>${label}</label>
    ${children({ id, 'aria-describedby': about || undefined, 'aria-invalid': error ? 'true' : undefined })}
    ${error ? html`<p class="p-error" id=${`${id}-e`}>${error}</p>` : null}
    ${help ? html`<p class="p-help" id=${`${id}-h`}>${help}</p>` : null}
  </div>`;
}

/** A line of text with its label. */
export function TextField({ label, help, error, value, onValue, class: name, ...rest }) {
  return html`<${Field} label=${label} help=${help} error=${error} class=${name}>
    ${(props) => html`<input type="text" class="p-input" value=${value} onInput=${(e) => onValue(e.currentTarget.value)} ...${rest} ...${props} />`}<//>`;
}

/** A choice of a few. @param {{options: [string, string][]}} props value and words */
export function SelectField({ label, help, error, value, onValue, options, class: name, ...rest }) {
  return html`<${Field} label=${label} help=${help} error=${error} class=${name}>
    ${(props) => html`<select class="p-input" value=${value} onChange=${(e) => onValue(e.currentTarget.value)} ...${rest} ...${props}>
    ${options.map(([key, words]) => html`<option value=${key} selected=${key === value}>${words}</option>`)}</select>`}<//>`;
}

/** Asks before something is gone. `act` is awaited; its error is shown. @param {{title: string, words: any, verb: string, act: () => Promise<any>, onClose: () => void}} props */
export function Confirm({ title, words, verb, act, onClose }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const sure = async () => {
    setBusy(true);
    try {
      await act();
      onClose();
    } catch (cause) {
      setError(cause.message);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose} class="narrow"><p>${words}</p>
    ${error ? html`<p class="p-error" role="alert">${error}</p>` : null}
    <div class="p-buttons"><button type="button" class="pill" onClick=${onClose} autofocus>${t('Keep it')}</button>
      <button type="button" class="pill danger" disabled=${busy} onClick=${sure}>${verb}</button></div><//>`;
}

/** Copies a text and says so. @param {{text: string, label?: string}} props */
export function Copy({ text, label }) {
  return html`<button type="button" class="pill small" onClick=${() => copy(text)}><${Icon} name="copy" />${label ?? t('Copy')}</button>`;
}

/** The small words beside the page's name. @param {string} words */
export function useSubtitle(words) {
  useEffect(() => {
    heading.value = { ...heading.peek(), subtitle: words };
  }, [words]);
}

/** The value, once nothing changed for `ms`. @template T @param {T} value @param {number} ms @returns {T} the value as it was then */
export function useSettled(value, ms) {
  const [settled, set] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => set(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** How long ago, in the words of the language: `3 hours ago`. @param {number|null} ms @param {number} [now] */
export function ago(ms, now = Date.now()) {
  if (ms === null || ms === undefined) return t('never');
  const seconds = Math.round((ms - now) / 1000);
  const words = new Intl.RelativeTimeFormat(lang.value, { numeric: 'auto' });
  const [unit, size] = [['day', 86400], ['hour', 3600], ['minute', 60]].find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return words.format(Math.trunc(seconds / size), unit);
}

/** Date and time as the language writes them. @param {number|null} ms */
export function stamp(ms) {
  if (ms === null || ms === undefined) return '–';
  return new Intl.DateTimeFormat(lang.value, { dateStyle: 'medium', timeStyle: 'short' }).format(ms);
}
