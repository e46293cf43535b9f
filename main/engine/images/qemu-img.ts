/**
 * Calls `qemu-img` on files: always with the format said and never guessed, backing files never followed, within limits of memory and time.
 */
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import type { DiskFormat } from '../../../contract/guest-spec.ts';
import { lastLines, runTool, type ToolEnd, type ToolOptions } from '../host/bounded-process.ts';
import { baseNameFor, type DiskLink, readHeader } from '../layers/disk-chain.ts';
import { writeOverlay } from './empty-overlay.ts';
import type { QemuNode } from './foreign/foreign-disk.ts';

export type DiskInfo = { virtualSizeBytes: number; format: string; backingFile: string | null };
export type DiskCheck = { state: 'clean' | 'leaks' | 'corrupt' | 'not-checked'; detail: string | null };

/** What an image from outside may use up: the limits that OpenStack found to do for its own images, with some room. */
const untrustedLimits = { cpuSeconds: 60, addressSpaceMiB: 2048 };
const untrustedTimeoutMs = 60_000;

/** QEMU's description of a file, with its own guessing switched off, and upon what it builds: on nothing, or on what is stated here. */
function stated(path: string, format: DiskFormat, bases: readonly DiskLink[] = []): string {
  const node = (link: DiskLink, below: object | null) => {
    const layer = { driver: link.format, file: { driver: 'file', filename: link.path, locking: 'auto' } };
    return link.format === 'qcow2' ? { ...layer, backing: below } : layer;
  };
  return `json:${JSON.stringify([{ path, format }, ...bases].reduceRight<object | null>((below, link) => node(link, below), null))}`;
}

const infoOutput = z.object({ 'virtual-size': z.number(), format: z.string(), 'backing-filename': z.string().optional() });
const checkOutput = z.object({ corruptions: z.number().optional(), leaks: z.number().optional(), 'check-errors': z.number().optional() });

/** @throws Failure `image/corrupt` when qemu-img cannot read it, `image/in-use` when another program writes to it. */
export async function diskInfo(qemuImg: string, path: string, format: DiskFormat): Promise<DiskInfo> {
  const end = await runTool(qemuImg, ['info', '--output=json', stated(path, format)], {
    timeoutMs: untrustedTimeoutMs,
    limits: untrustedLimits,
  });
  if (end.status !== 0) throw inUse(end, path) ?? unreadable(end, path);
  try {
    const info = infoOutput.parse(JSON.parse(end.stdout));
    return { virtualSizeBytes: info['virtual-size'], format: info.format, backingFile: info['backing-filename'] ?? null };
  } catch (error) {
    throw new Failure('image/corrupt', `The disk image ${path} cannot be understood.`, { detail: String(error) });
  }
}

/** Checks the tables of a qcow2 file without changing it. One that takes longer than a minute is "not-checked". */
export async function checkDisk(qemuImg: string, path: string): Promise<DiskCheck> {
  const end = await runTool(qemuImg, ['check', '--output=json', stated(path, 'qcow2')], {
    timeoutMs: untrustedTimeoutMs,
    limits: untrustedLimits,
  });
  const detail = lastLines(end.stderr) || null;
  if (end.timedOut || end.startError || end.signal) return { state: 'not-checked', detail };
  let counts: z.infer<typeof checkOutput> = {};
  try {
    counts = checkOutput.parse(JSON.parse(end.stdout));
  } catch {
    return { state: end.status === 0 ? 'clean' : 'corrupt', detail };
  }
  if ((counts.corruptions ?? 0) > 0 || (counts['check-errors'] ?? 0) > 0 || end.status === 2) {
    return { state: 'corrupt', detail: `${counts.corruptions ?? 0} corruptions, ${counts['check-errors'] ?? 0} errors` };
  }
  return (counts.leaks ?? 0) > 0 ? { state: 'leaks', detail: `${counts.leaks} leaked clusters` } : { state: 'clean', detail: null };
}

export type DataRange = { offset: number; lengthBytes: number };

const mapOutput = z.array(z.object({ start: z.number(), length: z.number(), zero: z.boolean(), data: z.boolean() }));
/** An entry of a map has some hundred bytes; disks in a million pieces are not looked at this way. */
const mapMaxBytes = 128 * 1024 * 1024;

/** Where a disk has data that are not known to be zeros, in order. @throws Failure `image/corrupt`, `image/in-use` */
export async function dataRanges(qemuImg: string, path: string, format: DiskFormat): Promise<DataRange[]> {
  const end = await runTool(qemuImg, ['map', '--output=json', stated(path, format)], {
    timeoutMs: untrustedTimeoutMs,
    limits: untrustedLimits,
    maxOutputBytes: mapMaxBytes,
  });
  if (end.status !== 0) throw inUse(end, path) ?? unreadable(end, path);
  try {
    const ranges = mapOutput.parse(JSON.parse(end.stdout));
    return ranges.filter(({ data, zero }) => data && !zero).map(({ start, length }) => ({ offset: start, lengthBytes: length }));
  } catch (error) {
    throw new Failure('image/corrupt', `Where the data of ${path} lie cannot be understood.`, { detail: String(error) });
  }
}

/** Makes an empty qcow2 file. @throws Failure `store/full` or `store/not-writable`. */
export async function createDisk(qemuImg: string, path: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
  const options = 'preallocation=off,lazy_refcounts=off,cluster_size=64k,compat=1.1';
  const end = await runTool(qemuImg, ['create', '-q', '-f', 'qcow2', '-o', options, path, String(sizeBytes)], {
    timeoutMs: 60_000,
    limits: {},
    signal,
  });
  if (end.status !== 0) throw writeFailure(end, path, signal);
}

/** Grows a disk; it never shrinks one. */
export async function growDisk(qemuImg: string, path: string, format: DiskFormat, sizeBytes: number, signal: AbortSignal): Promise<void> {
  const end = await runTool(qemuImg, ['resize', '-q', '-f', format, path, String(sizeBytes)], { timeoutMs: 60_000, limits: {}, signal });
  if (end.status !== 0) throw writeFailure(end, path, signal);
}

/** The size that QEMU sees in a node whose every file and format is said. @throws Failure `image/corrupt` */
export async function nodeSizeBytes(qemuImg: string, node: QemuNode): Promise<number> {
  const end = await runTool(qemuImg, ['info', '--output=json', `json:${JSON.stringify(node)}`], {
    timeoutMs: untrustedTimeoutMs,
    limits: untrustedLimits,
  });
  const path = pathOf(node);
  if (end.status !== 0) throw inUse(end, path) ?? unreadable(end, path);
  try {
    return infoOutput.parse(JSON.parse(end.stdout))['virtual-size'];
  } catch (error) {
    throw new Failure('image/corrupt', `The disk image ${path} cannot be understood.`, { detail: String(error) });
  }
}

/** The file at the bottom of a node, for messages. */
function pathOf(node: QemuNode): string {
  const { filename, file } = node as { filename?: unknown; file?: unknown };
  if (typeof filename === 'string') return filename;
  return typeof file === 'object' && file !== null ? pathOf(file as QemuNode) : node.driver;
}

/**
 * Has a qcow2 file hold by itself what the nearest of its bases holds for it, so that it builds upon the next one, or on nothing. It reads the
 * same at every moment, also when this ends half-way.
 * @throws Failure `image/in-use` when another program has one of the files open, `store/full`, `store/not-writable`
 */
export async function takeInBase(
  qemuImg: string,
  { path, view, bases, signal, onProgress }: IntoBase & { /** The disk's name in a view of its chain (`chain-view.ts`). */ view: string },
): Promise<void> {
  const next = bases[1];
  const onto = next ? ['-b', baseNameFor(path, next.path), '-F', next.format] : ['-b', ''];
  // Otherwise qemu-img names the new base before it writes down where the copied data lie, and one that is killed in between loses them.
  const args = ['rebase', '-p', '-t', 'writethrough', ...onto, '-f', 'qcow2', view];
  const end = await runTool(qemuImg, args, longWork(signal, onProgress));
  if (end.status !== 0) throw inUse(end, path) ?? writeFailure(end, path, signal);
}

/**
 * Writes what a qcow2 file holds of its own into the nearest of its bases, which reads as the file does from then on. The file itself is left
 * as it is and reads the same at every moment, also when this ends half-way; what else builds upon the base does not.
 * @throws Failure as {@link takeInBase}
 */
export async function commitToBase(qemuImg: string, { path, bases, signal, onProgress }: IntoBase): Promise<void> {
  const end = await runTool(qemuImg, ['commit', '-p', '-d', stated(path, 'qcow2', bases)], longWork(signal, onProgress));
  if (end.status !== 0) throw inUse(end, path) ?? writeFailure(end, bases[0]?.path ?? path, signal);
}

/** Writes down anew which base a file has, without opening that: relative, so that the data folder can be moved. */
export async function nameBase(qemuImg: string, path: string, base: DiskLink): Promise<void> {
  const args = ['rebase', '-u', '-f', 'qcow2', '-b', baseNameFor(path, base.path), '-F', base.format, path];
  const end = await runTool(qemuImg, args, { timeoutMs: untrustedTimeoutMs, limits: untrustedLimits });
  if (end.status !== 0) throw inUse(end, path) ?? writeFailure(end, path, new AbortController().signal);
}

type IntoBase = { path: string; bases: readonly DiskLink[] } & Pick<ConvertOptions, 'signal' | 'onProgress'>;

/** Whether two disks read the same, whatever their files look like. @throws Failure when one of them cannot be read */
export async function readsTheSame(qemuImg: string, [one, other]: readonly [ReadDisk, ReadDisk], signal: AbortSignal): Promise<boolean> {
  const of = ({ path, format, bases }: ReadDisk) => stated(path, format, bases);
  const end = await runTool(qemuImg, ['compare', '-q', of(one), of(other)], { timeoutMs: 7 * 24 * 3600 * 1000, signal, limits: {} });
  if (end.status === 0 || end.status === 1) return end.status === 0;
  signal.throwIfAborted();
  throw inUse(end, one.path) ?? inUse(end, other.path) ?? unreadable(end, one.path);
}

type ReadDisk = DiskLink & { bases?: readonly DiskLink[] };

export type ConvertOptions = {
  source: string;
  sourceFormat: DiskFormat;
  /** What the source builds upon, the nearest first; the copy stands alone. */
  sourceBases?: readonly DiskLink[];
  target: string;
  signal: AbortSignal;
  /** Share of the work that is done, 0 to 1. */
  onProgress: (share: number) => void;
};

/** Copies any disk into a new qcow2 file; what is empty stays empty. */
export async function convertDisk(qemuImg: string, { source, sourceFormat, sourceBases, ...same }: ConvertOptions): Promise<void> {
  await convert(qemuImg, [stated(source, sourceFormat, sourceBases)], source, same);
}

export type RewriteOptions = Pick<ConvertOptions, 'target' | 'signal' | 'onProgress'> & { path: string; bases: readonly DiskLink[] };

/** Copies a qcow2 disk into a new file that builds upon the same base and holds only what differs from it. */
export async function rewriteDisk(qemuImg: string, { path, bases, target, signal, onProgress }: RewriteOptions): Promise<void> {
  const [base] = bases;
  if (!base) return convert(qemuImg, [stated(path, 'qcow2')], path, { target, signal, onProgress });
  // Made first, since qemu-img would otherwise follow the names in the headers of the bases by itself.
  const { virtualSizeBytes } = await readHeader(path, `The disk ${path}`);
  await writeOverlay(target, base, virtualSizeBytes);
  const upon = ['-n', '-B', base.path, '-F', base.format];
  const args = ['convert', '-p', '-O', 'qcow2', ...upon, stated(path, 'qcow2', bases), stated(target, 'qcow2', bases)];
  const end = await runTool(qemuImg, args, longWork(signal, onProgress));
  if (end.status !== 0) throw inUse(end, path) ?? writeFailure(end, target, signal);
}

/** Whether a guest would read the same from two qcow2 disks. @throws Failure `image/corrupt` when one cannot be read */
export async function compareDisks(
  qemuImg: string,
  one: { path: string; bases: readonly DiskLink[] },
  other: { path: string; bases: readonly DiskLink[] },
  signal: AbortSignal,
): Promise<boolean> {
  const files = [one, other].map(({ path, bases }) => stated(path, 'qcow2', bases));
  const end = await runTool(qemuImg, ['compare', '-q', ...files], { timeoutMs: 7 * 24 * 3600 * 1000, signal, limits: {} });
  signal.throwIfAborted();
  if (end.status === 0 || end.status === 1) return end.status === 0;
  throw inUse(end, one.path) ?? unreadable(end, one.path);
}

export type ConvertNodesOptions = Omit<ConvertOptions, 'source' | 'sourceFormat' | 'sourceBases'> & { nodes: readonly QemuNode[] };

/** Copies nodes, one after the other, into a new qcow2 file. */
export async function convertNodes(qemuImg: string, { nodes, ...same }: ConvertNodesOptions): Promise<void> {
  const [first] = nodes;
  await convert(
    qemuImg,
    nodes.map((node) => `json:${JSON.stringify(node)}`),
    first ? pathOf(first) : '',
    same,
  );
}

async function convert(
  qemuImg: string,
  sources: readonly string[],
  sourcePath: string,
  { target, signal, onProgress }: Omit<ConvertOptions, 'source' | 'sourceFormat' | 'sourceBases'>,
): Promise<void> {
  const args = ['convert', '-p', '-O', 'qcow2', '-o', 'lazy_refcounts=off,cluster_size=64k,compat=1.1', ...sources, target];
  const end = await runTool(qemuImg, args, longWork(signal, onProgress));
  if (end.status !== 0) throw inUse(end, sourcePath) ?? writeFailure(end, target, signal);
}

/** What an export is written as, with the variant that other products take. */
const exportArguments = {
  raw: ['-O', 'raw'],
  qcow2: ['-O', 'qcow2', '-o', 'lazy_refcounts=off,cluster_size=64k,compat=1.1'],
  vmdk: ['-O', 'vmdk', '-o', 'subformat=monolithicSparse'],
  streamVmdk: ['-O', 'vmdk', '-o', 'subformat=streamOptimized'],
  vhdx: ['-O', 'vhdx', '-o', 'subformat=dynamic'],
  vdi: ['-O', 'vdi'],
} as const;
export type ExportFormat = keyof typeof exportArguments;

/** A disk of the store as it is now, with what it builds upon. */
export type StatedDisk = { path: string; format: DiskFormat; bases: readonly DiskLink[] };
type Watched = { signal: AbortSignal; onProgress: (share: number) => void };

const measureOutput = z.object({ required: z.number() });

/** How many bytes a qcow2 file would have that holds all of a disk by itself. @throws Failure `image/corrupt`, `image/in-use` */
export async function aloneBytes(qemuImg: string, { path, format, bases }: StatedDisk): Promise<number> {
  const end = await runTool(qemuImg, ['measure', '--output=json', '-O', 'qcow2', stated(path, format, bases)], {
    timeoutMs: untrustedTimeoutMs,
    limits: untrustedLimits,
  });
  if (end.status !== 0) throw inUse(end, path) ?? unreadable(end, path);
  try {
    return measureOutput.parse(JSON.parse(end.stdout)).required;
  } catch (error) {
    throw new Failure('image/corrupt', `How much is in ${path} cannot be understood.`, { detail: String(error) });
  }
}

/** Writes a disk anew in the format of another product. @throws Failure as `convertDisk` does */
export async function exportDisk(qemuImg: string, disk: StatedDisk, format: ExportFormat, target: string, watched: Watched): Promise<void> {
  const args = ['convert', '-p', ...exportArguments[format], stated(disk.path, disk.format, disk.bases), target];
  const end = await runTool(qemuImg, args, longWork(watched.signal, watched.onProgress));
  if (end.status !== 0) throw inUse(end, disk.path) ?? writeFailure(end, target, watched.signal);
}

/** Whether a file that was exported holds the same disk. @throws Failure when it cannot be read back */
export async function sameContent(
  qemuImg: string,
  disk: StatedDisk,
  format: ExportFormat,
  target: string,
  watched: Watched,
): Promise<boolean> {
  const driver = format === 'streamVmdk' ? 'vmdk' : format;
  const written = {
    driver,
    file: { driver: 'file', filename: target },
    ...(driver === 'qcow2' || driver === 'vmdk' ? { backing: null } : {}),
  };
  const args = ['compare', '-p', stated(disk.path, disk.format, disk.bases), `json:${JSON.stringify(written)}`];
  const end = await runTool(qemuImg, args, longWork(watched.signal, watched.onProgress));
  if (end.status === 0 || end.status === 1) return end.status === 0;
  throw inUse(end, target) ?? writeFailure(end, target, watched.signal);
}

function longWork(signal: AbortSignal, onProgress: (share: number) => void): ToolOptions {
  return {
    // No deadline on the whole: a disk may have terabytes. The job can be cancelled.
    timeoutMs: 7 * 24 * 3600 * 1000,
    signal,
    maxOutputBytes: 64 * 1024,
    limits: {},
    onOutput: (text) => {
      const last = [...text.matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1)?.[1];
      if (last) onProgress(Number(last) / 100);
      return undefined;
    },
  };
}

function inUse(end: ToolEnd, path: string): Failure | null {
  if (!/Failed to get (shared )?"?\w+"? lock|Is another process using the image/i.test(end.stderr)) return null;
  return new Failure('image/in-use', `Another program is using ${path}.`, {
    hint: 'Shut that program down first; two programs writing to one disk destroy it.',
    detail: lastLines(end.stderr),
  });
}

function unreadable(end: ToolEnd, path: string): Failure {
  if (end.startError) return new Failure('host/no-qemu', `qemu-img cannot be started: ${end.startError.message}.`);
  const what = end.timedOut || end.signal ? 'could not be read within the limits of time and memory for a file from outside' : 'is damaged';
  return new Failure('image/corrupt', `The disk image ${path} ${what}.`, { detail: lastLines(end.stderr) });
}

function writeFailure(end: ToolEnd, path: string, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Failure('job/cancelled', 'The job was cancelled.');
  const detail = lastLines(end.stderr);
  if (/No space left on device/i.test(end.stderr)) {
    return new Failure('store/full', `There is no room left to write ${path}.`, {
      hint: 'Free some space on that disk, then try again.',
      detail,
    });
  }
  if (/Read-only file system|Permission denied/i.test(end.stderr)) {
    return new Failure('store/not-writable', `${path} cannot be written.`, {
      hint: 'Check that the disk is mounted for writing and belongs to you.',
      detail,
    });
  }
  if (end.startError) return new Failure('host/no-qemu', `qemu-img cannot be started: ${end.startError.message}.`);
  return new Failure('image/corrupt', `The disk ${path} could not be made.`, { detail });
}
