/** Pictures as cameras make them, or nearly: soft shapes in all sizes with grain, which servers take for photos and video. Always the same. */
import type { Pixels } from './png.ts';

/** A number from 0 to 1 for a point of a lattice. */
function lattice(x: number, y: number, seed: number): number {
  let bits = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / 0xffffffff;
}

function soft(x: number, y: number, seed: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const ease = (part: number) => part * part * (3 - 2 * part);
  const [across, down] = [ease(x - left), ease(y - top)];
  const row = (line: number) => lattice(left, line, seed) * (1 - across) + lattice(left + 1, line, seed) * across;
  return row(top) * (1 - down) + row(top + 1) * down;
}

/** `xPx` and `yPx`: where on an endless picture it lies. */
export function photo(widthPx: number, heightPx: number, seed: number, xPx = 0, yPx = 0): Pixels {
  const rgb = new Uint8Array(widthPx * heightPx * 3);
  for (let y = 0, at = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++)
      for (let channel = 0; channel < 3; channel++, at++) {
        let sum = 0;
        for (const [scale, weight] of [
          [120, 0.5],
          [40, 0.3],
          [11, 0.15],
        ] as const)
          sum += soft((x + xPx) / scale, (y + yPx) / scale, seed + channel * 7 + scale) * weight;
        const grain = (lattice(x, y, seed + channel) - 0.5) * 6;
        rgb[at] = Math.max(0, Math.min(255, Math.round(sum * 270 + grain)));
      }
  return { widthPx, heightPx, rgb };
}

/** As a PPM file. */
export function portablePixmap({ widthPx, heightPx, rgb }: Pixels): Buffer {
  return Buffer.concat([Buffer.from(`P6\n${widthPx} ${heightPx}\n255\n`), rgb]);
}

/** Throws unless it is one with a byte for each sample. */
export function readPortablePixmap(file: Buffer): Pixels {
  const [head = '', width, height] = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(file.toString('latin1', 0, 64)) ?? [];
  const [widthPx, heightPx] = [Number(width), Number(height)];
  const rgb = file.subarray(head.length);
  if (!head || rgb.length !== widthPx * heightPx * 3) throw new Error('This is no portable pixmap.');
  return { widthPx, heightPx, rgb };
}

/** As a screen's memory has it: B, G, R and 0 for each pixel. */
export function screenBytes({ widthPx, heightPx, rgb }: Pixels): Buffer {
  const bytes = Buffer.alloc(widthPx * heightPx * 4);
  for (let pixel = 0; pixel < widthPx * heightPx; pixel++) {
    bytes[pixel * 4] = rgb[pixel * 3 + 2] ?? 0;
    bytes[pixel * 4 + 1] = rgb[pixel * 3 + 1] ?? 0;
    bytes[pixel * 4 + 2] = rgb[pixel * 3] ?? 0;
  }
  return bytes;
}
