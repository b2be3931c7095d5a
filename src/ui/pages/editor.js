// The box an expression is written in: coloured as one writes, suggestions at the caret, past ones at hand.
// The colours lie behind a textarea with clear letters, so selection, undo and input methods stay the browser's own.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../lib.js';
import { t } from '../text.js';
import { useId } from './kit.js';
import { askingAt, coloured, suggestions } from './logic/promql.js';
import { labelNames, labelValues, metricNames } from './known.js';

const MAC = typeof navigator !== 'undefined' && /mac|iphone|ipad/i.test(navigator.platform ?? '');

/**
 * @param {{value: string, onValue: (text: string) => void, onRun?: () => void, past?: string[], onPast?: (expr: string) => void,
 *   error?: Error|null, place?: number|null, asked?: string, label?: string, small?: boolean}} props
 */
export function Editor({ value, onValue, onRun, past = [], onPast, error, place, asked, label, small }) {
  const id = useId();
  const [box, back] = [useRef(null), useRef(null)];
  const [caret, setCaret] = useState(value.length);
  const help = useSuggestions(value, caret);
  const [old, setOld] = useState(false);
  useGrowing(box, value);
  const wrong = error && asked?.trim() === value.trim() ? place : null;

  const accept = (item) => {
    const { from, to } = help.asked;
    const skip = item.insert.endsWith('()') && value[to] === '(' ? item.insert.slice(0, -2) : item.insert;
    const text = value.slice(0, from) + skip + value.slice(to);
    const at = from + skip.length - (skip === item.insert ? item.move ?? 0 : 0);
    onValue(text);
    help.close();
    moveTo.current = at;
  };
  const moveTo = useRef(null);
  useLayoutEffect(() => {
    if (moveTo.current === null) return;
    box.current.setSelectionRange(moveTo.current, moveTo.current);
    setCaret(moveTo.current);
    moveTo.current = null;
  });
  const keyed = (event) => {
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      help.close();
      onRun?.();
    } else if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      help.show();
    } else if (help.list.length) listKeys(event, help, accept);
  };
  const seen = (event) => setCaret(event.currentTarget.selectionStart);
  const typed = (event) => {
    onValue(event.currentTarget.value);
    seen(event);
    help.typed();
  };

  return html`<div class=${`p-editor ${small ? 'small' : ''}`}>
    <label class="sr" for=${id}>${label ?? t('Expression')}</label>
    <div class="p-code">
      <pre aria-hidden="true" ref=${back}><${Coloured} text=${value} caret=${help.asked?.from ?? caret} wrong=${wrong} /></pre>
      <textarea id=${id} ref=${box} rows="1" value=${value} spellcheck="false" autocapitalize="none" autocomplete="off" autocorrect="off"
        placeholder=${small ? '' : t('Write an expression, or pick a metric')}
        aria-autocomplete="list" aria-haspopup="listbox" aria-controls=${help.list.length ? `${id}-list` : undefined}
          aria-describedby=${error ? `${id}-e` : undefined} aria-invalid=${error ? 'true' : undefined}
        aria-activedescendant=${help.list.length ? `${id}-${help.at}` : undefined} onInput=${typed} onKeyDown=${keyed} onKeyUp=${seen} onClick=${seen}
          onBlur=${help.close}></textarea>
      ${help.list.length ? html`<${Popup} id=${id} help=${help} back=${back} onPick=${accept} />` : null}
    </div>
    ${onRun ? html`<div class="p-run">
      ${past.length ? html`<button type="button" class="pill" aria-expanded=${old} onClick=${() => setOld(!old)}>${t('Past')}</button>` : null}
      <button type="button" class="pill primary" onClick=${onRun} title=${MAC ? '⌘ Enter' : 'Ctrl Enter'}>${t('Run')}</button></div>` : null}
    <div class="sr" role="status">${help.list.length ? t('{n} suggestions', { n: help.list.length }) : ''}</div>
    ${error ? html`<div class="p-wrong" id=${`${id}-e`} role="alert"><${Wrong} error=${error} text=${asked ?? value} place=${place} /></div>` : null}
    ${old ? html`<ul class="p-past">${past.map((expr) => html`<li><button type="button" onClick=${() => { setOld(false); onPast(expr); }}>${expr}</button>
      </li>`)}</ul>` : null}
  </div>`;
}

function listKeys(event, help, accept) {
  const keys = {
    ArrowDown: () => help.move(1), ArrowUp: () => help.move(-1), Escape: help.close,
    Enter: () => accept(help.list[help.at]), Tab: () => accept(help.list[help.at]),
  };
  if (!keys[event.key] || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
}

// The text in colours, with a mark where the suggestions open and one where the error is.
function Coloured({ text, caret, wrong }) {
  const parts = coloured(text).map((token) => {
    const bad = wrong !== null && wrong !== undefined && token.start <= wrong && wrong < token.end;
    const inner = caret > token.start && caret < token.end
      ? html`${token.text.slice(0, caret - token.start)}<i class="at"></i>${token.text.slice(caret - token.start)}` : token.text;
    return html`${caret === token.start ? html`<i class="at"></i>` : null}<span class=${`q-${token.role} ${bad ? 'q-wrong' : ''}`}>${inner}</span>`;
  });
  return html`${parts}${caret >= text.length ? html`<i class="at"></i>` : null}${wrong === text.length ? html`<span class="q-wrong"> </span>` : null}${'\n'}`;
}

function Popup({ id, help, back, onPick }) {
  const list = useRef(null);
  useLayoutEffect(() => {
    const mark = back.current.querySelector('.at');
    const room = back.current.clientWidth - list.current.offsetWidth;
    list.current.style.left = `${Math.max(0, Math.min(mark.offsetLeft, room))}px`;
    list.current.style.top = `${mark.offsetTop + 28}px`;
    list.current.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  });
  return html`<ul class="p-pop" id=${`${id}-list`} ref=${list} role="listbox" aria-label=${t('Suggestions')}>${help.list.map((item, i) => html`
    <li id=${`${id}-${i}`} role="option" aria-selected=${i === help.at ? 'true' : 'false'} onMouseDown=${(e) => { e.preventDefault(); onPick(item); }}>
      ${item.text}<span>${t(item.note ?? '')}</span></li>`)}</ul>`;
}

function Wrong({ error, text, place }) {
  return html`<p>${error.message}</p><${Pointer} text=${text} place=${place} />`;
}

/** The line of an expression with a mark under one place of it; nothing where no place is known. */
export function Pointer({ text, place }) {
  if (place === null || place === undefined) return null;
  const line = text.slice(0, place).split('\n').length;
  const row = text.split('\n')[line - 1];
  const column = place - text.lastIndexOf('\n', place - 1) - 1;
  return html`<pre aria-hidden="true">${`${row}\n${' '.repeat(column)}^`}</pre>`;
}

// The box is as high as its text.
function useGrowing(box, value) {
  useLayoutEffect(() => {
    box.current.style.height = 'auto';
    box.current.style.height = `${box.current.scrollHeight}px`;
  }, [value]);
}

// What fits at the caret, which of it is chosen, and whether it is shown.
function useSuggestions(text, caret) {
  const [shown, setShown] = useState(false);
  const [forced, setForced] = useState(false);
  const [at, setAt] = useState(0);
  const [known, setKnown] = useState({ metrics: [], labels: [], values: [] });
  const asked = shown ? askingAt(text, caret) : null;
  useEffect(() => {
    if (!asked) return undefined;
    let here = true;
    const wanted = asked.kind === 'label' ? labelNames(asked.metric).then((labels) => ({ labels }))
      : asked.kind === 'value' ? labelValues(asked.label, asked.metric).then((values) => ({ values })) : metricNames().then((metrics) => ({ metrics }));
    wanted.then((found) => here && setKnown((old) => ({ ...old, ...found })), () => {});
    return () => { here = false; };
  }, [asked?.kind, asked?.metric, asked?.label]);
  const worth = asked && (forced || asked.prefix || asked.kind === 'label' || asked.kind === 'value');
  const all = worth ? suggestions(asked, known) : [];
  const list = all.length === 1 && all[0].text === asked.prefix ? [] : all;
  const place = Math.min(at, Math.max(list.length - 1, 0));
  return {
    asked, list, at: place,
    move: (by) => setAt((place + by + list.length) % list.length),
    close: () => { setShown(false); setForced(false); setAt(0); },
    show: () => { setShown(true); setForced(true); setAt(0); },
    typed: () => { setShown(true); setForced(false); setAt(0); },
  };
}
