// A viewer of a dashboard's WebSocket on a bare socket: cheap enough that a hundred of them in one
// process tell the daemon's time, not their own. Reads what servers send (RFC 6455): whole text
// frames, pings, closes.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export class Viewer {
  #socket;
  #left = Buffer.alloc(0);
  #open = false;

  /** Opens a dashboard's socket; `onText(text, at)` gets each frame and when it had come whole (ms). */
  static async open(port, id, onText) {
    const viewer = new Viewer();
    viewer.onText = onText;
    viewer.#socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(viewer.#socket, 'connect');
    viewer.#socket.write(`GET /api/v1/monitoring/ws/dashboard/${id} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
      + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
    const opened = new Promise((resolve, reject) => { viewer.opened = resolve; viewer.refused = reject; });
    viewer.#socket.on('data', (piece) => viewer.#take(piece));
    viewer.#socket.on('error', (error) => viewer.refused(error));
    viewer.#socket.on('close', () => viewer.refused(new Error('closed before it was open')));
    await opened;
    return viewer;
  }

  close() {
    this.#socket.destroy();
  }

  #take(piece) {
    this.#left = this.#left.length === 0 ? piece : Buffer.concat([this.#left, piece]);
    if (!this.#open && !this.#head()) return;
    for (let frame = this.#frame(); frame !== null; frame = this.#frame()) this.#act(frame);
  }

  #head() {
    const end = this.#left.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const status = this.#left.toString('latin1', 9, 12);
    this.#left = this.#left.subarray(end + 4);
    if (status === '101') this.opened();
    else this.refused(new Error(`the socket is refused: ${status}`));
    this.#open = status === '101';
    return this.#open;
  }

  /** The next whole frame, or null. */
  #frame() {
    const bytes = this.#left;
    if (bytes.length < 2) return null;
    const short = bytes[1] & 0x7f;
    const start = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < start) return null;
    const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < start + length) return null;
    this.#left = bytes.subarray(start + length);
    return { kind: bytes[0] & 0x0f, body: bytes.subarray(start, start + length) };
  }

  #act({ kind, body }) {
    if (kind === TEXT) this.onText(body.toString('utf8'), Date.now());
    else if (kind === PING) this.#send(PONG, body);
    else if (kind === CLOSE) this.close();
  }

  /** Clients mask what they send. */
  #send(kind, body) {
    const mask = randomBytes(4);
    const masked = Buffer.from(body.map((byte, at) => byte ^ mask[at % 4]));
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | kind, 0x80 | body.length]), mask, masked]));
  }
}
