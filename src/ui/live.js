// The link to the daemon: frames of a dashboard as they come, again after it broke. Knows nothing of panels.
import { ApiError, allowed, post } from './api.js';

/** Seconds until the next try: 1, 2, 4 … 30, a quarter more or less so that not all come at once. @param {number} attempt from 0 @param {number} [chance] 0..1 */
export const backoff = (attempt, chance = Math.random()) => Math.min(30, 2 ** Math.min(attempt, 5)) * (0.75 + chance / 2);

const address = (path) => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;

/**
 * Watches a dashboard until closed. `onState('open'|'lost'|'refused', reason?)`: lost tries again by itself, refused does not.
 * @param {string} id @param {{onFrame: (frame: any) => void, onState: (state: string, reason?: string) => void}} to @returns {() => void} closes it
 */
export function watch(id, { onFrame, onState }) {
  let socket = null;
  let timer = 0;
  let attempt = 0;
  let closed = false;

  const open = (path) => {
    const mine = (socket = new WebSocket(address(path)));
    let spoke = false;
    mine.onmessage = ({ data }) => {
      const frame = parsed(data);
      if (closed || mine !== socket || !frame) return;
      if (!spoke) {
        spoke = true;
        attempt = 0;
        onState('open');
      }
      onFrame(frame);
    };
    mine.onclose = ({ code, reason }) => {
      if (closed || mine !== socket) return;
      onState('lost', reason || (code === 1006 ? undefined : String(code)));
      later();
    };
  };

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(again, backoff(attempt++) * 1e3);
  };

  // A refused handshake tells a page nothing; the call says why, and gives an address that is good once.
  const again = async () => {
    try {
      const { url } = await post(`dashboards/${encodeURIComponent(id)}/connect`);
      if (!closed) open(url);
    } catch (error) {
      if (closed) return;
      const forGood = error instanceof ApiError && [401, 403, 404].includes(error.status);
      onState(forGood ? 'refused' : 'lost', error.status ? error.message : undefined);
      if (!forGood) later();
    }
  };

  const online = () => {
    if (socket?.readyState === WebSocket.OPEN) return;
    attempt = 0;
    clearTimeout(timer);
    again();
  };
  addEventListener('online', online);
  const path = `/api/v1/monitoring/ws/dashboard/${encodeURIComponent(id)}`;
  // A handshake that is refused is an error in the console: it is not tried.
  allowed(path).then((yes) => !closed && (yes ? open(path) : onState('refused')), () => !closed && open(path));

  return () => {
    closed = true;
    clearTimeout(timer);
    removeEventListener('online', online);
    socket?.close(1000);
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
