// The form of one panel: what it draws, of what, where, and how.
import { html } from '../lib.js';
import { t } from '../text.js';
import { Card, SelectField, TextField, useId } from './kit.js';
import { Editor } from './editor.js';
import { COLUMNS, PANEL_TYPES, ROWS_OF_PANEL } from './logic/layout.js';
import { placeOf } from './logic/promql.js';

const UNITS = ['percent', 'ratio', 'bytes', 'bytes/s', 'bits/s', 'seconds', 'ops/s', 'requests/s', 'count', 'celsius', 'eur', 'usd'];
const MOST_QUERIES = 10;

export function PanelForm({ panel, index, errors, actions }) {
  const set = (change) => actions.change(index, change);
  // `query` is the daemon's word for the first of the queries.
  const at = (part) => errors.find((one) => one.part === part || (one.part === 'query' && part.startsWith('queries[0]')))?.words ?? null;
  const known = ['title', 'unit', 'type', 'x', 'y', 'w', 'h'];
  const rest = errors.filter((one) => !known.includes(one.part) && !/^quer/.test(one.part)).map((one) => (one.part ? `${one.part}: ${one.words}` : one.words));
  const query = (k, change) => set({ queries: panel.queries.map((one, n) => (n === k ? { ...one, ...change } : one)) });
  const units = useId();
  return html`<${Card} title=${t('Panel')} class="p-side"><div class="p-form">
    ${rest.length ? html`<p class="p-error" role="alert">${rest.join(' ')}</p>` : null}
    <${TextField} label=${t('Title')} value=${panel.title} onValue=${(title) => set({ title })} error=${at('title')} maxlength="200" />
    <div class="p-pair">
      <${SelectField} label=${t('Drawn as')} value=${panel.type} onValue=${(type) => set({ type })} error=${at('type')}
        options=${PANEL_TYPES.map(([key, words]) => [key, t(words)])} />
      <${TextField} label=${t('Unit')} value=${panel.unit ?? ''} onValue=${(unit) => set({ unit })} error=${at('unit')} list=${units} />
      <datalist id=${units}>${UNITS.map((unit) => html`<option value=${unit} />`)}</datalist>
    </div>
    ${panel.queries.map((one, k) => html`<${Query} key=${k} one=${one} number=${k} many=${panel.queries.length > 1}
      error=${at(`queries[${k}].query`) ?? at(`queries[${k}]`)}
      onChange=${(change) => query(k, change)} onRemove=${() => set({ queries: panel.queries.filter((_, n) => n !== k) })} />`)}
    ${panel.queries.length < MOST_QUERIES ? html`<button type="button" class="pill small"
      onClick=${() => set({ queries: [...panel.queries, { query: '', legend: '' }] })}>${t('Another expression')}</button>` : null}
    <fieldset class="p-four"><legend>${t('Place on the grid')}</legend>
      <${Count} label=${t('Column')} value=${panel.x} most=${COLUMNS - panel.w} error=${at('x')} onValue=${(x) => actions.place(index, { x })} />
      <${Count} label=${t('Row')} value=${panel.y} most=${999} error=${at('y')} onValue=${(y) => actions.place(index, { y })} />
      <${Count} label=${t('Width')} value=${panel.w} least=${1} most=${COLUMNS} error=${at('w')} onValue=${(w) => actions.place(index, { w })} />
      <${Count} label=${t('Height')} value=${panel.h} least=${1} most=${ROWS_OF_PANEL} error=${at('h')} onValue=${(h) => actions.place(index, { h })} />
    </fieldset>
    <${Options} panel=${panel} onValue=${(options) => set({ options })} />
  </div><//>`;
}

function Query({ one, number, many, error, onChange, onRemove }) {
  const label = many ? t('Expression {n}', { n: number + 1 }) : t('Expression');
  return html`<div class=${`p-field ${error ? 'bad' : ''}`}>
    <div class="p-label"><span aria-hidden="true">${label}</span>
      ${many ? html`<button type="button" class="link" onClick=${onRemove} aria-label=${`${t('Take away')}: ${label}`}>${t('Take away')}</button>` : null}</div>
    <${Editor} small=${true} value=${one.query} label=${label} onValue=${(query) => onChange({ query })} error=${error ? new Error(error) : null}
      place=${error ? placeOf(error, one.query) : null} asked=${one.query} />
    <${TextField} label=${t('Name in the legend')} value=${one.legend ?? ''} onValue=${(legend) => onChange({ legend })} placeholder=${'{{instance}}'} />
  </div>`;
}

function Count({ label, value, least = 0, most, error, onValue }) {
  return html`<${TextField} label=${label} type="number" min=${least} max=${most} step="1" value=${value} error=${error}
    onValue=${(text) => text !== '' && onValue(Number(text))} />`;
}

// What each type can be told beside; `[name, words, kind]`.
const CHOICES = {
  line: [['stack', 'Stacked', 'switch'], ['step', 'In steps', 'switch']],
  bar: [['by', 'A bar for each', 'choice', [['time', 'moment'], ['category', 'series']]]],
  gauge: [['min', 'From', 'number'], ['max', 'To', 'number'], ['target', 'Goal', 'number']],
  pie: [['rest', 'Series that is the rest', 'text'], ['center', 'In the middle', 'choice', [['sum', 'sum'], ['used', 'share that is not rest']]]],
  table: [['limit', 'At most so many rows', 'number']],
  status_grid: [['show_value', 'Shows the value', 'switch']],
  big_number: [['spark', 'With its course', 'switch', true], ['compare', 'Compared with', 'text', '1h']],
  heatmap: [],
};

function Options({ panel, onValue }) {
  const options = panel.options ?? {};
  const set = (name, value) => {
    const { [name]: _, ...rest } = options;
    onValue(value === undefined || value === '' || Number.isNaN(value) ? rest : { ...rest, [name]: value });
  };
  const scale = ['line', 'bar'].includes(panel.type) ? [['min', 'Axis from', 'number'], ['max', 'Axis to', 'number']] : [];
  const list = [...(CHOICES[panel.type] ?? []), ...scale, ['decimals', 'Decimals', 'number'], ['better', 'Better is', 'choice', [['', 'not said'], ['up', 'more'], ['down', 'less']]]];
  return html`<details class="p-more"><summary>${t('More')}</summary><div class="p-pairs">
    ${list.map(([name, words, kind, extra]) => html`<${Choice} key=${name} name=${name} words=${t(words)} kind=${kind} extra=${extra} value=${options[name]}
      onValue=${(value) => set(name, value)} />`)}
    <${Limits} list=${options.thresholds ?? []} onValue=${(thresholds) => set('thresholds', thresholds.length ? thresholds : undefined)} />
  </div></details>`;
}

function Choice({ words, kind, extra, value, onValue }) {
  const id = useId();
  if (kind === 'switch') {
    const on = value ?? extra === true;
    return html`<div class="p-check"><input id=${id} type="checkbox" checked=${on} onChange=${(e) => onValue(e.currentTarget.checked)} /><label for=${id}>
      ${words}</label></div>`;
  }
  if (kind === 'choice') return html`<${SelectField} label=${words} value=${value ?? extra[0][0]} onValue=${onValue}
    options=${extra.map(([key, name]) => [key, t(name)])} />`;
  if (kind === 'number') return html`<${TextField} label=${words} type="number" step="any" value=${value ?? ''}
    onValue=${(text) => onValue(text === '' ? undefined : Number(text))} />`;
  return html`<${TextField} label=${words} value=${value ?? ''} placeholder=${extra ?? ''} onValue=${onValue} />`;
}

function Limits({ list, onValue }) {
  const change = (k, part) => onValue(list.map((one, n) => (n === k ? { ...one, ...part } : one)));
  return html`<fieldset class="p-limits"><legend>${t('Limits')}</legend>
    ${list.map((one, k) => html`<div class="p-limit" key=${k}>
      <${TextField} label=${t('From')} type="number" step="any" value=${one.value} onValue=${(text) => change(k, { value: Number(text) })} />
      <${SelectField} label=${t('Tone')} value=${one.tone} onValue=${(tone) => change(k, { tone })} options=${[['warn', t('warning')], ['crit', t('critical')]]} />
      <${TextField} label=${t('Words')} value=${one.label ?? ''} onValue=${(label) => change(k, { label })} />
      <button type="button" class="pill small" onClick=${() => onValue(list.filter((_, n) => n !== k))}
        aria-label=${t('Take limit {n} away', { n: k + 1 })}>×</button></div>`)}
    <button type="button" class="pill small" onClick=${() => onValue([...list, { value: 0, tone: 'warn' }])}>${t('Add a limit')}</button></fieldset>`;
}
