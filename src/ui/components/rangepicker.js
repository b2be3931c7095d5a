// Which time: one of the usual ones, or from and to. A sheet on phones.
import { html, useState } from '../lib.js';
import { link, range, resolve, setRange, since } from '../state.js';
import { moment } from '../range.js';
import { lang, t } from '../text.js';
import { Icon } from './icons.js';
import { Menu } from './menu.js';

const USUAL = [
  ['5m', 'Last 5 minutes'], ['15m', 'Last 15 minutes'], ['1h', 'Last hour'], ['3h', 'Last 3 hours'], ['6h', 'Last 6 hours'],
  ['24h', 'Last 24 hours'], ['2d', 'Last 2 days'], ['7d', 'Last 7 days'], ['30d', 'Last 30 days'], ['90d', 'Last 90 days'],
];

/** The chosen time in words. @param {import('../range.js').Range} chosen */
export function rangeText(chosen) {
  if (typeof chosen.from === 'string' && chosen.to === 'now') {
    const span = chosen.from.replace(/^now-/, '');
    if (chosen.auto && link.value.state !== 'demo' && since.value !== null && since.value > (moment(chosen.from, Date.now()) ?? 0)) return t('Since start');
    const usual = USUAL.find(([key]) => key === span);
    return usual ? t(usual[1]) : t('Last {span}', { span });
  }
  const { start, end } = resolve(chosen);
  return between(start, end);
}

function between(start, end) {
  const day = new Intl.DateTimeFormat(lang.value, { day: 'numeric', month: 'short' });
  const time = new Intl.DateTimeFormat(lang.value, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const [from, to, today] = [day.format(start), day.format(end), day.format(Date.now())];
  if (from === to) return `${from === today ? '' : `${from}, `}${time.format(start)} – ${time.format(end)}`;
  return `${from} ${time.format(start)} – ${to} ${time.format(end)}`;
}

export function RangePicker() {
  const text = rangeText(range.value);
  return html`<${Menu} name="range" class="times" buttonClass="pill" label=${t('Time: {range}', { range: text })} button=${html`<${Icon} name="clock" />${text}`}>
    ${(close) => html`<${Times} close=${close} />`}<//>`;
}

function Times({ close }) {
  const choose = (next) => {
    setRange(next);
    close();
  };
  const now = range.value;
  return html`<div class="both"><ul aria-label=${t('Usual times')}>
    ${USUAL.map(([key, words]) => html`<li><button type="button" aria-pressed=${String(now.from === `now-${key}` && now.to === 'now')}
      onClick=${() => choose({ from: `now-${key}`, to: 'now' })}>${t(words)}</button></li>`)}
  </ul><${FromTo} choose=${choose} /></div>`;
}

function FromTo({ choose }) {
  const { start, end } = resolve(range.peek());
  const [from, setFrom] = useState(local(start));
  const [to, setTo] = useState(local(end));
  const [wrong, setWrong] = useState('');
  const apply = (event) => {
    event.preventDefault();
    const [a, b] = [Date.parse(from), Date.parse(to)];
    if (Number.isNaN(a) || Number.isNaN(b)) return setWrong(t('Give both times.'));
    if (a >= b) return setWrong(t('“From” must be before “to”.'));
    return choose({ from: a, to: b });
  };
  const field = (label, value, set) => html`<label class="field">${label}<input type="datetime-local" value=${value} aria-invalid=${String(Boolean(wrong))} onInput=${(e) => set(e.currentTarget.value)} /></label>`;
  return html`<form onSubmit=${apply}>${field(t('From'), from, setFrom)}${field(t('To'), to, setTo)}
    ${wrong ? html`<p class="field wrong" role="alert">${wrong}</p>` : null}
    <button type="submit" class="pill primary">${t('Show this time')}</button>
    <p class="mute">${t('Keys: [ and ] step back and forward.')}</p></form>`;
}

/** What `datetime-local` takes. @param {number} ms */
function local(ms) {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 6e4).toISOString().slice(0, 16);
}
