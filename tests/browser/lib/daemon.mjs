// The program as a child process: a directory and a port of its own, ready when it says so, killed
// at the end. Talks to its API as scripts do. Knows no page.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { until } from './wait.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
/** Long enough for a debug build on a busy machine with two cores. */
const READY_WITHIN = 30_000;
const STOPPED_WITHIN = 30_000;

/** The program under test: `LATIDO_BIN`, else the debug build. */
export function binary() {
  const path = process.env.LATIDO_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/latido');
  if (!existsSync(path)) throw new Error(`there is no program at ${path}: run cargo build, or set LATIDO_BIN`);
  return path;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Daemon {
  #child = null;
  #settings;

  /** Starts one with `section.key=value` settings and waits until it is ready. Collects every second. */
  static async start(...settings) {
    const daemon = new Daemon();
    daemon.home = mkdtempSync(join(tmpdir(), 'latido-browser-'));
    daemon.data = join(daemon.home, 'data');
    daemon.log = join(daemon.home, 'latido.log');
    daemon.port = await freePort();
    daemon.base = `http://127.0.0.1:${daemon.port}`;
    daemon.#settings = ['collection.interval=1s', ...settings];
    await daemon.again();
    return daemon;
  }

  /** Starts it on its old directory and port, after `stop` or `kill`. */
  async again() {
    const settings = this.#settings.flatMap((pair) => ['--set', pair]);
    const log = createWriteStream(this.log, { flags: 'a' });
    await once(log, 'open');
    this.#child = spawn(binary(), ['--data-dir', this.data, '--listen', `127.0.0.1:${this.port}`, ...settings], {
      stdio: ['ignore', log, log],
    });
    log.close();
    await until(`latido is ready`, async () => {
      if (this.#child.exitCode !== null) return true;
      return (await fetch(`${this.base}/-/ready`)).status === 200;
    }, READY_WITHIN).catch((error) => { throw new Error(`${error.message}\n${this.said()}`); });
    if (this.#child.exitCode !== null) throw new Error(`latido ended before it was ready:\n${this.said()}`);
  }

  /** SIGTERM; awaits the end. */
  async stop() {
    await this.#end('SIGTERM');
  }

  /** SIGKILL; awaits the end. */
  async kill() {
    await this.#end('SIGKILL');
  }

  async #end(signal) {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const hurry = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN);
    await ended;
    clearTimeout(hurry);
  }

  /** Ends it and takes its directory away. */
  async close() {
    await this.kill();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** All that it said. */
  said() {
    return readFileSync(this.log, 'utf8');
  }

  /** The process id. */
  get pid() {
    return this.#child.pid;
  }

  /** A call below the mission's API; yields the JSON, fails where the status is not 2xx. */
  async api(method, path, body, headers = {}) {
    const answer = await fetch(`${this.base}/api/v1/monitoring/${path}`, {
      method,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** An instant query's series. */
  async query(expr, headers = {}) {
    const answer = await fetch(`${this.base}/api/v1/query?query=${encodeURIComponent(expr)}`, { headers });
    return (await answer.json()).data.result;
  }

  /** Runs a subcommand on the data of the running daemon; `input` is its standard input. Yields stdout. */
  async command(args, input = '') {
    const child = spawn(binary(), [...args, '--data-dir', this.data], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(input);
    let out = '';
    let err = '';
    child.stdout.on('data', (piece) => { out += piece; });
    child.stderr.on('data', (piece) => { err += piece; });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`latido ${args.join(' ')}: exit code ${code}\n${out}${err}`);
    return out;
  }
}
