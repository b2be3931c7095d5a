// Accounts and keys, for administrators. A key is shown once, right after it was made.
import { html, useState } from '../lib.js';
import { del, get, post, put } from '../api.js';
import { me, toast } from '../state.js';
import { t } from '../text.js';
import { Dialog } from '../components/dialog.js';
import { Answered, Card, Confirm, Copy, Field, SelectField, TextField, stamp, useAnswer } from './kit.js';

const ROLES = ['viewer', 'editor', 'admin'];
const roles = () => ROLES.map((name) => [name, t(name)]);

export function Users() {
  const answer = useAnswer((signal) => get('access/users', undefined, { signal }), []);
  const [adding, setAdding] = useState(false);
  const [gone, setGone] = useState(null);
  const change = async (name, role) => {
    try {
      await put(`access/users/${encodeURIComponent(name)}`, { role });
      toast(t('Saved: {name}', { name }));
    } catch (error) {
      toast(error.message, 'crit');
    }
    answer.again();
  };
  const remove = async () => {
    await del(`access/users/${encodeURIComponent(gone)}`);
    answer.again();
  };
  return html`<${Card} title=${t('Accounts')} end=${html`<button type="button" class="pill small" onClick=${() => setAdding(true)}>${t('Add an account')}</button>`}>
    <${Answered} of=${answer}>${({ users }) => html`<ul class="p-parts">${users.map((user) => html`<li key=${user.name}><span><b>${user.name}</b>
      ${user.name === me.value.name ? html`<small>${t(user.role)}</small>` : null}</span>
      ${user.name === me.value.name ? null : html`<select class="p-input" aria-label=${t('Role of {name}', { name: user.name })} value=${user.role}
        onChange=${(e) => change(user.name, e.currentTarget.value)}>${roles().map(([key, words]) => html`<option value=${key} selected=${key === user.role}>
        ${words}</option>`)}</select>`}
      ${user.name === me.value.name ? html`<span class="mute">${t('you')}
        </span>` : html`<button type="button" class="pill small danger" aria-label=${t('Remove {name}', { name: user.name })}
          onClick=${() => setGone(user.name)}>${t('Remove')}</button>`}</li>`)}</ul>`}<//>
    ${adding ? html`<${NewUser} onClose=${() => setAdding(false)}
      onDone=${(name) => { setAdding(false); toast(t('Added: {name}', { name })); answer.again(); }} />` : null}
    ${gone ? html`<${Confirm} title=${t('Remove {name}?', { name: gone })} words=${t('Their sessions end at once.')} verb=${t('Remove')} act=${remove}
      onClose=${() => setGone(null)} />` : null}
  <//>`;
}

function useForm(first, send, onDone) {
  const [form, setForm] = useState(first);
  const [errors, setErrors] = useState({});
  const set = (name) => (value) => {
    setForm((old) => ({ ...old, [name]: value }));
    setErrors({});
  };
  const submit = async (event) => {
    event.preventDefault();
    try {
      onDone(await send(form));
    } catch (error) {
      setErrors({ [Object.hasOwn(form, error.field) ? error.field : 'other']: error.message });
    }
  };
  return { form, errors, set, submit };
}

function NewUser({ onClose, onDone }) {
  const { form, errors, set, submit } = useForm({ name: '', password: '', role: 'viewer' }, async (body) => {
    await post('access/users', { ...body, name: body.name.trim() });
    return body.name.trim();
  }, onDone);
  return html`<${Dialog} title=${t('Add an account')} onClose=${onClose}><form class="p-form" onSubmit=${submit}>
    <${TextField} label=${t('Name')} value=${form.name} onValue=${set('name')} error=${errors.name} autocomplete="off" autocapitalize="none" required autofocus />
    <${Field} label=${t('Password')} error=${errors.password} help=${t('At least 8 characters.')}>
      ${(props) => html`<input class="p-input" type="password" autocomplete="new-password" required value=${form.password}
        onInput=${(e) => set('password')(e.currentTarget.value)} ...${props} />`}<//>
    <${SelectField} label=${t('Role')} value=${form.role} onValue=${set('role')} error=${errors.role} options=${roles()} />
    <p class="p-help">${t('Viewers look. Editors also change dashboards and rules and record values. Administrators do everything.')}</p>
    ${errors.other ? html`<p class="p-error" role="alert">${errors.other}</p>` : null}
    <div class="p-buttons"><button type="button" class="pill" onClick=${onClose}>${t('Cancel')}</button><button type="submit" class="pill primary">${t('Add')}
      </button></div></form><//>`;
}

export function Keys() {
  const answer = useAnswer((signal) => get('access/keys', undefined, { signal }), []);
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState(null);
  const [gone, setGone] = useState(null);
  const remove = async () => {
    await del(`access/keys/${encodeURIComponent(gone.id)}`);
    answer.again();
  };
  return html`<${Card} title=${t('Keys for programs')} end=${html`<button type="button" class="pill small" onClick=${() => setAdding(true)}>${t('Make a key')}
    </button>`}>
    <${Answered} of=${answer}>${({ keys }) => (keys.length ? html`<ul class="p-parts">${keys.map((key) => html`<li key=${key.id}><span><b>${key.name}</b><small>
      ${t(key.role)} · ${t(key.scope)} · ${key.expires_at ? t('until {time}', { time: stamp(key.expires_at) }) : t('without end')}</small></span>
      <button type="button" class="pill small danger" aria-label=${t('Revoke {name}', { name: key.name })} onClick=${() => setGone(key)}>${t('Revoke')}</button>
        </li>`)}</ul>` : html`<p class="p-calm">${t('No keys. Prometheus and scripts use one to read or write.')}</p>`)}<//>
    ${adding ? html`<${NewKey} onClose=${() => setAdding(false)} onDone=${(key) => { setAdding(false); setMade(key); answer.again(); }} />` : null}
    ${made ? html`<${Dialog} title=${t('The new key')} onClose=${() => setMade(null)}><div class="p-form">
      <p>${t('Copy it now: it is shown this once and kept only as a hash.')}</p>
      <pre class="code p-secret" tabindex="0">${made.key}</pre>
      <div class="p-buttons"><${Copy} text=${made.key} /><button type="button" class="pill primary" onClick=${() => setMade(null)}>${t('I have it')}</button>
        </div></div><//>` : null}
    ${gone ? html`<${Confirm} title=${t('Revoke {name}?', { name: gone.name })} words=${t('Programs that use it are refused from now on.')} verb=${t('Revoke')}
      act=${remove} onClose=${() => setGone(null)} />` : null}
  <//>`;
}

function NewKey({ onClose, onDone }) {
  const send = ({ expires, ...body }) => post('access/keys', { ...body, name: body.name.trim(), ...(expires ? { expires } : {}) });
  const { form, errors, set, submit } = useForm({ name: '', role: 'viewer', scope: 'read', expires: '' }, send, onDone);
  const ends = [['', 'never'], ['7d', 'in 7 days'], ['30d', 'in 30 days'], ['365d', 'in a year']];
  return html`<${Dialog} title=${t('Make a key')} onClose=${onClose}><form class="p-form" onSubmit=${submit}>
    <${TextField} label=${t('What it is for')} value=${form.name} onValue=${set('name')} error=${errors.name} autocomplete="off"
      placeholder="prometheus" required autofocus />
    <div class="p-pair"><${SelectField} label=${t('Role')} value=${form.role} onValue=${set('role')} error=${errors.role} options=${roles()} />
    <${SelectField} label=${t('For')} value=${form.scope} onValue=${set('scope')} error=${errors.scope}
      options=${[['read', t('reading')], ['write', t('reading and writing')]]} /></div>
    <${SelectField} label=${t('Ends')} value=${form.expires} onValue=${set('expires')} error=${errors.expires}
      options=${ends.map(([key, words]) => [key, t(words)])} />
    ${errors.other ? html`<p class="p-error" role="alert">${errors.other}</p>` : null}
    <div class="p-buttons"><button type="button" class="pill" onClick=${onClose}>${t('Cancel')}</button><button type="submit" class="pill primary">${t('Make')}
      </button></div></form><//>`;
}
