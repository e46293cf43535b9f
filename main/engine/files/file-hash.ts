import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** SHA-256 of a file, in hexadecimal. `onRead` is told how many bytes were read so far. @throws the signal's reason */
export async function sha256OfFile(path: string, signal: AbortSignal, onRead: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  let read = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024, signal })) {
    hash.update(piece as Buffer);
    read += (piece as Buffer).length;
    onRead(read);
  }
  return hash.digest('hex');
}
