// What stands in place of a picture: still loading, nothing there, an error, no access, a first run.
import { html, useEffect, useState } from '../lib.js';
import { toast } from '../state.js';
import { t } from '../text.js';
import { Icon } from './icons.js';
import { recordLines } from './record.js';

/** Nothing for 300 ms, then a skeleton. */
export function Loading() {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return slow ? html`<div class="skel" role="status" aria-label=${t('Loading')}></div>` : html`<div class="state"></div>`;
}

/** @param {{icon?: string, title: string, tight?: boolean, children?: any, alert?: boolean}} props */
export function State({ icon = 'empty', title, tight, children, alert }) {
  return html`<div class=${tight ? 'state tight' : 'state'} role=${alert ? 'alert' : undefined}><${Icon} name=${icon} /><b>${title}</b>${children}</div>`;
}

/** Metrics that this daemon gathers by itself: nobody sends them. */
const OWN = /^(latido|node|process)_|^(up|scrape_\w+)$/;

/** Which metric would feed a panel, and the line that sends it. @param {{missing?: any[], tight?: boolean, range?: boolean, onShow?: (missing: any[]) => void}} props */
export function Empty({ missing = [], tight, onShow }) {
  const [first, ...others] = [...missing].sort((a, b) => OWN.test(a.name) - OWN.test(b.name));
  if (!first) {
    return html`<${State} title=${t('No samples in this range')} tight=${tight}><p>${t('Choose a longer time, or wait for the next one.')}</p><//>`;
  }
  const names = html`<code>${first.name}</code>${others.length ? html` ${t('and {n} more', { n: others.length })}` : null}`;
  if (missing.every(({ name }) => OWN.test(name))) {
    return html`<${State} title=${t('Not collected yet')} tight=${tight}><p><code>${first.name}</code>${others.length ? html` ${t('and {n} more', { n: others.length })}` : null}</p>
      ${tight ? null : html`<p>${t('This daemon gathers it by itself, where the machine has it.')}</p>`}<//>`;
  }
  return html`<${State} title=${t('No data yet')} tight=${tight}>
    <p>${t('Fed by')} ${names}${first.help && !tight ? html`<br />${first.help}` : null}</p>
    <div class="row"><button type="button" class="pill small" onClick=${() => onShow?.(missing)}>${t('How to send it')}</button></div><//>`;
}

/** The curl lines of missing metrics, with a button that copies them. @param {{missing: any[]}} props */
export function HowToSend({ missing }) {
  const wanted = missing.filter(({ name }) => !OWN.test(name));
  const text = recordLines(wanted, location.origin);
  const unknown = wanted.some((one) => !one.known);
  return html`<p class="mute">${unknown
    ? t('These metrics are not known yet: the first line registers, the second sends a value.')
    : t('These metrics are known and wait for values. Send one like this:')}</p>
    <pre class="code" tabindex="0">${text}</pre>
    <div><button type="button" class="pill" onClick=${() => copy(text)}><${Icon} name="copy" />${t('Copy')}</button></div>`;
}

/** An error in words, the raw message behind "Details". @param {{error: {status?: number, code?: string, message: string}, again?: () => void, tight?: boolean}} props */
export function Failed({ error, again, tight }) {
  if (error.status === 403) return html`<${NoAccess} message=${error.message} tight=${tight} />`;
  const { title, more } = words(error);
  return html`<${State} icon="error" title=${title} tight=${tight} alert>
    ${more && !tight ? html`<p>${more}</p>` : null}
    ${again ? html`<button type="button" class="pill" onClick=${again}>${t('Try again')}</button>` : null}
    ${error.message && error.message !== title && (tight || sentence(error.message) !== more) ? html`<details><summary>${t('Details')}</summary><code>${error.message}</code></details>` : null}<//>`;
}

function words({ status, code, message = '' }) {
  if ([0, 502, 504].includes(status)) return { title: t('The daemon does not answer'), more: t('The page tries again by itself.') };
  if (status === 404) return { title: t('There is nothing here'), more: sentence(message) };
  if (code === 'timeout' || /timed? ?out|deadline|took longer|not finish/i.test(message)) return { title: t('The query did not finish in time'), more: t('Choose a shorter time or a narrower query.') };
  if (status === 503) return { title: t('The daemon is busy'), more: t('The page tries again by itself.') };
  if (code === 'invalid' || /parse|expected|unexpected/i.test(message)) return { title: t('The query cannot be read'), more: t('Edit the panel to put it right.') };
  return { title: t('This could not be drawn'), more: '' };
}

/** The daemon's messages begin small, as errors do. */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {{message?: string, tight?: boolean}} props */
export function NoAccess({ message, tight }) {
  return html`<${State} icon="lock" title=${t('You can’t see this')} tight=${tight}><p>${message || t('It needs another role.')}</p><//>`;
}

/** @param {{title?: string, children?: any}} props */
export function FirstRun({ title, children }) {
  return html`<${State} icon="plus" title=${title ?? t('Nothing here yet')}>${children}<//>`;
}

/** Copies a text and says so. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('Copied'));
  } catch {
    toast(t('The browser does not let the page copy; select the text instead.'), 'crit');
  }
}
