// The page lives: charts move with the daemon's ticks, and what happened while the line was broken is
// there afterwards. Guards against a picture that is drawn once, and against holes that a reload closes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Line } from '../lib/line.mjs';
import { until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

const here = world();
const CPU = /cpu/i;
/** Has a panel show its values as a table; yields the table. */
async function showAsTable(tab, title) {
  await (await tab.sees('button', `Menu of ${title}`, { exact: true })).click();
  await (await tab.sees('button', 'Show as table')).click();
  const region = await tab.sees('region', `Values of ${title}`);
  return region.getByRole('table');
}

/** The moments of a table's rows in ms, newest first; rows say `25 Nov, 14:43:59` in UTC. */
async function moments(table) {
  const said = await table.getByRole('row').evaluateAll((rows) => rows.slice(1).map((row) => row.cells[0].textContent));
  return said.map((text) => Date.parse(`${text.replace(',', ` ${new Date().getUTCFullYear()}`)} UTC`));
}

/** How long the line stays broken, in the daemon's own seconds: several ticks. */
const BROKEN_SECONDS = 5;

/** The picture of the chart whose sentence matches, as bytes. */
const picture = (tab) => tab.role('img', CPU).first().screenshot().then((bytes) => bytes.toString('base64'));

test('a chart is seen to change, in its sentence and in its picture', () => here.visit('/d/operations', async (tab) => {
  const said = await tab.chart(CPU);
  const drawn = await picture(tab);
  await until('the sentence changes', async () => (await tab.chart(CPU)) !== said);
  await until('the picture changes', async () => (await picture(tab)) !== drawn);
  assert.ok(tab.frames.some(({ frame }) => frame.type === 'update'), 'it changes by updates of the socket');
}));

test('operations is what the page lands on, and every panel of a running machine has something to show', () => here.visit('/', async (tab) => {
  await tab.sees('heading', /operations/i);
  const { frame } = await until('a frame', () => tab.frames[0]);
  const { panels } = await here.daemon.api('GET', 'dashboards/operations');
  assert.equal(frame.dashboard, 'operations');
  assert.deepEqual(Object.keys(frame.panels).sort(), panels.map(({ id }) => id).sort(), 'every panel is in the first frame');
  const broken = Object.entries(frame.panels).filter(([, data]) => data.state === 'error');
  assert.deepEqual(broken, [], 'no panel of operations is broken');
  await until('a sentence for most panels', async () => (await tab.sentences()).length >= panels.length / 2);
}));

test('after the line was cut the page says so, comes back by itself and fills the gap', async () => {
  const line = await Line.to(here.daemon);
  try {
    await here.visit('/d/operations?from=now-5m', async (tab) => {
      tab.allow(/WebSocket|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|Failed to load resource/);
      const table = await showAsTable(tab, 'CPU');
      await until('an update', () => tab.frames.some(({ frame }) => frame.type === 'update'));
      const cutAt = Date.now();
      line.cut();
      await tab.reads(/reconnecting/i);
      const newest = async () => Number((await here.daemon.query('timestamp(node_load1)'))[0].value[1]);
      await until('the daemon has gone on', async () => (await newest()) > cutAt / 1000 + BROKEN_SECONDS, 20_000);
      const mendedAt = Date.now();
      line.mend();
      await until('a snapshot comes again', () => tab.framesSince(mendedAt).some(({ type }) => type === 'snapshot'), 45_000);
      await until('it is live again', async () => (await tab.page.getByText(/reconnecting/i).filter({ visible: true }).count()) === 0);
      let within = [];
      await until('the broken time is in the table', async () => {
        within = (await moments(table)).filter((time) => time > cutAt && time < mendedAt);
        return within.length >= BROKEN_SECONDS / 2;
      }).catch((error) => { throw new Error(`${error.message}: ${within.length} moments between ${cutAt} and ${mendedAt}`, { cause: error }); });
      const newestShown = (await moments(table))[0];
      await until('the chart goes on', async () => (await moments(table))[0] > newestShown);
    }, { base: line.base });
  } finally {
    line.close();
  }
});

test('after the daemon was killed and started again the page goes on by itself', () => here.visit('/d/operations', async (tab) => {
  tab.allow(/WebSocket|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|Failed to load resource/);
  await until('an update', () => tab.frames.some(({ frame }) => frame.type === 'update'));
  await here.daemon.kill();
  await tab.reads(/reconnecting/i);
  await here.daemon.again();
  const startedAt = Date.now();
  await until('updates come again', () => tab.framesSince(startedAt).some(({ type }) => type === 'update'), 45_000);
  const said = await tab.chart(CPU);
  await until('the chart goes on', async () => (await tab.chart(CPU)) !== said);
}));

test('live is switched off and on', () => here.visit('/d/operations', async (tab) => {
  const live = await tab.sees('button', 'Live', { exact: true });
  assert.equal(await live.getAttribute('aria-pressed'), 'true');
  await tab.chart(CPU);
  await live.click();
  const paused = await tab.sees('button', 'Paused', { exact: true });
  assert.equal(await paused.getAttribute('aria-pressed'), 'false');
  const said = await tab.chart(CPU);
  const newest = async () => Number((await here.daemon.query('timestamp(node_load1)'))[0].value[1]);
  const before = await newest();
  await until('the daemon goes on', async () => (await newest()) > before + 2);
  assert.equal(await tab.chart(CPU), said, 'nothing moves while live is off');
  await tab.page.keyboard.press('l');
  await until('it moves again', async () => (await tab.chart(CPU)) !== said);
}));
