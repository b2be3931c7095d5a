// The browser, and pages that remember every fault: console errors, thrown errors, breaches of the
// content policy, requests that leave the daemon. Knows the page by roles and names alone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { until } from './wait.mjs';

/** Desktop and phone. */
export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** How long a page may take to show something on a busy machine with two cores. */
const SHOWN_WITHIN = 15_000;

/** Debian's Chromium, or the one that `CHROMIUM` names. */
export function browserPath() {
  return process.env.CHROMIUM ?? execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], { encoding: 'utf8' }).trim();
}

/** A browser. Close it at the end. */
export function launch() {
  return chromium.launch({
    executablePath: browserPath(),
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--force-color-profile=srgb', '--lang=en-US'],
  });
}

/** A browser's tab in a context of its own. */
export class Tab {
  #faults = [];
  #allowed = [];
  /** Every text that came through a WebSocket, oldest first, as `{at, url, frame}`. */
  frames = [];

  /** Opens `path` of `base`. Options are Playwright's of a context; `colorScheme` and `locale` among them. */
  static async open(browser, base, path, options = {}) {
    const tab = new Tab();
    tab.base = base;
    tab.context = await browser.newContext({ viewport: DESKTOP, locale: 'en-GB', timezoneId: 'UTC', colorScheme: 'light', ...options });
    tab.page = await tab.context.newPage();
    tab.page.setDefaultTimeout(SHOWN_WITHIN);
    await tab.#listen();
    await tab.go(path);
    return tab;
  }

  async #listen() {
    const page = this.page;
    page.on('console', (message) => {
      const said = `${message.type()}: ${message.text()} (${message.location().url})`;
      if (message.type() === 'error' || /content security policy|trusted ?types/i.test(said)) this.#faults.push(said);
    });
    page.on('pageerror', (error) => this.#faults.push(`thrown: ${error.stack ?? error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.base) && !/^(data|blob|about):/.test(url)) this.#faults.push(`a request left the daemon: ${url}`);
    });
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
      this.frames.push({ at: Date.now(), url: socket.url(), frame: JSON.parse(String(payload)) });
    }));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (breach) => {
        console.error(`content policy: ${breach.violatedDirective} broken by ${breach.blockedURI} ${breach.sourceFile ?? ''}:${breach.lineNumber}`);
      });
    });
  }

  /** Goes to a path of the page by its address. */
  async go(path) {
    await this.page.goto(this.base + path, { waitUntil: 'load' });
  }

  /** Faults that match are expected in this test. */
  allow(pattern) {
    this.#allowed.push(pattern);
  }

  /** Fails on any fault so far; then closes the tab. */
  async close() {
    const faults = this.#faults.filter((fault) => !this.#allowed.some((pattern) => pattern.test(fault)));
    await this.context.close();
    assert.deepEqual(faults, [], 'the page has no console error, no thrown error, no breach of the content policy');
  }

  /** After a failed case: adds to `error` what the page shows and its faults, then closes the tab. */
  async abandon(error) {
    const picture = join(tmpdir(), `latido-failed-${Date.now()}.png`);
    const shown = await this.page.locator('body').ariaSnapshot({ timeout: 2_000 }).catch(() => '(nothing to be read)');
    await this.page.screenshot({ path: picture, timeout: 5_000 }).catch(() => {});
    error.stack += `\nat ${this.page.url()}, faults: ${JSON.stringify(this.#faults, null, 1)}\npicture: ${picture}\n${shown.slice(0, 6_000)}`;
    await this.context.close();
  }

  role(role, name, options = {}) {
    return this.page.getByRole(role, { name, ...options });
  }

  /** Awaits that an element with this role and name is seen; yields it. */
  async sees(role, name, options = {}) {
    const found = this.role(role, name, options).filter({ visible: true }).first();
    await found.waitFor({ state: 'visible' });
    return found;
  }

  /** Awaits that this text is seen. */
  async reads(text) {
    const found = this.page.getByText(text).filter({ visible: true }).first();
    await found.waitFor({ state: 'visible' });
    return found;
  }

  /** Charts' sentences that are on the page now. */
  async sentences() {
    return this.page.getByRole('img').evaluateAll((charts) => charts.map((chart) => chart.getAttribute('aria-label') ?? '').filter(Boolean));
  }

  /** Awaits a chart whose sentence matches; yields the sentence. */
  async chart(pattern) {
    return until(`a chart that says ${pattern}`, async () => (await this.sentences()).find((said) => pattern.test(said)), SHOWN_WITHIN);
  }

  /** The updates and snapshots that came from `since` (ms) on. */
  framesSince(since) {
    return this.frames.filter(({ at }) => at >= since).map(({ frame }) => frame);
  }

  theme() {
    return this.page.evaluate(() => document.documentElement.dataset.theme);
  }

  path() {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }
}
