/**
 * What a SPICE server said in a session, kept to be said again without it: a line of JSON that says what it is and what its screen showed in
 * the end, then `stream (1 byte) · length (4 bytes) · bytes` again and again, in the order of arrival; all of it packed with gzip.
 */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Pixels } from './png.ts';

export type SpiceRecording = {
  about: string;
  widthPx: number;
  heightPx: number;
  /** Of QEMU's screendump at its end, three bytes a pixel. */
  sha256: string;
  /** What came on which stream. */
  pieces: { stream: number; bytes: Uint8Array }[];
};

export function hashOf(pixels: Pixels): string {
  return createHash('sha256').update(pixels.rgb).digest('hex');
}

export function buildRecording({ pieces, ...head }: SpiceRecording): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(`${JSON.stringify(head)}\n`)];
  for (const { stream, bytes } of pieces) {
    const header = Buffer.alloc(5);
    header[0] = stream;
    header.writeUInt32LE(bytes.byteLength, 1);
    parts.push(header, bytes);
  }
  return gzipSync(Buffer.concat(parts), { level: 9 });
}

export function parseRecording(packed: Uint8Array): SpiceRecording {
  const all = gunzipSync(packed);
  const lineEnd = all.indexOf('\n');
  const head = JSON.parse(all.subarray(0, lineEnd).toString()) as Omit<SpiceRecording, 'pieces'>;
  const pieces: SpiceRecording['pieces'] = [];
  for (let at = lineEnd + 1; at < all.byteLength; ) {
    const length = all.readUInt32LE(at + 1);
    pieces.push({ stream: all[at] as number, bytes: new Uint8Array(all.subarray(at + 5, at + 5 + length)) });
    at += 5 + length;
  }
  return { ...head, pieces };
}
