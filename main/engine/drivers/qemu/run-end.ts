/** How a run ended, from the traces that it left: pure, so that each way of ending is a test. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Crash } from '../../../../contract/guest-state.ts';
import type { RunEnd } from '../driver.ts';
import type { ExitStatus } from './wrapper.ts';

export type EndTraces = {
  name: string;
  /** Null when nobody wrote it down. */
  exit: ExitStatus | null;
  /** QEMU was seen to run; false when the engine ended before it had started it. */
  hasRun: boolean;
  /** The end of what QEMU printed. */
  log: string;
  hostRestarted: boolean;
  /** SHUTDOWN's reason as QMP said it last, "guest-shutdown"; null when there was none or nobody listened. */
  shutdownReason: string | null;
  panicText: string | null;
  /** ISO 8601 */
  at: string;
};

const lastWordsMaxLines = 20;
const lastWordsMaxCharacters = 4_000;

/** Told to end by what we or the guest said, not by something else on the host. */
const peacefulReasons = new Set(['host-qmp-quit', 'guest-shutdown', 'host-ui']);

export function judgeEnd(traces: EndTraces): RunEnd {
  const { exit, log, shutdownReason, name } = traces;
  const crash = (kind: Crash['kind'], text: string): RunEnd => ({
    crash: { at: traces.at, kind, exitStatus: exit?.exitStatus ?? null, signal: exit?.signal ?? null, text, lastWords: lastWords(log) },
  });
  if (exit === null && !traces.hasRun) return { crash: null };
  const terminated = /terminating on signal (\d+)(?: from pid (\d+)(?: \(([^)]*)\))?)?/.exec(log);
  // A computer that shuts down ends what runs, or is switched off with it running.
  if (traces.hostRestarted && (exit === null || terminated !== null))
    return crash('host-restarted', `The computer restarted while ${name} was running.`);
  if (exit === null) return crash('exited', `${name} ended while nobody watched, so how is not known.`);
  // KVM reports this on QEMU's standard error and leaves the guest standing; whoever ends it then, this is why.
  if (exit.exitStatus !== 0 && log.includes('KVM internal error')) {
    return crash('internal-error', `The accelerator KVM could not go on with ${name} (KVM internal error).`);
  }
  if (exit.signal !== null) {
    return crash('killed', `${name} was ended by ${exit.signal}${exit.signal === 'SIGKILL' ? ', by hand or because memory ran out' : ''}.`);
  }
  if (exit.exitStatus !== 0) return crash('exited', `QEMU, which runs ${name}, ended with exit status ${exit.exitStatus}.`);
  if (shutdownReason === 'guest-panic') return crash('guest-panicked', traces.panicText ?? `The operating system of ${name} crashed.`);
  // Only a run whose `-action` says so ends with a restart.
  if (shutdownReason === 'guest-reset') return { crash: null, restarts: true };
  if (shutdownReason !== null && peacefulReasons.has(shutdownReason)) return { crash: null };
  if (terminated) {
    const who = terminated[2] ? ` from process ${terminated[2]}${terminated[3] ? ` (${terminated[3]})` : ''}` : '';
    return crash('killed', `Something on this computer ended ${name} (signal ${terminated[1]}${who}).`);
  }
  return { crash: null };
}

/** The last lines of a log, without QEMU's time stamps being touched. */
export function lastWords(log: string): string {
  return log.trimEnd().split('\n').slice(-lastWordsMaxLines).join('\n').slice(-lastWordsMaxCharacters);
}

/** The last `maxBytes` of a file as text; empty when it cannot be read. */
export function readTail(path: string, maxBytes: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, maxBytes));
    const read = readSync(file, tail, 0, tail.length, Math.max(0, size - maxBytes));
    return tail.subarray(0, read);
  } catch {
    return Buffer.alloc(0);
  } finally {
    closeSync(file);
  }
}
