// Every metric that is known: what it is, how many series it has, how to look at it, how to send it.
import { html, useState } from '../lib.js';
import { get, post, prom } from '../api.js';
import { may, route, toast } from '../state.js';
import { t } from '../text.js';
import { Link } from '../components/link.js';
import { formatText } from '../format.js';
import { Dialog } from '../components/dialog.js';
import { Answered, Blank, Card, Copy, SelectField, TextField, ago, useAnswer } from './kit.js';
import { recordLines } from '../components/record.js';
import { metadata } from './known.js';
import { matching, registration, united, wrong } from './logic/catalog.js';
import { number, selector } from './logic/series.js';

const PAGE = 100;
const TYPES = ['gauge', 'counter', 'histogram', 'summary'];

export default function Catalog() {
  const all = useAnswer(load, [], { every: 30_000 });
  const [word, setWord] = useState(route.value.query.search ?? '');
  const [category, setCategory] = useState('');
  const [making, setMaking] = useState(false);
  const registered = (name) => {
    setMaking(false);
    setWord(name);
    all.again();
    toast(t('Registered: {name}', { name }));
  };
  const categories = [...new Set((all.data ?? []).map((metric) => metric.category))].filter(Boolean).sort();
  return html`<div>
    <div class="p-bar"><${TextField} label=${t('Search')} type="search" value=${word} onValue=${setWord} placeholder=${t('A word of name, help or unit')}
      class="grow" />
      <${SelectField} label=${t('Category')} value=${category} onValue=${setCategory} options=${[['', t('all')], ...categories.map((name) => [name, t(name)])]} />
      ${may('editor') ? html`<button type="button" class="pill primary" onClick=${() => setMaking(true)}>${t('Register a metric')}</button>` : null}</div>
    <${Card} title=${t('Metrics')} note=${all.data ? t('{n} known', { n: all.data.length }) : ''}><${Answered} of=${all} rows=${5}>
      ${(list) => html`<${List} key=${word + category} list=${matching(list, word, category)} />`}<//><//>
    ${making ? html`<${Register} onClose=${() => setMaking(false)} onDone=${registered} />` : null}
  </div>`;
}

async function load(signal) {
  const [custom, known, counted] = await Promise.all([
    get('metrics/custom/list', undefined, { signal }), metadata().catch(() => ({})), prom('query', { query: 'count by (__name__) ({__name__!=""})' }).catch(() => ({ result: [] })),
  ]);
  return united(custom.metrics, known, Object.fromEntries(counted.result.map(({ metric, value }) => [metric.__name__, Number(value[1])])));
}

function List({ list }) {
  const [shown, setShown] = useState(PAGE);
  const [open, setOpen] = useState(null);
  if (!list.length) return html`<${Blank} title=${t('No metric has these words')}>${t('Search looks at names, help and units.')}<//>`;
  return html`<ul class="p-catalog">${list.slice(0, shown).map((metric) => html`<li key=${metric.name}>
      <button type="button" aria-expanded=${open === metric.name ? 'true' : 'false'} onClick=${() => setOpen(open === metric.name ? null : metric.name)}>
        <span class="name"><b class="mono">${metric.name}</b><span class="mute">${metric.help}</span></span>
        <span class="mute kind">${[metric.type && t(metric.type), metric.unit].filter(Boolean).join(' · ')}</span>
          <span class=${`badge ${metric.series ? '' : 'none'}`}>${metric.series === null ? '–' : t('{n} series', { n: metric.series })}</span>
      </button>
      ${open === metric.name ? html`<${Detail} metric=${metric} />` : null}</li>`)}</ul>
    ${list.length > shown ? html`<button type="button" class="pill" onClick=${() => setShown(shown + 4 * PAGE)}>
      ${t('Show more ({n})', { n: list.length - shown })}</button>` : null}`;
}

function Detail({ metric }) {
  const latest = useAnswer((signal) => get('metrics/latest', { name: metric.name, limit: 8 }, { signal }), [metric.name], { every: 5000 });
  const expr = { counter: `rate(${metric.name}[5m])`, histogram: `histogram_quantile(0.95, rate(${metric.name}_bucket[5m]))` }[metric.type] ?? metric.name;
  const line = recordLines([{ ...metric, known: true }], location.origin);
  const values = latest.data?.metrics ?? [];
  return html`<div class="p-detail-box">
    ${values.length ? html`<ul class="p-now">${values.map((one) => html`<li><span class="mono">${selector({ ...one.labels, __name__: undefined })}</span><b>
      ${formatText(number(one.value), one.unit ?? '')}</b><span class="mute">${ago(one.timestamp)}</span></li>`)}</ul>`
      : html`<p class="mute">${latest.data ? t('No value lately.') : '…'}</p>`}
    <div class="p-buttons start"><${Link} class="pill small" href=${`/explore?expr=${encodeURIComponent(expr)}`}>${t('Open in Explore')}<//></div>
    ${metric.collected ? null : html`<p class="p-help">${t('Record a value from a shell:')}</p><pre class="code" tabindex="0">${line}</pre><${Copy} text=${line} />`}
  </div>`;
}

function Register({ onClose, onDone }) {
  const [form, setForm] = useState({ name: '', type: 'gauge', unit: '', help: '', category: '', labels: '', buckets: '' });
  const [errors, setErrors] = useState({});
  const set = (name) => (value) => {
    setForm((old) => ({ ...old, [name]: value }));
    setErrors({});
  };
  const save = async (event) => {
    event.preventDefault();
    const found = wrong(form);
    setErrors(Object.fromEntries(Object.entries(found).map(([name, words]) => [name, t(words)])));
    if (Object.keys(found).length) return;
    try {
      await post('metrics/custom/register', registration(form));
      onDone(form.name.trim());
    } catch (error) {
      setErrors({ [Object.hasOwn(form, error.field) ? error.field : 'other']: error.message });
    }
  };
  const field = (name, label, more = {}) => html`<${TextField} label=${t(label)} value=${form[name]} onValue=${set(name)} error=${errors[name]} ...${more} />`;
  return html`<${Dialog} title=${t('Register a metric')} onClose=${onClose}><form class="p-form" onSubmit=${save} noValidate>
    ${field('name', 'Name', { autofocus: true, class: 'mono-input', placeholder: 'orders_total' })}
    <div class="p-pair"><${SelectField} label=${t('Type')} value=${form.type} onValue=${set('type')} error=${errors.type}
      options=${TYPES.map((name) => [name, name])} />${field('unit', 'Unit', { placeholder: 'seconds' })}</div>
    ${field('help', 'What it says')}
    <div class="p-pair">${field('category', 'Category', { placeholder: 'custom' })}${field('labels', 'Labels', { placeholder: 'route, method' })}</div>
    ${form.type === 'histogram' ? field('buckets', 'Buckets', { placeholder: '0.01, 0.1, 1, 10' }) : null}
    ${errors.other ? html`<p class="p-error" role="alert">${errors.other}</p>` : null}
    <div class="p-buttons"><button type="button" class="pill" onClick=${onClose}>${t('Cancel')}</button><button type="submit" class="pill primary">
      ${t('Register')}</button></div>
  </form><//>`;
}
