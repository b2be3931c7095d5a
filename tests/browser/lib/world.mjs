// What a file of cases runs against: one daemon and one browser, started before its first case and
// gone after its last.

import { after, before } from 'node:test';

import { Daemon } from './daemon.mjs';
import { launch, Tab } from './page.mjs';

/** A world whose daemon has these `section.key=value` settings; its `prepare`, if a file sets one, runs before the cases. */
export function world(...settings) {
  const here = { daemon: null, browser: null, prepare: async () => {} };
  before(async () => {
    [here.daemon, here.browser] = await Promise.all([Daemon.start(...settings), launch()]);
    await here.prepare();
  });
  after(async () => {
    await here.browser?.close();
    await here.daemon?.close();
  });

  /** Opens a path in a tab, runs `look` and fails on any fault that the page had meanwhile. */
  here.visit = async (path, look, options = {}) => {
    const { base = here.daemon.base, ...context } = options;
    const tab = await Tab.open(here.browser, base, path, context);
    try {
      await look(tab);
    } catch (error) {
      await tab.abandon(error);
      throw error;
    }
    await tab.close();
  };
  return here;
}
