// A path of no page.
import { html } from '../lib.js';
import { route } from '../state.js';
import { t } from '../text.js';
import { Link } from '../components/link.js';
import { State } from '../components/states.js';

export default function Unknown() {
  return html`<div class="page-state"><${State} title=${t('There is no page here')}><p><code>${route.value.path}</code></p><${Link} class="pill primary" href="/">${t('Go to Operations')}<//><//></div>`;
}
