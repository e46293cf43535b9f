/**
 * Pictures as the SPICE server packs them, with what they show: tests/fixtures/spice/pictures.bin and .jsonl. Its README says how they were
 * made.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pixels } from './png.ts';

export type SpicePicture = {
  codec: 'quic' | 'lz' | 'lz4' | 'glz' | 'zlib-glz' | 'jpeg' | 'djpeg';
  form: string;
  picture: string;
  width: number;
  height: number;
  topDown?: boolean;
  /** 0xRRGGBB, for those with a palette. */
  colours?: number[];
  /** Of a GLZ picture before it was deflated. */
  glzBytes?: number;
  /** Of the pixels, R G B A, from the top. */
  sha256?: string;
  data: Uint8Array;
};

const folder = join(import.meta.dirname, '../fixtures/spice');

export function readSpicePictures(codec: SpicePicture['codec']): SpicePicture[] {
  const all = readFileSync(join(folder, 'pictures.bin'));
  const index = readFileSync(join(folder, 'pictures.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Omit<SpicePicture, 'data'> & { at: number; bytes: number });
  return (
    index
      .filter((entry) => entry.codec === codec)
      // A copy each, at an address that is no multiple of four: messages lie anywhere.
      .map((entry) => {
        const memory = new Uint8Array(entry.bytes + 1);
        memory.set(all.subarray(entry.at, entry.at + entry.bytes), 1);
        return { ...entry, data: memory.subarray(1) };
      })
  );
}

export function hashOf(pixels: Uint32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength))
    .digest('hex');
}

/** A screendump as surfaces have their pixels. */
export function opaquePixels({ rgb }: Pixels): Uint32Array {
  const at = (index: number) => rgb[index] ?? 0;
  return Uint32Array.from(
    { length: rgb.length / 3 },
    (_, pixel) => at(pixel * 3) | (at(pixel * 3 + 1) << 8) | (at(pixel * 3 + 2) << 16) | 0xff000000,
  );
}
