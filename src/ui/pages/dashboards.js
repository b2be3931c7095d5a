// The dashboards: found by a word, opened, copied, deleted.
import { html, useState } from '../lib.js';
import { del, get, post } from '../api.js';
import { boards, go, may, toast } from '../state.js';
import { t } from '../text.js';
import { Link } from '../components/link.js';
import { Answered, Blank, Card, Confirm, TextField, useAnswer } from './kit.js';
import { copyOf, found } from './logic/boards.js';

export default function Dashboards() {
  const list = useAnswer((signal) => get('dashboards/list', undefined, { signal }).then((answer) => (boards.value = answer.dashboards)), []);
  const [word, setWord] = useState('');
  const [gone, setGone] = useState(null);
  const copy = async (one) => {
    try {
      const made = await post('dashboards/create', copyOf(await get(`dashboards/${encodeURIComponent(one.id)}`), t('Copy of {title}', { title: one.title })));
      toast(t('Copied to {title}', { title: made.title }));
      go(`/d/${encodeURIComponent(made.id)}/edit`);
    } catch (error) {
      toast(error.message, 'crit');
    }
  };
  const remove = async () => {
    await del(`dashboards/${encodeURIComponent(gone.id)}`);
    list.again();
  };
  return html`<div>
    <div class="p-bar"><${TextField} label=${t('Search')} value=${word} onValue=${setWord} type="search" placeholder=${t('A word of the title')} class="grow" />
      ${may('editor') ? html`<${Link} class="pill primary" href="/dashboards/new">${t('New dashboard')}<//>` : null}</div>
    <${Card} title=${t('Dashboards')}><${Answered} of=${list}>
      ${(all) => html`<${List} all=${found(all, word)} word=${word} onCopy=${copy} onDelete=${setGone} />`}<//><//>
    ${gone ? html`<${Confirm} title=${t('Delete {name}?', { name: gone.title })}
      words=${t('The dashboard is gone for everybody. The values that it shows stay.')} verb=${t('Delete')} act=${remove} onClose=${() => setGone(null)} />` : null}
  </div>`;
}

const ACCESS = { public: 'everybody, without signing in', viewer: 'viewers and above', editor: 'editors and above', admin: 'administrators' };

function List({ all, word, onCopy, onDelete }) {
  if (!all.length) {
    return word ? html`<${Blank} title=${t('No dashboard has that word')}>${t('Search looks at titles and names.')}<//>`
      : html`<${Blank} icon="plus" title=${t('No dashboards yet')} action=${may('editor') ? html`<${Link} class="pill primary" href="/dashboards/new">
        ${t('New dashboard')}<//>` : null} />`;
  }
  return html`<ul class="p-boards">${all.map((one) => html`<li key=${one.id}>
    <${Link} href=${`/d/${encodeURIComponent(one.id)}`}><b>${one.title}</b><span class="mute">${t('for {who}', { who: t(ACCESS[one.access] ?? one.access) })}
      </span><//>
    ${one.predefined ? html`<span class="badge">${t('predefined')}</span>` : null}
    ${may('editor') ? html`<div class="p-tools">
      <${Link} class="pill small" href=${`/d/${encodeURIComponent(one.id)}/edit`} aria-label=${t('Edit {title}', { title: one.title })}>${t('Edit')}<//>
      <button type="button" class="pill small" aria-label=${t('Duplicate {title}', { title: one.title })} onClick=${() => onCopy(one)}>${t('Duplicate')}</button>
      ${one.predefined ? null : html`<button type="button" class="pill small danger" aria-label=${t('Delete {title}', { title: one.title })}
        onClick=${() => onDelete(one)}>${t('Delete')}</button>`}
    </div>` : null}
  </li>`)}</ul>`;
}
