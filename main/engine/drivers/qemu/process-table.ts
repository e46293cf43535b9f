/** Processes of this computer, known by pid and start time, so that a pid that was given out again is never taken for ours. Linux. */
import { readdirSync, readFileSync } from 'node:fs';

export type ProcessId = { pid: number; startTicks: number };
export type ProcessStat = { state: string; startTicks: number; cpuTicks: number };

/** USER_HZ of every Linux that Node runs on. */
export const ticksPerSecond = 100;

export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

/** Fields of /proc/[pid]/stat (proc(5)); the second, the name, may hold spaces and parentheses. Null when there is no such process. */
export function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  return parseStat(text);
}

export function parseStat(text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTicks = Number(fields[19]);
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  return state && Number.isFinite(startTicks) && Number.isFinite(cpuTicks) ? { state, startTicks, cpuTicks } : null;
}

export function identify(pid: number): ProcessId | null {
  const stat = readStat(pid);
  return stat && !isDead(stat) ? { pid, startTicks: stat.startTicks } : null;
}

const isDead = (stat: ProcessStat): boolean => stat.state === 'Z' || stat.state === 'X';

export function isAlive({ pid, startTicks }: ProcessId): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.startTicks === startTicks && !isDead(stat);
}

/** Sends `signal` when `pid` is still the process that was meant. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch {
    // It ended in between.
  }
}

export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** Resident memory in bytes, or null when there is no such process. */
export function residentBytes(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}

export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export async function waitUntil(condition: () => boolean, timeoutMs: number, everyMs = 10): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() >= deadline) return false;
    await new Promise((done) => setTimeout(done, everyMs));
  }
  return true;
}
