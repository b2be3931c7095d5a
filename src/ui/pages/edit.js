// Making and changing a dashboard: its frame, its panels on the grid with their values now, one panel's form at the side.
import { html, useEffect, useState } from '../lib.js';
import { get, post, put } from '../api.js';
import { boards, go, hold, may, route, toast } from '../state.js';
import { t } from '../text.js';
import { Failed } from '../components/states.js';
import { Link } from '../components/link.js';
import { Answered, Blank, Card, SelectField, TextField, useAnswer } from './kit.js';
import { EditorGrid } from './edit-grid.js';
import { PanelForm } from './edit-panel.js';
import { JsonView } from './edit-json.js';
import { below, faults, outgoing, partOf, place, settle, sizeOf, swap, tidy } from './logic/layout.js';
import { blank, whole } from './logic/boards.js';

export default function Edit() {
  const { id } = route.value.params;
  const answer = useAnswer(async (signal) => (id ? get(`dashboards/${encodeURIComponent(id)}`, undefined, { signal }) : blank()), [id]);
  if (!may('editor')) return html`<${Failed} error=${{ status: 403, message: t('Changing dashboards needs the role editor.') }} />`;
  return html`<${Answered} of=${answer}>${(board) => html`<${Form} key=${id ?? 'new'} id=${id} first=${board} />`}<//>`;
}

function Form({ id, first }) {
  const [board, setBoard] = useState(() => ({ ...first, panels: first.panels.map(whole) }));
  const [chosen, setChosen] = useState(first.panels.length ? 0 : null);
  const [errors, setErrors] = useState({});
  const [busy, setBusy] = useState(false);
  const [json, setJson] = useState(false);
  const [saved, setSaved] = useState(board);
  const dirty = board !== saved;
  useLeaveWarning(dirty);

  const set = (change) => {
    setBoard((old) => ({ ...old, ...change }));
    setErrors({});
  };
  const panels = (change) => set({ panels: change(board.panels) });
  const actions = {
    choose: setChosen,
    change: (i, change) => panels((list) => list.map((panel, k) => (k === i ? { ...panel, ...change } : panel))),
    place: (i, change) => panels((list) => place(list, i, change)),
    swap: (i, way) => panels((list) => swap(list, i, way)),
    add: () => {
      panels((list) => [...list, below(list, whole({ type: 'line', ...sizeOf('line') }))]);
      setChosen(board.panels.length);
    },
    copy: (i) => {
      panels((list) => [...list, below(list, { ...list[i], id: undefined })]);
      setChosen(board.panels.length);
    },
    remove: (i) => {
      panels((list) => list.filter((_, k) => k !== i));
      setChosen(board.panels.length > 1 ? Math.max(0, i - 1) : null);
    },
  };
  const save = async () => {
    const missing = faults(board);
    if (Object.keys(missing).length) {
      setErrors(Object.fromEntries(Object.entries(missing).map(([field, words]) => [field, t(words)])));
      const part = partOf(Object.keys(missing)[0], board.panels);
      if (part) setChosen(part.panel);
      return;
    }
    setBusy(true);
    try {
      const body = outgoing({ ...board, panels: tidy(settle(board.panels)) });
      const kept = await (id ? put(`dashboards/${encodeURIComponent(id)}`, body) : post('dashboards/create', body));
      setSaved(board);
      hold.ask = null;
      boards.value = (await get('dashboards/list')).dashboards;
      toast(t('Saved: {name}', { name: kept.title }));
      go(`/d/${encodeURIComponent(kept.id)}`);
    } catch (error) {
      setErrors({ [error.field ?? 'other']: error.status === 409 ? t('Somebody else saved this dashboard meanwhile. Copy your JSON, open it anew and put your changes in.') : error.message });
      const part = partOf(error.field, board.panels);
      if (part) setChosen(part.panel);
      setBusy(false);
    }
  };
  const other = Object.entries(errors).filter(([field]) => field !== 'title' && !partOf(field, board.panels)).map(([field, words]) => (field === 'other' ? words : `${field}: ${words}`));
  const panelErrors = Object.entries(errors).map(([field, words]) => ({ ...partOf(field, board.panels), words })).filter((one) => one.panel !== undefined);

  return html`<div class="p-edit">
    <${Frame} board=${board} set=${set} error=${errors.title} id=${id} busy=${busy} onSave=${save} onJson=${() => setJson(true)} />
    ${other.length ? html`<p class="p-error" role="alert">${other.join(' ')}</p>` : null}
    <div class="p-edit-both">
      ${board.panels.length ? html`<${EditorGrid} panels=${board.panels} chosen=${chosen} errors=${panelErrors} actions=${actions} />`
        : html`<${Card} title=${t('Panels')}><${Blank} icon="plus" title=${t('Nothing here yet')} action=${html`<button type="button" class="pill primary"
          onClick=${actions.add}>${t('Add a panel')}</button>`}>${t('A panel draws one or more expressions.')}<//><//>`}
      ${chosen !== null && board.panels[chosen] ? html`<${PanelForm} key=${chosen} panel=${board.panels[chosen]} index=${chosen}
        errors=${panelErrors.filter((one) => one.panel === chosen)} actions=${actions} />` : null}
    </div>
    ${json ? html`<${JsonView} board=${outgoing(board)} onClose=${() => setJson(false)}
      onTake=${(next) => { set(next); setChosen(next.panels.length ? 0 : null); setJson(false); }} />` : null}
  </div>`;
}

const ACCESS = [['public', 'Everybody, without signing in'], ['viewer', 'Viewers and above'], ['editor', 'Editors and above'], ['admin', 'Administrators']];
const THEMES = [['auto', 'As the person likes'], ['light', 'Light'], ['dark', 'Dark']];
const RANGES = [['', 'Last hour'], ['5m', 'Last 5 minutes'], ['15m', 'Last 15 minutes'], ['6h', 'Last 6 hours'], ['24h', 'Last 24 hours'], ['7d', 'Last 7 days'], ['30d', 'Last 30 days']];

function Frame({ board, set, error, id, busy, onSave, onJson }) {
  const ranges = ['1h', undefined].includes(board.range) || RANGES.some(([key]) => key === board.range) ? RANGES : [...RANGES, [board.range, board.range]];
  return html`<form class="p-bar" onSubmit=${(e) => { e.preventDefault(); onSave(); }}>
    <${TextField} label=${t('Title')} value=${board.title} onValue=${(title) => set({ title })} error=${error} class="grow" maxlength="200" autofocus=${!id} />
    <${TextField} label=${t('Under it')} value=${board.subtitle ?? ''} onValue=${(subtitle) => set({ subtitle })} class="grow" maxlength="200" />
    <${SelectField} label=${t('Who may see it')} value=${board.access} onValue=${(access) => set({ access })}
      options=${ACCESS.map(([key, words]) => [key, t(words)])} />
    <${SelectField} label=${t('Theme')} value=${board.theme ?? 'auto'} onValue=${(theme) => set({ theme })}
      options=${THEMES.map(([key, words]) => [key, t(words)])} />
    <${SelectField} label=${t('Opens with')} value=${board.range === '1h' ? '' : board.range ?? ''} onValue=${(range) => set({ range })}
      options=${ranges.map(([key, words]) => [key, t(words)])} />
    <div class="p-buttons"><button type="button" class="pill" onClick=${onJson}>JSON</button>
      <${Link} class="pill" href=${id ? `/d/${encodeURIComponent(id)}` : '/dashboards'}>${t('Cancel')}<//>
        <button type="submit" class="pill primary" disabled=${busy}>${t('Save')}</button></div>
  </form>`;
}

// Another page or a closed tab asks first when something is not saved.
function useLeaveWarning(dirty) {
  useEffect(() => {
    if (!dirty) return undefined;
    const ask = (event) => event.preventDefault();
    addEventListener('beforeunload', ask);
    hold.ask = () => confirm(t('Leave without saving? What was changed here would be lost.'));
    return () => {
      removeEventListener('beforeunload', ask);
      hold.ask = null;
    };
  }, [dirty]);
}
