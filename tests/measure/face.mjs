// Measures what the page and its API promise in figures and prints a table. Needs a release build in
// LATIDO_BIN and `npm ci` in tests/browser; takes about five minutes; build nothing meanwhile.
//   LATIDO_BIN=target/release/latido node tests/measure/face.mjs

import { Daemon } from '../browser/lib/daemon.mjs';
import { launch, Tab } from '../browser/lib/page.mjs';
import { until } from '../browser/lib/wait.mjs';
import { cpuByKind, cpuSeconds, memory } from './processes.mjs';
import { Viewer } from './viewer.mjs';

const LOADS = 10;
const VIEWERS = 100;
const FRAMES = 30;
const CALLS = 200;
const REST_SECONDS = 30;
const RESIDENT_AFTER_SECONDS = 120;

const rows = [];
const row = (what, value, goal = '') => {
  rows.push([what, value, goal]);
  console.log(`${what.padEnd(62)} ${String(value).padStart(24)}  ${goal}`);
};
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
const ascending = (values) => [...values].sort((a, b) => a - b);
const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const spread = (values) => {
  const sorted = ascending(values);
  return `${ms(at(sorted, 0.5))} / ${ms(at(sorted, 0.95))}`;
};

/** Runs in the page: notes when the first and the last chart of the first screen were painted. */
function watchPictures() {
  globalThis.pictures = { first: null, last: null, count: 0 };
  const isDrawn = (chart) => {
    const canvas = chart.querySelector('canvas');
    if (!canvas) return chart.querySelector('svg, table') !== null || chart.matches('svg');
    if (canvas.width === 0 || canvas.height === 0) return false;
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte !== 0);
  };
  const drawn = new WeakSet();
  const look = () => {
    const fresh = [...document.querySelectorAll('main [role=img]')].filter((chart) => !drawn.has(chart) && chart.clientWidth > 0 && isDrawn(chart));
    if (fresh.length > 0) {
      fresh.forEach((chart) => drawn.add(chart));
      globalThis.pictures.count += fresh.length;
      // The frame that shows them ends after this callback: the next task is after the paint.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        globalThis.pictures.first ??= performance.now();
        if (performance.now() < 5_000) globalThis.pictures.last = performance.now();
      };
      port2.postMessage(null);
    }
    if (performance.now() < 5_000) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** Runs in the page: notes for each frame when it came and when what it changed was painted. */
function watchFrames() {
  globalThis.arrivals = [];
  const now = () => performance.timeOrigin + performance.now();
  globalThis.WebSocket = class extends WebSocket {
    constructor(...settings) {
      super(...settings);
      this.addEventListener('message', ({ data }) => {
        const came = now();
        const { type, t } = JSON.parse(data);
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => globalThis.arrivals.push({ type, came: came - t, shown: now() - t });
          port2.postMessage(null);
        });
      });
    }
  };
}

async function firstPictures(browser, daemon) {
  const found = { cold: [], coldAll: [], warm: [], page: 0, calls: 0 };
  for (let load = 0; load < LOADS; load += 1) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.addInitScript(watchPictures);
    for (const kind of ['cold', 'warm']) {
      const page = await context.newPage();
      const bytes = { page: 0, calls: 0 };
      if (kind === 'cold' && load === 0) await countBytes(page, bytes);
      await page.goto(`${daemon.base}/d/operations`);
      const seen = await until('the first picture', () => page.evaluate(() => (globalThis.pictures.first !== null ? globalThis.pictures : null)));
      found[kind].push(seen.first);
      if (kind === 'cold') {
        await sleep(1.5);
        found.coldAll.push(await page.evaluate(() => globalThis.pictures.last));
        if (load === 0) Object.assign(found, bytes);
      }
      await page.close();
    }
    await context.close();
  }
  row('first picture of operations, nothing cached, median', ms(at(ascending(found.cold), 0.5)), '< 300 ms');
  row('  worst of 10', ms(Math.max(...found.cold)));
  row('  last chart of the first screen, median', ms(at(ascending(found.coldAll), 0.5)));
  row('first picture of operations, files cached, median', ms(at(ascending(found.warm), 0.5)));
  row('transfer of the page, compressed', `${(found.page / 1000).toFixed(1)} KB`, '< 250 KB');
  row('  and of its first calls', `${(found.calls / 1000).toFixed(1)} KB`);
}

async function countBytes(page, bytes) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const urls = new Map();
  session.on('Network.requestWillBeSent', ({ requestId, request }) => urls.set(requestId, request.url));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const isCall = new URL(urls.get(requestId) ?? 'http://none/').pathname.startsWith('/api/');
    bytes[isCall ? 'calls' : 'page'] += encodedDataLength;
  });
}

async function updates(browser, daemon) {
  const late = [];
  const viewers = [];
  let counting = false;
  const onText = (text, came) => {
    if (counting) late.push(came - Number(text.match(/"t":(\d+)/)[1]));
  };
  for (let viewer = 1; viewer < VIEWERS; viewer += 1) viewers.push(await Viewer.open(daemon.port, 'operations', onText));
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addInitScript(watchFrames);
  const page = await context.newPage();
  await page.goto(`${daemon.base}/d/operations`);
  await until('the page gets updates', () => page.evaluate(() => globalThis.arrivals.length > 3));
  await page.evaluate(() => { globalThis.arrivals = []; });
  counting = true;
  await until('enough frames', () => page.evaluate((frames) => globalThis.arrivals.length >= frames, FRAMES), FRAMES * 3_000);
  counting = false;
  const seen = (await page.evaluate(() => globalThis.arrivals)).filter(({ type }) => type === 'update');
  row(`update after its tick, ${VIEWERS} viewers: at the others, p50 / p95`, spread(late));
  row('  at the page, come, p50 / p95', spread(seen.map(({ came }) => came)));
  row('  at the page, painted, p50 / p95', spread(seen.map(({ shown }) => shown)), '< 100 ms');
  row(`daemon's memory with ${VIEWERS} viewers (VmRSS)`, `${memory(daemon.pid, 'VmRSS').toFixed(1)} MiB`);
  viewers.forEach((viewer) => viewer.close());
  await context.close();
}

async function timed(count, call) {
  const took = [];
  for (let number = 0; number < count; number += 1) {
    const began = performance.now();
    await call(number);
    took.push(performance.now() - began);
  }
  return took;
}

async function calls(daemon) {
  const types = ['line', 'bar', 'gauge', 'pie', 'table', 'big_number', 'status_grid', 'heatmap'];
  const panels = types.map((type, place) => ({ title: type, type, query: 'rate(node_cpu_seconds_total[1m])', x: (place % 2) * 6, y: Math.floor(place / 2) * 3, w: 6, h: 3 }));
  const made = [];
  const took = await timed(CALLS, async (number) => {
    made.push((await daemon.api('POST', 'dashboards/create', { title: `Measured ${number}`, panels })).id);
  });
  row('dashboards/create with 8 panels, p50 / p95', spread(took), '< 20 ms');
  for (const id of made) await daemon.api('DELETE', `dashboards/${id}`);
  const { panels: all } = await daemon.api('GET', 'dashboards/operations');
  const shift = (number) => `start=${Date.now() - 3_600_000 - number * 1000}&end=${Date.now() - number * 1000}`;
  row('chart data of one panel, another time each, p50 / p95', spread(await timed(CALLS, (number) =>
    daemon.api('GET', `dashboards/operations/data?panel=${encodeURIComponent(all[number % all.length].id)}&${shift(number)}`))), '< 50 ms');
  row('chart data of all panels, last hour, p50 / p95', spread(await timed(CALLS, () => daemon.api('GET', 'dashboards/operations/data?start=-1h'))), '< 50 ms');
}

async function atRest(browser, daemon) {
  const tab = await Tab.open(browser, daemon.base, '/d/operations');
  await tab.chart(/./);
  await sleep(RESIDENT_AFTER_SECONDS);
  row(`daemon's memory, one page open for ${RESIDENT_AFTER_SECONDS} s (VmRSS)`, `${memory(daemon.pid, 'VmRSS').toFixed(1)} MiB`, '< 40 MiB');
  row('  of it anonymous (RssAnon)', `${memory(daemon.pid, 'RssAnon').toFixed(1)} MiB`);
  const rest = async (what) => {
    const daemonBefore = cpuSeconds(daemon.pid);
    const used = await cpuByKind(process.pid, REST_SECONDS);
    const daemonUsed = (100 * (cpuSeconds(daemon.pid) - daemonBefore)) / REST_SECONDS;
    row(`renderer of the page, ${what}`, `${(used.renderer ?? 0).toFixed(1)} % of a core`, '< 2 %');
    row('  all other processes of Chromium', `${((used['gpu-process'] ?? 0) + (used.utility ?? 0)).toFixed(1)} %`);
    row('  the daemon', `${daemonUsed.toFixed(1)} %`);
  };
  await rest('live');
  await tab.page.keyboard.press('l');
  await sleep(2);
  await rest('live off');
  await tab.close();
}

const daemon = await Daemon.start('collection.interval=5s');
const browser = await launch();
try {
  // As a machine that has collected for a while.
  await until('two rounds', async () => (await daemon.query('count_over_time(node_load1[5m]) >= 2')).length > 0);
  await atRest(browser, daemon);
  await firstPictures(browser, daemon);
  await updates(browser, daemon);
  await calls(daemon);
} finally {
  await browser.close();
  await daemon.close();
}
console.log(`\n| what | measured | goal |\n|---|---|---|\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`);
