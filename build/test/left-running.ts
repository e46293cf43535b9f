/** Finds processes that tests started and did not end: QEMU, engines and windows outlive whoever forgets them. */
import { readdirSync, readFileSync } from 'node:fs';

/** Inherited by everything that a test run starts. */
export const runMarker = 'GUESTHOUSE_TEST_RUN';

export interface LeftProcess {
  pid: number;
  command: string;
}

/** Every process other than this one whose environment carries the marker with this value. Linux only; elsewhere none is found. */
export function findLeftProcesses(run: string): LeftProcess[] {
  if (process.platform !== 'linux') return [];
  const wanted = `${runMarker}=${run}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readProcess(name, 'environ').includes(wanted))
    .map((name) => ({ pid: Number(name), command: readProcess(name, 'cmdline').join(' ').trim().slice(0, 160) }))
    .filter(({ command }) => command !== '');
}

/** Empty for a process that ended meanwhile or belongs to somebody else. */
function readProcess(pid: string, file: 'environ' | 'cmdline'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
