// The look, the accounts and keys, what is stored, and how others get at it.
import { html } from '../lib.js';
import { get } from '../api.js';
import { lang, may, me, theme } from '../state.js';
import { t } from '../text.js';
import { Link } from '../components/link.js';
import { formatDuration, formatText } from '../format.js';
import { Answered, Card, Copy, SelectField, stamp, useAnswer } from './kit.js';
import { Keys, Users } from './settings-access.js';

export default function Settings() {
  return html`<div class="p-columns">
    <${Look} />
    ${me.value.accounts && may('admin') ? html`<${Users} />` : null}
    ${me.value.accounts && may('admin') ? html`<${Keys} />` : null}
    <${Stored} />
    <${Scraping} />
    <${About} />
  </div>`;
}

function Look() {
  const { name, role, accounts } = me.value;
  return html`<${Card} title=${t('Look and language')}><div class="p-form">
    <div class="p-pair"><${SelectField} label=${t('Theme')} value=${theme.value} onValue=${(value) => { theme.value = value; }}
      options=${[['auto', t('As the system')], ['light', t('Light')], ['dark', t('Dark')]]} />
    <${SelectField} label=${t('Language')} value=${lang.value} onValue=${(value) => { lang.value = value; }}
      options=${[['en', 'English'], ['es', 'Español']]} /></div>
    <p class="p-help">${accounts ? t('Signed in as {name}, {role}.', { name, role: t(role) }) : t('This daemon has no accounts: whoever reaches it on this machine is its administrator.')}</p>
    ${accounts ? null : html`<p class="p-help">${t('Make the first account with')} <code>latido user add NAME --role admin</code></p>`}
  </div><//>`;
}

const TIERS = [['raw', 'raw'], ['aggregated', '1 min'], ['summary', '1 h']];

function Stored() {
  const answer = useAnswer((signal) => get('metrics/stats', undefined, { signal }), [], { every: 10_000 });
  return html`<${Card} title=${t('Storage')} note=${answer.data ? t('{n} series', { n: answer.data.series.toLocaleString() }) : ''}><${Answered} of=${answer}>
    ${(data) => {
    const tiers = TIERS.filter(([name]) => data.tiers[name]).map(([name, words]) => [words, data.tiers[name]]);
    const bytes = tiers.reduce((sum, [, one]) => sum + one.bytes, 0) + (data.journal?.bytes ?? 0);
    return html`<div class="p-scroll" tabindex="0" role="region" aria-label=${t('Storage')}><table><thead><tr><th scope="col">${t('Tier')}</th><th scope="col">
      ${t('series')}</th><th scope="col" class="p-roomy">${t('rows')}</th><th scope="col">${t('size')}</th><th scope="col">${t('since')}</th></tr></thead><tbody>
      ${tiers.map(([words, one]) => html`<tr><td>${t(words)}</td><td>${one.series.toLocaleString()}</td><td class="p-roomy">${one.samples.toLocaleString()}</td><td>
        ${formatText(one.bytes, 'bytes')}</td><td>${stamp(one.oldest)}</td></tr>`)}
      ${data.journal ? html`<tr><td>${t('journal')}</td><td></td><td class="p-roomy"></td><td>${formatText(data.journal.bytes, 'bytes')}</td><td></td></tr>` : null}
      <tr class="sum"><td>${t('Together')}</td><td></td><td class="p-roomy"></td><td>${formatText(bytes, 'bytes')}</td><td></td></tr></tbody></table></div>`;
  }}<//><//>`;
}

function Scraping() {
  const { accounts } = me.value;
  const auth = accounts ? '    authorization:\n      credentials: KEY\n' : '';
  const text = `scrape_configs:\n  - job_name: latido\n${auth}    static_configs:\n      - targets: ['${location.host}']\n`;
  return html`<${Card} title=${t('Let Prometheus scrape this')}><div class="p-form">
    <p class="p-help">${t('The newest values of everything are at')} <a class="link"
      href="/metrics">/metrics</a>. ${accounts ? t('It needs a key for reading.') : t('From another machine it needs an account or key, and TLS or a proxy; the README says how.')}</p>
    <pre class="code" tabindex="0">${text}</pre><div class="p-buttons start"><${Copy} text=${text} /></div></div><//>`;
}

function About() {
  const answer = useAnswer(async (signal) => {
    const [version, status] = await Promise.all([get('version', undefined, { signal }), get('status', undefined, { signal })]);
    return { ...version, ...status, version: version.version };
  }, []);
  return html`<${Card} title=${t('About')}><${Answered} of=${answer}>${(about) => html`<dl class="p-facts-list">
    <div><dt>${t('Version')}</dt><dd>${about.name} ${about.version}${about.commit ? html` <code>${about.commit.slice(0, 10)}</code>` : null}</dd></div>
    <div><dt>${t('Profile')}</dt><dd>${about.environment}</dd></div>
    <div><dt>${t('Running for')}</dt><dd>${formatDuration(about.uptime_seconds)}</dd></div>
    <div><dt>${t('Interface')}</dt><dd><${Link} class="link" href="/reference">${t('Every call of the API')}<//></dd></div></dl>`}<//><//>`;
}
