// Takes the README's pictures of the running program: operations, dark and light, after some load.
//   LATIDO_BIN=target/release/latido node tests/browser/screenshot.mjs [FOLDER]
// Writes FOLDER/operations-{dark,light}.png, docs/pictures unless given.

import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Daemon } from './lib/daemon.mjs';
import { launch, Tab } from './lib/page.mjs';
import { until } from './lib/wait.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const FOLDER = resolve(process.argv[2] ?? join(ROOT, 'docs/pictures'));
/** How much history the pictures show, and the stretches of it in which a load runs: `[from, to, processes]`. */
const SECONDS = Number(process.env.LATIDO_PICTURE_SECONDS ?? 300);
const LOADS = [[0.15, 0.3, 1], [0.5, 0.7, 2], [0.85, 0.92, 1]];
const BYTES = 250_000;

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Keeps a core busy in waves, reads and writes a little, asks the daemon: something to look at. */
function burn(seconds) {
  const script = `const end = Date.now() + ${seconds * 1000};
    while (Date.now() < end) { const pause = Date.now() + 40 + 60 * Math.random(); while (Date.now() < pause); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10 + 80 * Math.random()); }`;
  return spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
}

async function load(daemon) {
  const began = Date.now();
  const share = () => (Date.now() - began) / 1000 / SECONDS;
  let asking = true;
  const questions = (async () => {
    while (asking) {
      await Promise.all([daemon.query('sum by (mode) (rate(node_cpu_seconds_total[1m]))'), daemon.api('GET', 'metrics/latest?limit=200'), daemon.api('GET', 'dashboards/operations/data?start=-1h')]);
      await sleep(0.1 + Math.random() * 0.4);
    }
  })();
  for (const [from, to, processes] of LOADS) {
    while (share() < from) await sleep(0.2);
    for (let number = 0; number < processes; number += 1) burn((to - from) * SECONDS);
  }
  while (share() < 1) await sleep(0.2);
  asking = false;
  await questions;
}

const daemon = await Daemon.start();
const browser = await launch();
try {
  console.log(`collecting for ${SECONDS} s`);
  await load(daemon);
  mkdirSync(FOLDER, { recursive: true });
  for (const colorScheme of ['dark', 'light']) {
    const tab = await Tab.open(browser, daemon.base, '/d/operations', { colorScheme, viewport: { width: 1440, height: 1000 } });
    await tab.chart(/cpu/i);
    await until('updates', () => tab.frames.length > 3);
    const path = join(FOLDER, `operations-${colorScheme}.png`);
    await tab.page.screenshot({ path, animations: 'disabled' });
    await tab.close();
    const { size } = statSync(path);
    console.log(`${path}: ${size} bytes`);
    if (size > BYTES) throw new Error(`${path} is larger than ${BYTES} bytes`);
  }
} finally {
  await browser.close();
  await daemon.close();
}
