// Who are you: name and password become a session. A form as password managers know it.
import { html, useEffect, useRef, useState } from '../lib.js';
import { get, post } from '../api.js';
import { go, me, route } from '../state.js';
import { t } from '../text.js';
import { Mark as Logo } from '../components/icons.js';
import { TextField, Field } from './kit.js';
import { nextPath, waitSeconds } from './logic/sign-in.js';

export default function SignIn() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const [wait, setWait] = useWait();
  const secret = useRef(null);

  useEffect(() => {
    // Who needs no account, or is signed in already, does not stay here.
    get('access/session').then((who) => {
      me.value = who;
      if (who.accounts && !who.role) return;
      go(nextPath(route.peek().query.next), { replace: true });
    }, () => {});
  }, []);

  const enter = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      me.value = await post('access/session', { name: name.trim(), password });
      go(nextPath(route.value.query.next), { replace: true });
    } catch (cause) {
      setPassword('');
      if (cause.status === 429) setWait(waitSeconds(cause));
      setError(wordsFor(cause));
      secret.current?.focus();
    }
    setBusy(false);
  };

  return html`<div class="p-sign"><section class="card">
    <div class="p-brand"><${Logo} />latido</div>
    <h1>${t('Sign in')}</h1>
    <p class="mute">${t('This daemon has accounts. Sign in to see its dashboards.')}</p>
    <form class="p-form" onSubmit=${enter}>
      <${TextField} label=${t('Name')} value=${name} onValue=${setName} name="username" autocomplete="username" autocapitalize="none"
        spellcheck="false" required autofocus />
      <${Field} label=${t('Password')}>${(props) => html`<input class="p-input" type="password" name="password" autocomplete="current-password" required
        value=${password} onInput=${(e) => setPassword(e.currentTarget.value)} ref=${secret} ...${props} />`}<//>
      <div role="alert">${error ? html`<p class="p-error">${error}${wait > 0 ? ` ${t('You can try again in {n} s.', { n: wait })}` : ''}</p>` : null}</div>
      <button type="submit" class="pill primary wide" disabled=${busy || wait > 0}>${busy ? t('Signing in…') : t('Sign in')}</button>
    </form>
    <p class="p-help">${t('No account yet? An administrator makes one with')} <code>latido user add NAME --role viewer</code></p>
  </section></div>`;
}

function wordsFor(error) {
  if (error.status === 401 || error.status === 403 && error.code !== 'forbidden') return t('Name or password is wrong.');
  if (error.status === 429) return t('Too many attempts.');
  if (error.status === 0) return t('The daemon does not answer.');
  return error.message;
}

// Seconds still to wait, counted down.
function useWait() {
  const [left, set] = useState(0);
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => set(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return [left, set];
}
