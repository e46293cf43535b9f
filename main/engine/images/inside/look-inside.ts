/**
 * Looks into a disk whose file systems are read by nobody here (XFS, Btrfs, NTFS, LVM), with libguestfs' programs. They get the file for reading
 * only, with its format, and open it within a virtual machine of their own; what they say is parsed as a stranger's words.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import type { ImageFormat } from '../../../../contract/image.ts';
import { lastLines, type ToolEnd } from '../../host/bounded-process.ts';
import { type GuestfsTools, guestfsMemoryMiB, runGuestfs } from '../../host/guestfs.ts';
import { memory } from '../../host/host-facts.ts';
import { type Inspection, lookScript, parseInspection, parseLook } from './inspection.ts';

/** Emulated, on a busy computer, it takes two minutes; then as long again for the second look. */
const lookTimeoutMs = 10 * 60_000;
/** Its machine, and room for QEMU itself. */
const memoryNeededMiB = guestfsMemoryMiB + 512;
/** Five thousand packages with all that is said of them; a description of a system with more is refused. */
const outputMaxBytes = 16 * 1024 * 1024;

export type LookInside = {
  /** A file that stands alone: whatever it names was refused before. */
  path: string;
  format: Exclude<ImageFormat, 'iso'>;
  tools: Pick<GuestfsTools, 'virtInspector' | 'guestfish'> & { emulated: boolean };
  /** Made anew, and gone afterwards. */
  scratchFolder: string;
  signal: AbortSignal;
  timeoutMs?: number;
};

export type Inside = Inspection & ReturnType<typeof parseLook>;
/** `because` says in a sentence why nothing is known. */
export type LookOutcome = { state: 'found'; inside: Inside } | { state: 'no-system' } | { state: 'not-done'; because: string };

let last: Promise<unknown> = Promise.resolve();

/** One at a time: each takes a machine's memory. @throws the signal's reason */
export async function lookInside(look: LookInside): Promise<LookOutcome> {
  const before = last;
  let leave = (): void => undefined;
  last = new Promise<void>((resolve) => {
    leave = resolve;
  }).then(() => before);
  try {
    await Promise.race([before, aborted(look.signal)]);
    look.signal.throwIfAborted();
    return await lookNow(look);
  } finally {
    leave();
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

async function lookNow({ path, format, tools, scratchFolder, signal, timeoutMs = lookTimeoutMs }: LookInside): Promise<LookOutcome> {
  const { virtInspector, guestfish, emulated } = tools;
  if (virtInspector === null) return notDone('virt-inspector is not installed.');
  const { memoryFreeMiB } = memory();
  if (memoryFreeMiB < memoryNeededMiB) {
    return notDone(`virt-inspector needs ${memoryNeededMiB} MiB of memory, and ${memoryFreeMiB} MiB are free.`);
  }
  await rm(scratchFolder, { recursive: true, force: true });
  try {
    await mkdir(scratchFolder, { mode: 0o700 });
    const endsAtMs = performance.now() + timeoutMs;
    const run = async (program: string, args: readonly string[]): Promise<ToolEnd & { tooLong: boolean }> => {
      let bytes = 0;
      // Nobody waits for it, and guests do not stutter for it.
      const end = await runGuestfs('/bin/sh', ['-c', 'exec nice -n 15 "$@"', 'sh', program, ...args], {
        timeoutMs: Math.max(1, endsAtMs - performance.now()),
        signal,
        emulated,
        scratchFolder,
        maxOutputBytes: outputMaxBytes,
        onOutput(text, stream) {
          if (stream === 'stdout') bytes += text.length;
          return bytes > outputMaxBytes ? 'stop' : undefined;
        },
      });
      signal.throwIfAborted();
      return { ...end, tooLong: bytes > outputMaxBytes };
    };
    const disk = [`--format=${format}`, '-a', path];
    const end = await run(virtInspector, ['--no-icon', ...disk]);
    if (end.tooLong) return notDone('virt-inspector said more than any system has.');
    if (end.timedOut) return notDone(`virt-inspector was not done after ${Math.round(timeoutMs / 1000)} seconds.`);
    if (end.status !== 0) return notDone(failureText(end));
    const inspection = parseInspection(end.stdout);
    if (!inspection) return { state: 'no-system' };
    if (guestfish === null || inspection.family !== 'linux')
      return { state: 'found', inside: { ...inspection, ...parseLook(''), kernels: inspection.kernels } };
    // What comes of this is more than without; when nothing does, that is still much.
    const script = join(scratchFolder, 'look');
    await writeFile(script, lookScript, { mode: 0o600 });
    const looked = parseLook((await run(guestfish, ['--ro', ...disk, '-i', '-f', script])).stdout);
    return {
      state: 'found',
      inside: { ...inspection, ...looked, kernels: looked.kernels.length > 0 ? looked.kernels : inspection.kernels },
    };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof Failure) return notDone(`What virt-inspector said cannot be understood. ${thrown.message}`);
    throw thrown;
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

const notDone = (because: string): LookOutcome => ({ state: 'not-done', because });

function failureText({ startError, stderr, signal }: ToolEnd): string {
  if (startError) return `virt-inspector could not be started: ${startError.message}.`;
  const said = /^(?:virt-inspector|libguestfs): (?:error: )?(.+)$/m.exec(stderr)?.[1] ?? lastLines(stderr, 1);
  const plain = said
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .replace(/\.$/, '')
    .slice(0, 300);
  return plain
    ? `virt-inspector said: ${plain}.`
    : `virt-inspector ended ${signal ? `by ${signal}` : 'with an error'} and did not say why.`;
}
