/**
 * Copies a medium into the store: as a reflink where the file system can, else byte by byte with holes kept as holes, hashing on the way and watching
 * the space that must stay free.
 */

import { createHash } from 'node:crypto';
import { constants, copyFile, type FileHandle, link, open, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { removeFile, toWriteFailure } from '../files/durable.ts';

export type CopyOptions = {
  source: FileHandle;
  /** For messages. */
  sourcePath: string;
  target: string;
  /** Give the source a second name instead, where both are on one file system: for a file that nobody writes to any more. */
  link?: boolean;
  /** Never as a reflink: for a copy that is to take up less than the source. */
  anew?: boolean;
  /** Free space that is never used up. */
  keepFreeBytes: number;
  signal: AbortSignal;
  onProgress: (bytesDone: number, bytesTotal: number) => void;
};

const chunkBytes = 1024 * 1024;
/** How often the free space is looked at while copying. */
const spaceCheckBytes = 64 * 1024 * 1024;
/** How often the free space is looked at while another program copies. */
const spaceCheckMs = 1000;

/**
 * Copies the whole source to `target`, which is made anew, and forces it to the disk.
 * @returns the SHA-256 of the copy's content.
 * @throws Failure `store/full`, `store/not-writable`, `image/changed`, `image/unreadable`; or the signal's reason.
 */
export async function copyMedium(options: CopyOptions): Promise<string> {
  const { source, sourcePath, target } = options;
  const before = await stateOf(source);
  const linked = options.link === true && (await tryLink(sourcePath, source, target));
  if (!linked) await demandSpace(target, before.allocatedBytes, options.keepFreeBytes);
  const alike = linked || (options.anew !== true && (await tryReflink(source, target)));
  const sha256 = alike ? await hashFile(target, options) : await copyAndHash(options, before.sizeBytes);
  const after = await stateOf(source);
  if (after.identity !== before.identity) {
    throw new Failure('image/changed', `${sourcePath} changed while it was copied.`, {
      hint: 'Wait until it is complete, then try again.',
    });
  }
  return sha256;
}

/** @throws Failure `store/full` unless `bytes` more fit beside what must stay free. */
export async function demandSpace(target: string, bytes: number, keepFreeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  const freeBytes = bavail * bsize;
  if (freeBytes - bytes >= keepFreeBytes) return;
  const gib = (value: number) => `${(value / 1024 ** 3).toFixed(1)} GiB`;
  throw new Failure(
    'store/full',
    `There is not enough room: ${gib(bytes)} are needed, and of the ${gib(freeBytes)} that are free ${gib(keepFreeBytes)} are kept free.`,
    { hint: 'Free some space on that disk, or keep less of it free in the settings.', detail: `On the disk of ${dirname(target)}.` },
  );
}

/** Runs `work` with a signal that is also aborted when less than `keepFreeBytes` are left. */
export async function withSpaceWatched<Result>(
  target: string,
  keepFreeBytes: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const full = new AbortController();
  const timer = setInterval(() => {
    demandSpace(target, 0, keepFreeBytes).catch((reason: unknown) => full.abort(reason));
  }, spaceCheckMs);
  try {
    return await work(AbortSignal.any([signal, full.signal]));
  } finally {
    clearInterval(timer);
  }
}

async function stateOf(file: FileHandle): Promise<{ identity: string; sizeBytes: number; allocatedBytes: number }> {
  const found = await file.stat({ bigint: true });
  return {
    identity: [found.dev, found.ino, found.size, found.mtimeNs].join('|'),
    sizeBytes: Number(found.size),
    allocatedBytes: Math.min(Number(found.size), Number(found.blocks) * 512),
  };
}

async function tryLink(sourcePath: string, source: FileHandle, target: string): Promise<boolean> {
  try {
    await removeFile(target);
    await link(sourcePath, target);
    const [ours, theirs] = await Promise.all([stat(target), source.stat()]);
    if (ours.ino === theirs.ino && ours.dev === theirs.dev) return true;
  } catch {
    // Another file system, or one without second names.
  }
  await removeFile(target);
  return false;
}

/** Only Linux has names for open files; elsewhere bytes are copied. */
async function tryReflink(source: FileHandle, target: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    await removeFile(target);
    await copyFile(`/proc/self/fd/${source.fd}`, target, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    await removeFile(target);
    return false;
  }
}

async function hashFile(path: string, { signal, onProgress }: CopyOptions): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256');
    for await (const { bytes, done } of chunksOf(file, signal)) {
      hash.update(bytes);
      onProgress(done, size);
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

async function copyAndHash(
  { source, sourcePath, target, keepFreeBytes, signal, onProgress }: CopyOptions,
  sizeBytes: number,
): Promise<string> {
  const hash = createHash('sha256');
  const zeros = Buffer.alloc(chunkBytes);
  let file: FileHandle | null = null;
  try {
    file = await open(target, 'w', 0o600);
    let written = 0;
    for await (const { bytes, done } of chunksOf(source, signal)) {
      hash.update(bytes);
      // What is all zeros is left out and stays a hole.
      if (!bytes.equals(zeros.subarray(0, bytes.length))) {
        await writeAll(file, bytes, done - bytes.length);
        written += bytes.length;
        if (written >= spaceCheckBytes) {
          written = 0;
          await demandSpace(target, 0, keepFreeBytes);
        }
      }
      onProgress(done, Math.max(sizeBytes, done));
    }
    await file.truncate(sizeBytes);
    await file.sync();
    return hash.digest('hex');
  } catch (thrown) {
    if (thrown instanceof Failure || signal.aborted) throw thrown;
    if (thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'read') {
      throw new Failure('image/unreadable', `${sourcePath} could not be read to its end.`, {
        hint: 'Check the disk that it lies on.',
        detail: thrown.message,
      });
    }
    throw toWriteFailure(thrown, target);
  } finally {
    await file?.close();
  }
}

/** Reads a file from its start in pieces; `done` counts the bytes up to the end of the piece. The buffer is used again. */
async function* chunksOf(file: FileHandle, signal: AbortSignal): AsyncGenerator<{ bytes: Buffer; done: number }> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let done = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield { bytes: buffer.subarray(0, bytesRead), done };
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
