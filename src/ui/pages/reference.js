// Every call of the HTTP interface, read from the daemon's own description of it; works without a network.
import { html, useMemo, useState } from '../lib.js';
import { t } from '../text.js';
import { Answered, Blank, Card, Copy, TextField, useAnswer } from './kit.js';
import { curl, groups, sought } from './logic/openapi.js';

export default function Reference() {
  const answer = useAnswer(load, []);
  const [word, setWord] = useState('');
  return html`<div><div class="p-bar"><${TextField} label=${t('Search')} type="search" value=${word} onValue=${setWord} placeholder=${t('A path or a word')}
    class="grow" />
    <a class="pill" href="/api/openapi.json" download>openapi.json</a></div>
    <${Answered} of=${answer} rows=${5}>${(spec) => html`<${All} spec=${spec} word=${word} />`}<//></div>`;
}

async function load(signal) {
  const answer = await fetch('/api/openapi.json', { signal, credentials: 'same-origin' });
  if (!answer.ok) throw Object.assign(new Error(t('The description cannot be read (HTTP {status}).', { status: answer.status })), { status: answer.status });
  return answer.json();
}

function All({ spec, word }) {
  const list = useMemo(() => groups(spec), [spec]);
  const shown = sought(list, word);
  if (!shown.length) return html`<${Card} title=${t('Calls')}><${Blank} title=${t('No call has these words')} /><//>`;
  return shown.map((group) => html`<${Card} key=${group.name} title=${group.name} note=${t('{n} calls', { n: group.calls.length })} class="p-gap">
    <div class="p-calls">${group.calls.map((one) => html`<${Call} key=${one.method + one.path} one=${one} />`)}</div><//>`);
}

function Call({ one }) {
  const line = curl(location.origin, one);
  return html`<details><summary><span class=${`p-method ${one.method.toLowerCase()}`}>${one.method}</span><code>${one.path}</code><span class="mute">
    ${one.summary}</span></summary>
    ${one.description && one.description !== one.summary ? html`<p class="p-said-text">${one.description}</p>` : null}
    ${one.parameters.length ? html`<div class="p-scroll" tabindex="0" role="region" aria-label=${t('Parameters of {path}', { path: one.path })}>
      <table class="p-left"><thead><tr><th scope="col">${t('Parameter')}</th><th scope="col">${t('in')}</th><th scope="col">${t('what it says')}</th></tr>
      </thead><tbody>
      ${one.parameters.map((p) => html`<tr><td class="mono">${p.name}${p.required ? html`<b title=${t('required')}> *</b>` : null}</td><td>${p.in}</td><td>
        ${p.description ?? ''}</td></tr>`)}</tbody></table></div>` : null}
    ${one.body ? html`<h3 class="p-h3">${t('Body')} <span class="mute">${one.body.type}</span></h3>${one.body.example === null ? null : html`<pre class="code" tabindex="0">${text(one.body.example)}</pre>`}` : null}
    <h3 class="p-h3">${t('Answers')}</h3>
    <ul class="p-answers">${one.answers.map(({ status, words, example }) => html`<li><b>${status}</b> ${words}
      ${example === undefined || example === null ? null : html`<pre class="code" tabindex="0">${text(example)}</pre>`}</li>`)}</ul>
    <h3 class="p-h3">${t('From a shell')}</h3><pre class="code" tabindex="0">${line}</pre><${Copy} text=${line} /></details>`;
}

const text = (example) => (typeof example === 'string' ? example : JSON.stringify(example, null, 2));
