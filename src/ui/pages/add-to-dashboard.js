// Puts an expression on a dashboard, an old one or a new one, as a panel below the others.
import { html, useState } from '../lib.js';
import { get, post, put } from '../api.js';
import { boards, go, toast } from '../state.js';
import { t } from '../text.js';
import { Dialog } from '../components/dialog.js';
import { SelectField, TextField, useAnswer } from './kit.js';
import { PANEL_TYPES, below } from './logic/layout.js';

export function AddToDashboard({ expr, unit, onClose }) {
  const list = useAnswer((signal) => get('dashboards/list', undefined, { signal }), []);
  const [into, setInto] = useState('');
  const [title, setTitle] = useState('');
  const [board, setBoard] = useState('');
  const [type, setType] = useState('line');
  const [error, setError] = useState(null);
  const options = (list.data?.dashboards ?? []).map((one) => [one.id, one.title]);

  const add = async (event) => {
    event.preventDefault();
    setError(null);
    const panel = { title: title.trim() || expr.slice(0, 60), type, queries: [{ query: expr }], ...(unit ? { unit } : {}) };
    try {
      const saved = into ? await addTo(into, panel) : await post('dashboards/create', { title: board.trim() || panel.title, panels: [below([], panel)] });
      boards.value = (await get('dashboards/list')).dashboards;
      toast(t('Added to {title}', { title: saved.title }));
      onClose();
      go(`/d/${encodeURIComponent(saved.id)}`);
    } catch (cause) {
      setError(cause);
    }
  };

  return html`<${Dialog} title=${t('Add to dashboard')} onClose=${onClose}><form class="p-form" onSubmit=${add}>
    <${SelectField} label=${t('Dashboard')} value=${into} onValue=${setInto} options=${[['', t('A new one')], ...options]} />
    ${into ? null : html`<${TextField} label=${t('Name of the new dashboard')} value=${board} onValue=${setBoard} />`}
    <${TextField} label=${t('Title of the panel')} value=${title} onValue=${setTitle} placeholder=${expr.slice(0, 60)} />
    <${SelectField} label=${t('Drawn as')} value=${type} onValue=${setType} options=${PANEL_TYPES.map(([key, words]) => [key, t(words)])} />
    ${error ? html`<p class="p-error" role="alert">${error.message}</p>` : null}
    <div class="p-buttons"><button type="button" class="pill" onClick=${onClose}>${t('Cancel')}</button><button type="submit" class="pill primary">${t('Add')}</button></div>
  </form><//>`;
}

// Reads it anew, so that what others changed meanwhile stays.
async function addTo(id, panel) {
  const found = await get(`dashboards/${encodeURIComponent(id)}`);
  return put(`dashboards/${encodeURIComponent(id)}`, { ...found, panels: [...found.panels, below(found.panels, panel)] });
}
