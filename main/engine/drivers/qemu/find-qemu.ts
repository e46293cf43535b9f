/** Which process runs a guest, when it was not seen to start: by the pid file, and by what its command line says. */
import { readFileSync } from 'node:fs';
import type { GuestFiles } from '../../files/layout.ts';
import { option } from './arguments/option.ts';
import { allPids, commandLine, identify, isAlive, type ProcessId, waitUntil } from './process-table.ts';
import { isWrapper } from './wrapper.ts';

/** True when `argv` names this guest's control socket, which no other process does. */
function runsGuest(argv: readonly string[], files: Pick<GuestFiles, 'qmp'>): boolean {
  const start = option('socket', { id: 'qmp', path: files.qmp });
  return argv.some((argument) => argument === start || argument.startsWith(`${start},`));
}

function qemuOf(pid: number, files: Pick<GuestFiles, 'qmp'>): ProcessId | null {
  const argv = commandLine(pid);
  return runsGuest(argv, files) && !isWrapper(argv) ? identify(pid) : null;
}

export function readPidFile(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

/** The guest's QEMU by its pid file, else by looking at every process. Null when none runs. */
export function findQemu(files: Pick<GuestFiles, 'qmp' | 'pid'>): ProcessId | null {
  const pid = readPidFile(files.pid);
  const named = pid === null ? null : qemuOf(pid, files);
  if (named) return named;
  for (const other of allPids()) {
    const found = qemuOf(other, files);
    if (found) return found;
  }
  return null;
}

/**
 * Finds the QEMUs of many guests with one look at the processes: with a thousand guests and hundreds of processes, a look for
 * each guest would take longer than all the rest of an engine's start. What it saw is used for `keptMs`.
 */
export function createQemuFinder(keptMs = 1000): (files: Pick<GuestFiles, 'qmp' | 'pid'>) => ProcessId | null {
  let seenAtMs = Number.NEGATIVE_INFINITY;
  let seen: { pid: number; text: string }[] = [];
  return (files) => {
    const pid = readPidFile(files.pid);
    const named = pid === null ? null : qemuOf(pid, files);
    if (named) return named;
    if (performance.now() - seenAtMs > keptMs) {
      seen = allPids().map((each) => ({ pid: each, text: commandLine(each).join('\0') }));
      seenAtMs = performance.now();
    }
    // The end of the path tells the guests apart; its beginning may be quoted in an argument.
    const mark = files.qmp.split('/').slice(-2).join('/');
    for (const one of seen) {
      if (!one.text.includes(mark)) continue;
      const found = qemuOf(one.pid, files);
      if (found) return found;
    }
    return null;
  };
}

/** As {@link findQemu}, for a guest that may have been started a moment ago: while its shell is there, QEMU may still come. */
export async function findStartingQemu(files: GuestFiles, known: ProcessId | null): Promise<ProcessId | null> {
  if (known && isAlive(known)) return known;
  let found = findQemu(files);
  if (found) return found;
  const shell = allPids().find((pid) => {
    const argv = commandLine(pid);
    return isWrapper(argv) && runsGuest(argv, files);
  });
  const shellId = shell === undefined ? null : identify(shell);
  if (!shellId) return null;
  await waitUntil(() => {
    found = findQemu(files);
    return found !== null || !isAlive(shellId);
  }, 5_000);
  return found;
}
