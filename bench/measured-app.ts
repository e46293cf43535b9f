/** The real app on a display in memory, for one measurement, and what its processes use together. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { projectRoot } from '../build/places.ts';
import { planLaunch } from '../build/setup/electron-launch.ts';
import { ensureElectronRuntime } from '../build/setup/electron-runtime.ts';
import { startPrivateDisplay } from '../build/setup/private-display.ts';
import { cpuSeconds } from './measured-engine.ts';

/** Starts Electron with `words` (an app's folder first) and ends it afterwards. */
export async function withApp<T>(
  words: string[],
  environment: NodeJS.ProcessEnv,
  action: (electron: ElectronApplication, page: Page) => Promise<T>,
): Promise<T> {
  const runtime = await ensureElectronRuntime(() => undefined);
  const launch = planLaunch(runtime, true);
  const display = await startPrivateDisplay();
  try {
    const all = { ...environment, ...launch.environment, ...display.environment };
    const electron = await _electron.launch({
      executablePath: runtime.executablePath,
      args: [...launch.switches, ...words],
      env: Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    });
    try {
      return await action(electron, await electron.firstWindow());
    } finally {
      const child = electron.process();
      const ended = new Promise((settle) => child.once('exit', settle));
      child.kill('SIGTERM');
      await ended;
    }
  } finally {
    await display.stop();
  }
}

export const guesthouseApp = [projectRoot];

/**
 * Share of one processor that the processes `roots` and all their descendants use over `seconds`, as a percentage of a core. A guest's QEMU
 * is the child of the engine that started it: `butNot` leaves it out.
 */
export async function idlePercent(roots: readonly number[], seconds: number, butNot: number | null = null): Promise<number> {
  const before = await usedBy(roots, butNot);
  const begun = performance.now();
  await pause(seconds * 1000);
  const after = await usedBy(roots, butNot);
  let used = 0;
  for (const [pid, now] of after) used += now - (before.get(pid) ?? 0);
  return (used / ((performance.now() - begun) / 1000)) * 100;
}

/** What a process is in an app of Electron's, and of whoever else is measured. */
export type Role = 'main' | 'page' | 'compositor' | 'other';
export type Usage = Record<Role, number>;

/** Seconds of processor time that the processes `roots` and all their descendants have used until now, by what they are. */
export async function processorSeconds(roots: readonly number[]): Promise<Usage> {
  const usage: Usage = { main: 0, page: 0, compositor: 0, other: 0 };
  for (const pid of await withDescendants(roots)) {
    const seconds = await cpuSeconds(pid).catch(() => 0);
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const type = /--type=([\w-]+)/.exec(words)?.[1];
    const role = roots.includes(pid) ? 'main' : type === 'renderer' ? 'page' : type === 'gpu-process' ? 'compositor' : 'other';
    usage[role] += seconds;
  }
  return usage;
}

/** Memory of the processes `roots` and all their descendants; what they share is counted once. */
export async function memoryMiB(roots: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of await withDescendants(roots)) sum += await proportionalMiB(pid).catch(() => 0);
  return sum;
}

/** Memory of a process, with its share of what others have too: Pss of proc_pid_smaps(5). */
async function proportionalMiB(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024;
}

async function usedBy(roots: readonly number[], butNot: number | null): Promise<Map<number, number>> {
  const used = new Map<number, number>();
  for (const pid of await withDescendants(roots)) {
    if (pid === butNot) continue;
    const seconds = await cpuSeconds(pid).catch(() => null);
    if (seconds !== null) used.set(pid, seconds);
  }
  return used;
}

async function withDescendants(roots: readonly number[]): Promise<Set<number>> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null);
    if (stat) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const found = new Set(roots);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return found;
}
