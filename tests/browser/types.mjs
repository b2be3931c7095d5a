// Reads the page's scripts as a compiler does and fails on what would stop them in a browser: names,
// files and exports that are not there, calls with too many arguments. Types that JSDoc leaves open
// are not judged.

import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const UI = resolve(HERE, '../../src/ui');
/** What is always a fault, by the compiler's number. */
const FAULTS = {
  1005: 'syntax', 1109: 'syntax', 1128: 'syntax',
  2304: 'no such name', 2552: 'no such name', 2305: 'no such export', 2613: 'no such export', 2614: 'no such export', 2724: 'no such export',
  2306: 'no module', 2307: 'no such file', 6053: 'no such file', 2300: 'twice', 2451: 'twice', 2588: 'a constant is assigned', 2554: 'arguments', 2555: 'arguments',
};

const settings = ['--noEmit', '--allowJs', '--checkJs', '--strict', 'false', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2023,dom,dom.iterable'];
const ran = spawnSync(join(HERE, 'node_modules/.bin/tsc'), [...settings, join(UI, 'main.js'), join(UI, 'boot.js')], { encoding: 'utf8', maxBuffer: 64 << 20 });
if (ran.error || ran.signal) throw ran.error ?? new Error(`tsc: ${ran.signal}`);
const said = ran.stdout.split('\n').filter((line) => /error TS\d+/.test(line));
const faults = said.filter((line) => !line.includes('/vendor/') && FAULTS[/error TS(\d+)/.exec(line)[1]]);
if (ran.status !== 0 && said.length === 0) throw new Error(`tsc: ${ran.stdout}${ran.stderr}`);
for (const fault of faults) console.error(fault);
console.log(`${faults.length === 0 ? 'ok' : `${faults.length} faults`}: names, files and exports of the page's scripts`);
process.exit(faults.length === 0 ? 0 : 1);
