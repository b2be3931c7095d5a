// A line between the browser and the daemon that a test can cut and mend, as a network does.
// Passes bytes, knows nothing of them.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Line {
  #server;
  #open = new Set();
  #cut = false;

  /** Listens on a port of its own and passes everything to `daemon`. */
  static async to(daemon) {
    const line = new Line();
    line.#server = createServer((near) => line.#join(near, daemon.port)).listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    line.base = `http://127.0.0.1:${line.#server.address().port}`;
    return line;
  }

  #join(near, port) {
    if (this.#cut) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => { this.#open.delete(one); other.destroy(); });
      one.pipe(other);
    }
  }

  /** Breaks what is open and refuses what comes. */
  cut() {
    this.#cut = true;
    for (const socket of this.#open) socket.destroy();
  }

  /** Passes again. */
  mend() {
    this.#cut = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
