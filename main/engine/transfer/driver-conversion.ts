/**
 * Gives the system on a copied disk drivers for our fast hardware, with virt-v2v where that is installed. It works on a layer above the copy;
 * what comes of that takes the copy's place only once it is whole, checked and alone. Whatever fails before leaves the copy as it was.
 */
import { lstat, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { MachineFinding, MachineReport } from '../../../contract/machine.ts';
import { moveIntoPlace } from '../files/durable.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { ToolEnd } from '../host/bounded-process.ts';
import { type GuestfsTools, runGuestfs } from '../host/guestfs.ts';
import { memory } from '../host/host-facts.ts';
import { demandSpace, withSpaceWatched } from '../images/copy-medium.ts';
import { writeOverlay } from '../images/empty-overlay.ts';
import { checkFinishedDisk } from '../images/finished-disk.ts';
import { convertDisk } from '../images/qemu-img.ts';
import { readHeader } from '../layers/disk-chain.ts';
import type { DiskContent } from './preflight.ts';

/** What virt-v2v 2.2 starts its machine with, and room for itself. */
const memoryNeededMiB = 2816;
/** Emulated, a system with everything takes ten minutes. */
const conversionTimeoutMs = 60 * 60_000;
/** What a new initial file system and installed drivers take up at most. */
const growthBytes = 1024 ** 3;

export type ConversionPlan = { conversion: MachineReport['conversion']; finding: MachineFinding | null /** Which disk. */; index: number };

/** Whether a system lacks drivers, and whether they can be given to it here. Only of the disk that it starts from. */
export function planConversion(contents: readonly DiskContent[], tools: GuestfsTools): ConversionPlan {
  const index = contents.findIndex(({ windows, startUp }) => windows !== null || startUp !== null);
  const content = contents[index];
  const needsWindows = content?.windows?.virtio?.storage === false;
  const needsLinux = content?.startUp?.ready === false;
  if (!content || (!needsWindows && !needsLinux)) return { conversion: null, finding: null, index };
  const text = needsWindows
    ? 'Windows has no drivers for fast disks and network (virtio).'
    : `Linux ${content.startUp?.kernel} would not find its disk on fast hardware (virtio): its start-up file system has no driver for it.`;
  const cannot = reasonNotTo(needsWindows, content, tools);
  const action =
    cannot === null
      ? 'virt-v2v gives them to the copy, which takes minutes; the source is only read. If it fails, the copy stays as it was.'
      : `${cannot} It gets hardware that it has drivers for.`;
  return {
    conversion: { text, cannot },
    finding: { id: 'machine/drivers', severity: 'info', title: 'Drivers for fast hardware', text, action },
    index,
  };
}

function reasonNotTo(isWindows: boolean, { windows, startUp, bitlocker }: DiskContent, tools: GuestfsTools): string | null {
  if (!tools.virtV2v && !tools.virtV2vInPlace) return 'virt-v2v, which could change that, is not installed.';
  if (!tools.nbdkit) return 'virt-v2v is installed, but nbdkit, without which it opens no disk, is not.';
  if (!isWindows) return startUp?.onDisk ? null : 'Its kernel has no drivers for it on the disk either.';
  if (bitlocker) return 'virt-v2v cannot open a disk that is locked with BitLocker.';
  if (windows?.asleep || windows?.dirty) return 'virt-v2v changes no Windows that was not shut down whole.';
  if (!tools.windowsTools) return 'virt-v2v lacks its programs for Windows (rhsrvany.exe in /usr/share/virt-tools).';
  if (!tools.windowsDrivers) return 'virt-v2v has no drivers to give: download virtio-win into the library, or install it.';
  return null;
}

/** The hardware that the guest gets once its system has the drivers. */
export function withVirtio(spec: GuestSpec, diskFile: string): GuestSpec {
  return {
    ...spec,
    disks: spec.disks.map((disk) =>
      disk.location.kind === 'store' && disk.location.file === diskFile ? { ...disk, bus: 'virtio', iothread: true } : disk,
    ),
    nics: spec.nics.map((nic) => ({ ...nic, model: 'virtio' })),
  };
}

export type Conversion = {
  /** The copy: a qcow2 file that stands alone. */
  disk: string;
  sizeBytes: number;
  /** For messages: "The copy of “web.vmdk”". */
  what: string;
  /** Made anew, and gone afterwards. */
  scratchFolder: string;
  tools: GuestfsTools & { emulated: boolean };
  qemuImg: string;
  keepFreeBytes: number;
  signal: AbortSignal;
  /** Share of the work that is done, 0 to 1. */
  onProgress: (share: number) => void;
  timeoutMs?: number;
};

/**
 * What became of it. `because` says in a sentence why the copy stays as it was, or of what virt-v2v warned: then the system has the drivers, but
 * may still name its disk as it was called on the old hardware.
 */
export type ConversionOutcome = { state: 'done'; because: null } | { state: 'done-with-warning' | 'not-done'; because: string };

/** @throws the signal's reason */
export async function convertDrivers(conversion: Conversion): Promise<ConversionOutcome> {
  const { scratchFolder, signal } = conversion;
  await rm(scratchFolder, { recursive: true, force: true });
  try {
    makePrivateFolder(scratchFolder);
    return await convert(conversion);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof Failure) return notDone(thrown.message);
    throw thrown;
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

async function convert({ disk, sizeBytes, what, scratchFolder, tools, qemuImg, ...more }: Conversion): Promise<ConversionOutcome> {
  const { keepFreeBytes, signal, onProgress, timeoutMs = conversionTimeoutMs } = more;
  const { memoryFreeMiB } = memory();
  if (memoryFreeMiB < memoryNeededMiB)
    return notDone(`virt-v2v needs ${memoryNeededMiB} MiB of memory, and ${memoryFreeMiB} MiB are free.`);
  const overlay = join(scratchFolder, 'overlay.qcow2');
  const finished = join(scratchFolder, tools.virtV2vInPlace ? 'finished.qcow2' : 'finished-sda');
  await demandSpace(finished, (await stat(disk)).blocks * 512 + growthBytes, keepFreeBytes);
  const [program, args] = commandFor(tools, { disk, overlay, scratchFolder });
  if (tools.virtV2vInPlace) await writeOverlay(overlay, { path: disk, format: 'qcow2' }, sizeBytes);
  let stages = 0;
  const end = await withSpaceWatched(overlay, keepFreeBytes, signal, async (watched) => {
    const ended = await runGuestfs(program, args, {
      timeoutMs,
      signal: watched,
      emulated: tools.emulated,
      scratchFolder,
      maxOutputBytes: 256 * 1024,
      environment: tools.windowsDrivers ? { VIRTIO_WIN: tools.windowsDrivers } : {},
      onOutput(text, stream) {
        if (stream === 'stdout') stages += text.match(/"type": "message"/g)?.length ?? 0;
        // It has ten stages, and one of them takes nearly all the time.
        onProgress(Math.min(0.8, stages * 0.08));
        return undefined;
      },
    });
    watched.throwIfAborted();
    return ended;
  });
  if (end.status !== 0) return notDone(failureText(end, timeoutMs));
  if (tools.virtV2vInPlace) {
    await mustBuildUpon(overlay, disk, what);
    const sourceBases = [{ path: disk, format: 'qcow2' as const }];
    await withSpaceWatched(finished, keepFreeBytes, signal, (watched) =>
      convertDisk(qemuImg, {
        source: overlay,
        sourceFormat: 'qcow2',
        sourceBases,
        target: finished,
        signal: watched,
        onProgress: (share) => onProgress(0.8 + share * 0.2),
      }),
    );
  }
  await mustBuildUpon(finished, null, what);
  await checkFinishedDisk(qemuImg, finished, { sizeBytes, what, hint: 'The copy stays as it was.' });
  signal.throwIfAborted();
  await moveIntoPlace(finished, disk);
  onProgress(1);
  const warning = /^virt-v2v[\w-]*: warning: (.+)$/m.exec(end.stderr)?.[1];
  if (warning === undefined) return { state: 'done', because: null };
  return { state: 'done-with-warning', because: `virt-v2v warned: ${plainText(warning)}.` };
}

const notDone = (because: string): ConversionOutcome => ({ state: 'not-done', because });

type Places = { disk: string; overlay: string; scratchFolder: string };

/** Exported for its test: it works on a layer where it can, otherwise it writes a whole new disk. */
export function commandFor(tools: GuestfsTools, { disk, overlay, scratchFolder }: Places): [program: string, args: string[]] {
  const input = ['--machine-readable', '-i', 'disk', '-if', 'qcow2'];
  if (tools.virtV2vInPlace) return [tools.virtV2vInPlace, [...input, overlay]];
  return [tools.virtV2v ?? 'virt-v2v', [...input, disk, '-o', 'local', '-os', scratchFolder, '-of', 'qcow2', '-on', 'finished']];
}

/** What virt-v2v wrote is looked at as any file from outside. @throws Failure `image/outside-reference`, `image/corrupt` */
async function mustBuildUpon(path: string, base: string | null, what: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isFile()) throw new Failure('image/corrupt', `${what} did not come out of virt-v2v.`);
  const { backingFile } = await readHeader(path, what);
  const named = backingFile === null ? null : resolve(dirname(path), backingFile);
  if (named === base) return;
  throw new Failure('image/outside-reference', `${what} came out of virt-v2v building upon ${backingFile ?? 'nothing'}.`);
}

function failureText({ startError, timedOut, stderr, signal }: ToolEnd, timeoutMs: number): string {
  if (startError) return `virt-v2v could not be started: ${startError.message}.`;
  if (timedOut) return `virt-v2v was not done after ${Math.round(timeoutMs / 60_000)} minutes.`;
  const said = /^virt-v2v[\w-]*: error: (.+)$/m.exec(stderr)?.[1] ?? /^.*\berror: (.+)$/m.exec(stderr)?.[1];
  return said ? `virt-v2v said: ${plainText(said)}.` : `virt-v2v ended ${signal ? `by ${signal}` : 'with an error'} and did not say why.`;
}

function plainText(said: string): string {
  const plain = said.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  return plain.replace(/\.$/, '').slice(0, 300);
}
