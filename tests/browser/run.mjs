// Runs the cases in Debian's Chromium: `node run.mjs`, or `node run.mjs live alerts` for some files.
// The program is LATIDO_BIN, else the debug build. Needs `npm ci` here first. Exit code: 0 if all passed.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { binary } from './lib/daemon.mjs';
import { browserPath } from './lib/page.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** A case waits for ticks most of its time: two files share two cores well. */
const AT_ONCE = process.env.LATIDO_BROWSER_AT_ONCE ?? '2';

const wanted = process.argv.slice(2);
const known = readdirSync(join(here, 'cases')).filter((name) => name.endsWith('.mjs')).map((name) => name.slice(0, -4)).sort();
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`run.mjs: no cases named ${unknown.join(', ')} (known: ${known.join(' ')})`);
  process.exit(2);
}
console.log(`program: ${binary()}\nbrowser: ${browserPath()}`);
const files = (wanted.length > 0 ? wanted : known).map((name) => join(here, 'cases', `${name}.mjs`));
const ran = spawnSync(process.execPath, ['--test', `--test-concurrency=${AT_ONCE}`, '--test-reporter=spec', ...files], { stdio: 'inherit' });
process.exit(ran.status ?? 1);
