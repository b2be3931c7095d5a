// The watch over a page's faults finds each kind of them. Guards against cases that pass because
// nobody looked.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { launch, Tab } from '../lib/page.mjs';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; require-trusted-types-for 'script'";
const SCRIPTS = {
  quiet: 'document.title = "quiet";',
  said: 'console.error("something is wrong");',
  thrown: 'setTimeout(() => { throw new Error("not caught"); }, 0);',
  refused: 'fetch("/nothing").catch(() => {});',
  styled: 'document.body.setAttribute("style", "color: red");',
  injected: 'try { document.body.innerHTML = "<b>text</b>"; } catch {}',
  left: 'fetch("http://127.0.0.1:9/").catch(() => {});',
};

let server;
let browser;
let base;
before(async () => {
  server = createServer((request, answer) => {
    const name = request.url.slice(1).replace('.js', '');
    if (!(name in SCRIPTS)) return answer.writeHead(404).end();
    const isScript = request.url.endsWith('.js');
    answer.writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html', 'Content-Security-Policy': POLICY });
    return answer.end(isScript ? SCRIPTS[name] : `<!doctype html><html lang="en"><link rel="icon" href="data:,"><body><script src="/${name}.js"></script>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

for (const name of Object.keys(SCRIPTS).filter((one) => one !== 'quiet')) {
  test(`a page that is ${name} does not pass`, async () => {
    const tab = await Tab.open(browser, base, `/${name}`);
    await tab.page.waitForLoadState('networkidle');
    await assert.rejects(tab.close(), /the page has no console error/);
  });
}

test('a quiet page passes under the strict policy, waiting included', async () => {
  const tab = await Tab.open(browser, base, '/quiet');
  await tab.page.waitForFunction(() => document.title === 'quiet');
  await tab.close();
});
