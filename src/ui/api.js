// The daemon's HTTP interface as promises. Knows paths and errors, not what answers mean.
import { go, me, route } from './state.js';

const MONITORING = '/api/v1/monitoring/';
const SESSION = `${MONITORING}access/session`;
const LIST = `${MONITORING}dashboards/list`;

/** What the daemon refused, in its own words. */
export class ApiError extends Error {
  /** @param {number} status 0 where no answer came @param {string} code @param {string} message @param {string} [field] */
  constructor(status, code, message, field) {
    super(message);
    this.name = 'ApiError';
    Object.assign(this, { status, code, field });
  }
}

/** @param {string} path below the monitoring API @param {Record<string, unknown>} [params] @param {{signal?: AbortSignal, stay?: boolean}} [options] */
export const get = (path, params, options) => ask('GET', MONITORING + path + queryOf(params), undefined, options);
/** @param {string} path @param {unknown} [body] @param {{signal?: AbortSignal}} [options] */
export const post = (path, body, options) => ask('POST', MONITORING + path, body, options);
/** @param {string} path @param {unknown} body @param {{signal?: AbortSignal}} [options] */
export const put = (path, body, options) => ask('PUT', MONITORING + path, body, options);
/** @param {string} path @param {{signal?: AbortSignal}} [options] */
export const del = (path, options) => ask('DELETE', MONITORING + path, undefined, options);

/** `data` of an instant query. @param {string} expr @param {number} [ms] @param {{signal?: AbortSignal}} [options] */
export async function promInstant(expr, ms, options) {
  return (await ask('GET', `/api/v1/query${queryOf({ query: expr, time: ms === undefined ? undefined : ms / 1e3 })}`, undefined, options)).data;
}

/** `data` of a range query. @param {string} expr @param {number} startMs @param {number} endMs @param {number} stepSeconds @param {{signal?: AbortSignal}} [options] */
export async function promRange(expr, startMs, endMs, stepSeconds, options) {
  const params = { query: expr, start: startMs / 1e3, end: endMs / 1e3, step: stepSeconds };
  return (await ask('GET', `/api/v1/query_range${queryOf(params)}`, undefined, options)).data;
}

/** `data` of any other call in Prometheus' shape, by its path below `/api/v1/`. @param {string} path @param {Record<string, unknown>} [params] */
export async function prom(path, params) {
  return (await ask('GET', `/api/v1/${path}${queryOf(params)}`)).data;
}

function queryOf(params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') search.append(name, String(one));
    }
  }
  const text = search.toString();
  return text && `?${text}`;
}

/** What `boot.js` asked already, good once. */
function asked(method, url) {
  const early = method === 'GET' ? globalThis.latidoEarly : undefined;
  const answer = early?.[url];
  if (answer) delete early[url];
  return answer;
}

let known = null;

/** Who is here, in `me`: asked once before anything else, and again where no answer came. @returns {Promise<void>} */
export function session() {
  known ??= ask('GET', SESSION, undefined, { stay: true }).then(
    (who) => void (me.value = who),
    () => {
      known = null;
      if (me.peek().accounts === null) me.value = { ...me.peek(), accounts: false };
    },
  );
  return known;
}

/** Whether to ask at all: who is not signed in gets the dashboards of the list, no more. @param {string} url */
export async function allowed(url) {
  if (url === SESSION || url.startsWith(LIST)) return true;
  await session();
  if (!me.peek().accounts || me.peek().role) return true;
  const id = /\/monitoring\/(?:ws\/dashboard|dashboards)\/([^/?]+)/.exec(url)?.[1];
  if (!id) return false;
  const { dashboards = [] } = await ask('GET', LIST, undefined, { stay: true });
  return dashboards.some((board) => encodeURIComponent(board.id) === id);
}

const toSignIn = () => route.peek().path !== '/sign-in' && go(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);

/** `stay`: a 401 is an error like others. */
async function ask(method, url, body, { signal, stay = false } = {}) {
  if (!(await allowed(url))) {
    if (!stay) toSignIn();
    throw new ApiError(401, 'unauthenticated', 'Sign in to see this.');
  }
  const init = { method, signal, credentials: 'same-origin', headers: { accept: 'application/json' } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers['content-type'] = 'application/json';
  }
  let answer;
  try {
    answer = (await asked(method, url)) ?? (await fetch(url, init));
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new ApiError(0, 'unreachable', 'The daemon does not answer.');
  }
  const text = await answer.text();
  if (answer.ok) return text ? parsed(text, answer.status) : null;
  if (answer.status === 401 && !stay) toSignIn();
  throw refusal(answer.status, text);
}

function parsed(text, status) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(status, 'malformed', 'The answer is not JSON.');
  }
}

/** The error of either shape. */
function refusal(status, text) {
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    return new ApiError(status, 'error', text.trim().slice(0, 400) || `HTTP ${status}`);
  }
  if (typeof told?.error === 'object') return new ApiError(status, told.error.code, told.error.message, told.error.field);
  return new ApiError(status, told?.errorType ?? 'error', told?.error ?? `HTTP ${status}`);
}
