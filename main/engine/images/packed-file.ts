/**
 * Files packed with gzip, xz or Zstandard: looked into without unpacking them, and unpacked into the store within limits. Zeros become holes, so
 * that neither a disk's empty space nor a bomb of zeros takes room; what is not zeros is bounded by the free space.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { Failure } from '../../../contract/errors.ts';
import type { Packing } from '../../../contract/image.ts';
import { toWriteFailure } from '../files/durable.ts';
import { findProgram, systemToolFolders } from '../host/host-facts.ts';
import { demandSpace } from './copy-medium.ts';
import type { OpenMedium } from './open-medium.ts';

/** More than any disk that is sent about packed: 4 TiB. Unpacking ends there. */
export const unpackedMaxBytes = 4 * 1024 ** 4;
/** As much as recognises every format. */
export const peekBytes = 64 * 1024;

const chunkBytes = 1024 * 1024;
const spaceCheckBytes = 64 * 1024 * 1024;

export type UnpackOptions = {
  medium: OpenMedium;
  packing: Packing;
  target: string;
  maxBytes: number;
  keepFreeBytes: number;
  signal: AbortSignal;
  /** Counts packed bytes: how many there will be unpacked is not always known. */
  onProgress: (bytesDone: number, bytesTotal: number) => void;
};

/**
 * Unpacks all of `medium` into `target`, which is made anew, and forces it to the disk.
 * @returns the SHA-256 and size of what was unpacked.
 * @throws Failure `image/corrupt`, `image/too-large`, `image/changed`, `store/full`, `store/not-writable`, `image/not-an-image` where the
 * packing cannot be undone on this computer; or the signal's reason.
 */
export async function unpackFile(options: UnpackOptions): Promise<{ sha256: string; sizeBytes: number }> {
  const { medium, packing, target, signal } = options;
  const before = await identityOf(medium);
  const file = await open(target, 'w', 0o600).catch((thrown: unknown) => {
    throw toWriteFailure(thrown, target);
  });
  try {
    const sink = sparseSink(file, options);
    await runUnpacker(medium, packing, { signal, onPacked: options.onProgress, sink: sink.stream });
    const { sha256, sizeBytes } = sink.result();
    await file.truncate(sizeBytes);
    await file.sync();
    if ((await identityOf(medium)) !== before) {
      throw new Failure('image/changed', `${medium.path} changed while it was unpacked.`, {
        hint: 'Wait until it is complete, then try again.',
      });
    }
    return { sha256, sizeBytes };
  } catch (thrown) {
    if (thrown instanceof Failure || signal.aborted) throw signal.aborted ? signal.reason : thrown;
    throw toWriteFailure(thrown, target);
  } finally {
    await file.close();
  }
}

/** The first bytes of what is packed. @throws as {@link unpackFile} */
export async function peekPacked(medium: OpenMedium, packing: Packing): Promise<Buffer> {
  const parts: Buffer[] = [];
  let total = 0;
  const enough = new AbortController();
  const sink = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      parts.push(chunk);
      total += chunk.length;
      if (total >= peekBytes) enough.abort();
      done();
    },
  });
  try {
    await runUnpacker(medium, packing, { signal: enough.signal, onPacked: () => undefined, sink });
  } catch (thrown) {
    if (!enough.signal.aborted) throw thrown;
  }
  return Buffer.concat(parts).subarray(0, peekBytes);
}

/** Pieces of equal size at offsets, so that a piece of zeros can be left out. */
function sparseSink(file: FileHandle, { medium, target, maxBytes, keepFreeBytes }: UnpackOptions) {
  const hash = createHash('sha256');
  const zeros = Buffer.alloc(chunkBytes);
  const piece = Buffer.allocUnsafe(chunkBytes);
  let held = 0;
  let offset = 0;
  let written = 0;
  const flush = async () => {
    const bytes = piece.subarray(0, held);
    if (!bytes.equals(zeros.subarray(0, held))) {
      for (let done = 0; done < held; ) done += (await file.write(bytes, done, held - done, offset + done)).bytesWritten;
      written += held;
      if (written >= spaceCheckBytes) {
        written = 0;
        await demandSpace(target, 0, keepFreeBytes);
      }
    }
    offset += held;
    held = 0;
  };
  const take = async (chunk: Buffer) => {
    hash.update(chunk);
    if (offset + held + chunk.length > maxBytes) throw tooLarge(medium.path, maxBytes);
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(chunk.length - at, chunkBytes - held);
      chunk.copy(piece, held, at, at + count);
      held += count;
      at += count;
      if (held === chunkBytes) await flush();
    }
  };
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => void take(chunk).then(() => done(), done),
    flush: (done) => void flush().then(() => done(), done),
  });
  return { stream, result: () => ({ sha256: hash.digest('hex'), sizeBytes: offset }) };
}

function tooLarge(path: string, maxBytes: number): Failure {
  return new Failure('image/too-large', `${path} is still not at its end after ${Math.round(maxBytes / 1024 ** 3)} GiB were unpacked.`, {
    hint: 'If it really holds such a disk, unpack it yourself and choose the disk.',
    path: 'path',
  });
}

type UnpackerRun = { signal: AbortSignal; onPacked: (bytesDone: number, bytesTotal: number) => void; sink: Transform };

async function runUnpacker(medium: OpenMedium, packing: Packing, { signal, onPacked, sink }: UnpackerRun): Promise<void> {
  sink.resume();
  const source = Readable.from(packedChunks(medium, onPacked), { objectMode: false, highWaterMark: chunkBytes });
  try {
    if (packing === 'xz') await throughXz(source, sink, medium.path, signal);
    else await pipeline(source, decoder(packing, medium.path), sink, { signal });
  } catch (thrown) {
    if (thrown instanceof Failure || signal.aborted) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code ?? '';
    if (!/^(Z_|ERR_ZSTD|ZSTD_|ERR_ZLIB)/.test(code)) throw thrown;
    throw damaged(medium.path, packing, String(thrown));
  }
}

/** The handle stays the caller's: streams of their own would close it. */
async function* packedChunks({ file, sizeBytes }: OpenMedium, onPacked: UnpackerRun['onPacked']): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(256 * 1024), 0, 256 * 1024, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    onPacked(at, Math.max(at, sizeBytes));
    yield buffer.subarray(0, bytesRead);
  }
}

function decoder(packing: 'gzip' | 'zstd', path: string) {
  if (packing === 'gzip') return zlib.createGunzip({ chunkSize: 256 * 1024 });
  // Node got Zstandard in 22.15.
  if (typeof zlib.createZstdDecompress === 'function') return zlib.createZstdDecompress({ chunkSize: 256 * 1024 });
  throw new Failure('image/not-an-image', `${path} is packed with Zstandard, which this build cannot unpack.`, {
    hint: `Unpack it first: zstd -d '${path}'`,
    path: 'path',
  });
}

/** Node has no xz. The program reads and writes pipes, so it ends with the engine, and opens no file. */
async function throughXz(source: Readable, sink: Transform, path: string, signal: AbortSignal): Promise<void> {
  const xz = await findProgram('xz', process.env, systemToolFolders);
  if (!xz) {
    throw new Failure('image/not-an-image', `${path} is packed with xz, and the program xz is not installed.`, {
      hint: 'Install xz (on Debian: apt install xz-utils), or unpack the file first.',
      path: 'path',
    });
  }
  const child = spawn(xz, ['--decompress', '--stdout', '--threads=1', '--memlimit-decompress=1GiB'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: '/',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  try {
    // xz stops reading at the first damaged block; that is told by its exit status.
    const fed = pipeline(source, child.stdin, { signal }).catch(() => undefined);
    await pipeline(child.stdout, sink, { signal });
    await fed;
    if ((await ended) !== 0) throw damaged(path, 'xz', said.trim());
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

const packingNames = { gzip: 'gzip', xz: 'xz', zstd: 'Zstandard' } as const;

export function packingName(packing: Packing): string {
  return packingNames[packing];
}

function damaged(path: string, packing: Packing, detail: string): Failure {
  return new Failure(
    'image/corrupt',
    `${path} cannot be unpacked: it is damaged or cut short, or not packed with ${packingName(packing)} after all.`,
    {
      hint: 'Download or copy it again.',
      detail,
      path: 'path',
    },
  );
}

async function identityOf({ file }: OpenMedium): Promise<string> {
  const found = await file.stat({ bigint: true });
  return [found.dev, found.ino, found.size, found.mtimeNs].join('|');
}
