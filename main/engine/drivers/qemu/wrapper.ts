/**
 * Starts QEMU so that it outlives the engine and its exit status is known whoever is alive when it ends: a detached shell of a few
 * lines waits for it and writes the status into the guest's run folder.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { signals } from './signals.ts';

/** $1 is QEMU's log, $2 where its exit status goes, the rest is the command. The shell ignores what would end it before QEMU. */
const script = `
umask 077
trap '' HUP INT TERM
log=$1; exit=$2; shift 2
"$@" >"$log" 2>&1 </dev/null
printf '%s\\n' "$?" >"$exit.new" && mv "$exit.new" "$exit"
`;

const shell = '/bin/sh';

/** Begins the command; settles when the shell runs. QEMU's own failure to start is in the exit file. */
export async function spawnWrapped(command: readonly string[], logPath: string, exitPath: string, folder: string): Promise<void> {
  const child = spawn(shell, ['-c', script, 'guesthouse-run', logPath, exitPath, ...command], {
    detached: true,
    stdio: 'ignore',
    cwd: folder,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
}

/** Whether a command line is that of the waiting shell and not of QEMU, which it names in full. */
export const isWrapper = (argv: readonly string[]): boolean => argv[0] === shell && argv[1] === '-c';

export type ExitStatus = { exitStatus: number; signal: string | null };

/** What the shell wrote: a status above 128 is a signal's number. Null when nothing (whole) was written. */
export function readExit(exitPath: string): ExitStatus | null {
  let text: string;
  try {
    text = readFileSync(exitPath, 'utf8');
  } catch {
    return null;
  }
  const match = /^(\d{1,3})\n$/.exec(text);
  if (!match) return null;
  const exitStatus = Number(match[1]);
  return { exitStatus, signal: exitStatus > 128 ? (signals[exitStatus - 128] ?? null) : null };
}
