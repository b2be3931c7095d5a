// Making and changing a rule: as one writes, the expression is tried for this moment.
import { html, useState } from '../lib.js';
import { post, put } from '../api.js';
import { t } from '../text.js';
import { formatText } from '../format.js';
import { Dialog } from '../components/dialog.js';
import { Mark, SelectField, TextField, useAnswer, useSettled } from './kit.js';
import { Editor, Pointer } from './editor.js';
import { draft, lacks, sent } from './logic/alerts.js';
import { number, selector, unitOf } from './logic/series.js';
import { comparison, placeOf } from './logic/promql.js';

const SEVERITIES = ['info', 'warning', 'critical'];

export function RuleForm({ rule, expr, onClose, onSaved }) {
  const [form, setForm] = useState(() => ({ ...draft(rule), ...(expr ? { expr } : {}) }));
  const [errors, setErrors] = useState({});
  const [busy, setBusy] = useState(false);
  const set = (name) => (value) => {
    setForm((old) => ({ ...old, [name]: value }));
    setErrors((old) => ({ ...old, [name]: null, other: null }));
  };
  const save = async (event) => {
    event.preventDefault();
    const missing = lacks(form);
    setErrors(Object.fromEntries(Object.entries(missing).map(([name, words]) => [name, t(words)])));
    if (Object.keys(missing).length) return;
    setBusy(true);
    try {
      const body = sent(form, rule);
      onSaved(await (rule ? put(`alerts/rules/${encodeURIComponent(rule.id)}`, body) : post('alerts/rules', body)));
    } catch (cause) {
      setErrors({ [fieldOf(cause.field)]: cause.message });
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${rule ? t('Change rule') : t('New rule')} onClose=${onClose}><form class="p-form" onSubmit=${save} noValidate>
    <${TextField} label=${t('Name')} value=${form.name} onValue=${set('name')} error=${errors.name} maxlength="200" autofocus />
    <div class=${`p-field ${errors.expr ? 'bad' : ''}`}><span class="p-label" aria-hidden="true">${t('Expression')}</span>
      <${Editor} value=${form.expr} onValue=${set('expr')} small=${true} label=${t('Expression')} />
      ${errors.expr ? html`<p class="p-error" role="alert">${errors.expr}</p>` : html`<${Trial} form=${form} />`}</div>
    <div class="p-pair">
      <${TextField} label=${t('Pending for')} value=${form.for} onValue=${set('for')} error=${errors.for}
        help=${t('How long it must hold before it fires: 5m, 1h')} />
      <${SelectField} label=${t('Severity')} value=${form.severity} onValue=${set('severity')} error=${errors.severity}
        options=${SEVERITIES.map((name) => [name, t(name)])} />
    </div>
    <${TextField} label=${t('Summary')} value=${form.summary} onValue=${set('summary')} error=${errors.summary}
      help=${html`${t('One line for the person who is woken. Labels and the value may stand in it:')} <code>${'{{ $labels.instance }}'}</code> <code>
      ${'{{ $value }}'}</code>`} />
    <${TextField} label=${t('Description')} value=${form.description} onValue=${set('description')} error=${errors.description} />
    ${errors.other ? html`<p class="p-error" role="alert">${errors.other}</p>` : null}
    <div class="p-buttons"><button type="button" class="pill" onClick=${onClose}>${t('Cancel')}</button>
      <button type="submit" class="pill primary" disabled=${busy}>${t('Save')}</button></div>
  </form><//>`;
}

// Where the form shows an error of the daemon.
function fieldOf(field) {
  const name = (field ?? '').replace(/^annotations\.?/, '');
  return ['name', 'expr', 'for', 'severity', 'summary', 'description'].includes(name) ? name : 'other';
}

// What the rule would say now, in its own words, and where its expression is wrong.
function Trial({ form }) {
  const settled = useSettled(JSON.stringify([form.expr.trim(), form.severity, form.summary, form.description]), 400);
  const [expr, severity, summary, description] = JSON.parse(settled);
  const answer = useAnswer(expr ? async (signal) => {
    const { alerts } = await post('alerts/rules/test', { expr, severity, annotations: { summary, description } }, { signal });
    return { settled, alerts };
  } : null, [settled]);
  if (!expr) return html`<p class="p-help">${t('Every series that the expression yields is an alert.')}</p>`;
  if (answer.error) return html`<div class="p-error" role="status">${answer.error.message}
    <${Pointer} text=${expr} place=${answer.error.field === 'expr' ? placeOf(answer.error.message, expr) : null} /></div>`;
  if (answer.data?.settled !== settled) return html`<p class="p-help">…</p>`;
  const { alerts } = answer.data;
  if (!alerts.length) return html`<p class="p-trial" role="status"><${Mark} tone="ok" />${t('Now: nothing. It would be quiet.')}</p>`;
  const unit = unitOf(comparison(expr)?.left ?? expr);
  return html`<div class="p-trial" role="status"><${Mark} tone="warn" /><span>${trialWords(alerts.length, /^0*[a-z]*$/.test(form.for.trim()))}
    ${alerts.slice(0, 3).map(({ labels, value, annotations }) => html`<code>
      ${selector(told(labels))} = ${formatText(number(value), unit)}${annotations.summary ? ` · ${annotations.summary}` : ''}</code>`)}</span></div>`;
}

function trialWords(n, atOnce) {
  if (n === 1) return atOnce ? t('Now: one series. It would fire.') : t('Now: one series. It would be pending.');
  return atOnce ? t('Now: {n} series. They would fire.', { n }) : t('Now: {n} series. They would be pending.', { n });
}

// The labels that are not the rule's own.
const told = ({ alertname, severity, alertstate, ...labels }) => labels;
