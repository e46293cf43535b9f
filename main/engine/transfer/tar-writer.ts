/** Writes a tar archive (POSIX ustar) member by member, hashing on the way. */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { toWriteFailure } from '../files/durable.ts';

/** A file of the host; `head` stands for its first bytes. */
export type FileContent = { path: string; sizeBytes: number; head?: Buffer };
/** A member: text, or a file of the host. */
export type NewMember = { name: string; content: { text: string } | FileContent };

const blockBytes = 512;
const chunkBytes = 1024 * 1024;

/**
 * Writes `members` in their order to `target`, which is made anew, and forces it to the disk.
 * @throws Failure `store/full`, `store/not-writable`; or the signal's reason.
 */
export async function writeTar(
  target: string,
  members: readonly NewMember[],
  signal: AbortSignal,
  onWritten: (bytes: number) => void,
): Promise<void> {
  const archive = await open(target, 'w', 0o600).catch((thrown: unknown) => {
    throw toWriteFailure(thrown, target);
  });
  try {
    let at = 0;
    const append = async (bytes: Buffer) => {
      for (let done = 0; done < bytes.length; ) done += (await archive.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
      at += bytes.length;
      onWritten(bytes.length);
    };
    for (const { name, content } of members) {
      const sizeBytes = 'text' in content ? Buffer.byteLength(content.text) : content.sizeBytes;
      await append(headerOf(name, sizeBytes));
      if ('text' in content) await append(Buffer.from(content.text));
      else await readWhole(content, signal, append);
      if (sizeBytes % blockBytes !== 0) await append(Buffer.alloc(blockBytes - (sizeBytes % blockBytes)));
    }
    await append(Buffer.alloc(2 * blockBytes));
    await archive.sync();
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    throw toWriteFailure(thrown, target);
  } finally {
    await archive.close();
  }
}

/** @throws Error when the file is shorter than it was */
async function readWhole(
  { path, sizeBytes, head }: FileContent,
  signal: AbortSignal,
  take: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let done = 0; done < sizeBytes; ) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, sizeBytes - done), done);
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read.`);
      if (head && done < head.length) head.copy(buffer, 0, done, done + bytesRead);
      await take(buffer.subarray(0, bytesRead));
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
}

function headerOf(name: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  if (Buffer.byteLength(name) > 100) throw new Error(`The name ${name} does not fit into a tar header.`);
  header.write(name, 0, 'utf8');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  if (sizeBytes < 8 ** 11) header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  else {
    // As GNU tar writes what octal digits cannot hold.
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(sizeBytes), 128);
  }
  header.write(
    `${Math.floor(Date.now() / 1000)
      .toString(8)
      .padStart(11, '0')}\0`,
    136,
    'latin1',
  );
  header.fill(' ', 148, 156);
  header.write('0', 156, 'latin1');
  header.write('ustar\0', 257, 'latin1');
  header.write('00', 263, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The SHA-256 of a file as it would be written, and its size. */
export async function hashFile(path: string, signal: AbortSignal, head?: Buffer): Promise<{ sha256: string; sizeBytes: number }> {
  const { size: sizeBytes } = await stat(path);
  const hash = createHash('sha256');
  await readWhole({ path, sizeBytes, ...(head ? { head } : {}) }, signal, async (bytes) => void hash.update(bytes));
  return { sha256: hash.digest('hex'), sizeBytes };
}
