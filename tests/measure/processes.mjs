// What the kernel tells of processes: memory, CPU, children. Linux.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

/** Fields of /proc/PID/stat behind the name: [0] is the state. */
const stat = (pid) => read(`/proc/${pid}/stat`).split(') ').pop().split(' ');

/** A figure of /proc/PID/status in MiB, such as VmRSS. */
export function memory(pid, name) {
  const line = read(`/proc/${pid}/status`).split('\n').find((one) => one.startsWith(`${name}:`));
  return line ? Number(line.split(/\s+/)[1]) / 1024 : NaN;
}

/** CPU seconds of a process so far, user and system. */
export function cpuSeconds(pid) {
  const fields = stat(pid);
  return fields.length > 12 ? (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND : 0;
}

/** Every process below this one. */
export function below(root) {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => [Number(pid), Number(stat(pid)[1])]);
  const found = [];
  for (const wanted = [root]; wanted.length > 0;) {
    const parent = wanted.pop();
    for (const [pid, of] of parents) {
      if (of === parent) {
        found.push(pid);
        wanted.push(pid);
      }
    }
  }
  return found;
}

/** A Chromium process' kind: renderer, gpu-process, utility, zygote; '' for the browser and others. */
export const kindOf = (pid) => read(`/proc/${pid}/cmdline`).match(/--type=([a-z-]+)/)?.[1] ?? '';

/** Percent of a core that each kind of process below `root` uses, over `seconds`. */
export async function cpuByKind(root, seconds) {
  const pids = below(root);
  const before = new Map(pids.map((pid) => [pid, cpuSeconds(pid)]));
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const span = (performance.now() - began) / 1000;
  const used = {};
  for (const pid of pids) {
    const kind = kindOf(pid) || 'other';
    used[kind] = (used[kind] ?? 0) + (100 * (cpuSeconds(pid) - before.get(pid))) / span;
  }
  return used;
}
