/** Bytes at offsets: a file, or the disk inside an image file. What reads media reads through this, so that every read is bounded. */
import type { FileHandle } from 'node:fs/promises';

export type ByteSource = {
  sizeBytes: number;
  /** The bytes at `offset`; fewer than `length` at the end of the source. */
  read(offset: number, length: number): Promise<Buffer>;
};

/** No reader here ever needs more at once. */
const readMaxBytes = 4 * 1024 * 1024;

export function fileSource(file: FileHandle, sizeBytes: number): ByteSource {
  return {
    sizeBytes,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, readMaxBytes, sizeBytes - offset));
      const buffer = Buffer.alloc(wanted);
      let done = 0;
      while (done < wanted) {
        const { bytesRead } = await file.read(buffer, done, wanted - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return buffer.subarray(0, done);
    },
  };
}

/** Bytes in memory, for tests and for what was read before. */
export function memorySource(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: async (offset, length) => bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length)),
  };
}

/** A part of a source, such as a partition of a disk. */
export function slice(source: ByteSource, offset: number, sizeBytes: number): ByteSource {
  return {
    sizeBytes,
    read: (at, length) => source.read(offset + at, Math.max(0, Math.min(length, sizeBytes - at))),
  };
}
