// A dashboard as its document: to copy, to paste, to keep in a file.
import { html, useState } from '../lib.js';
import { t } from '../text.js';
import { Dialog } from '../components/dialog.js';
import { Copy, Field } from './kit.js';
import { read, written } from './logic/boards.js';

export function JsonView({ board, onClose, onTake }) {
  const [text, setText] = useState(() => written(board));
  const [error, setError] = useState(null);
  const take = () => {
    const got = read(text);
    if (got.error) setError(t(got.error));
    else onTake(got.board);
  };
  return html`<${Dialog} title=${t('The dashboard as JSON')} onClose=${onClose} class="wide"><div class="p-form">
    <${Field} label=${t('Document')} error=${error}>${(props) => html`<textarea class="p-input p-json" spellcheck="false" value=${text}
      onInput=${(e) => { setText(e.currentTarget.value); setError(null); }} ...${props}></textarea>`}<//>
    <div class="p-buttons"><${Copy} text=${text} /><button type="button" class="pill" onClick=${onClose}>${t('Cancel')}</button>
      <button type="button" class="pill primary" onClick=${take}>${t('Take it over')}</button></div>
  </div><//>`;
}
