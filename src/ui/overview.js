// What the rail shows, asked for now and then: dashboards, firing alerts, the store's figures, who is here.
import { get, session } from './api.js';
import { boards, firing, me, route, since, stats } from './state.js';
import { oldest } from './components/storage.js';

const STATS_MS = 30_000;
const ALERTS_MS = 10_000;
/** A stranger who looks at a public dashboard is not led away to sign in. */
const STAY = { stay: true };

/** Asks for the list again: after one was made, changed or taken away. */
export async function renewBoards() {
  boards.value = (await get('dashboards/list', {}, STAY)).dashboards ?? [];
}

/** The store's figures, and where its data begins. */
export async function renewStats() {
  const answer = await get('metrics/stats', {}, STAY);
  stats.value = answer;
  since.value = oldest(answer);
}

async function renewAlerts() {
  const { alerts = [] } = await get('alerts/active', {}, STAY);
  const now = alerts.filter((alert) => alert.state === 'firing').sort((a, b) => b.active_at - a.active_at);
  const same = now.length === firing.peek().length && now.every((alert, i) => key(alert) === key(firing.peek()[i]));
  if (!same) firing.value = now;
}

const key = (alert) => JSON.stringify([alert.name, alert.labels]);

/** Asks at once and from then on, while the page is seen. */
export function keepOverview() {
  const quiet = (ask) => ask().catch(() => null);
  const wanted = () => document.visibilityState === 'visible' && route.peek().page.name !== 'sign-in';
  const known = () => !me.peek().accounts || Boolean(me.peek().role);
  const every = (ms, ask) => setInterval(() => wanted() && known() && quiet(ask), ms);
  const all = () => session().then(() => (known() ? [renewStats, renewBoards, renewAlerts] : [renewBoards]).forEach(quiet));
  if (wanted()) all();
  every(STATS_MS, renewStats);
  every(ALERTS_MS, renewAlerts);
  document.addEventListener('visibilitychange', () => wanted() && known() && [renewStats, renewAlerts].forEach(quiet));
  return all;
}
