/** Reads the PNGs that QEMU and browsers write: 8 bits a channel, RGB or RGBA, not interlaced. Independent of the code under test. */
import { inflateSync } from 'node:zlib';

export type Pixels = { widthPx: number; heightPx: number /** Three bytes a pixel. */; rgb: Uint8Array };

export function decodePng(png: Uint8Array): Pixels {
  const bytes = Buffer.from(png);
  if (bytes.subarray(1, 4).toString('latin1') !== 'PNG') throw new Error('This is no PNG.');
  let at = 8;
  let header = { widthPx: 0, heightPx: 0, channels: 0 };
  const packed: Buffer[] = [];
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.subarray(at + 4, at + 8).toString('latin1');
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') {
      const colour = body[9];
      if (body[8] !== 8 || body[12] !== 0 || (colour !== 2 && colour !== 6))
        throw new Error(`A PNG of colour type ${colour} is not read here.`);
      header = { widthPx: body.readUInt32BE(0), heightPx: body.readUInt32BE(4), channels: colour === 6 ? 4 : 3 };
    } else if (type === 'IDAT') packed.push(body);
    at += 12 + length;
  }
  return { widthPx: header.widthPx, heightPx: header.heightPx, rgb: unfilter(inflateSync(Buffer.concat(packed)), header) };
}

function unfilter(raw: Buffer, { widthPx, heightPx, channels }: { widthPx: number; heightPx: number; channels: number }): Uint8Array {
  const stride = widthPx * channels;
  const rgb = new Uint8Array(widthPx * heightPx * 3);
  let above = new Uint8Array(stride);
  for (let y = 0; y < heightPx; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    const line = new Uint8Array(raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? (line[x - channels] ?? 0) : 0;
      const up = above[x] ?? 0;
      const corner = x >= channels ? (above[x - channels] ?? 0) : 0;
      const add = filter === 0 ? 0 : filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
      line[x] = ((line[x] ?? 0) + add) & 255;
    }
    for (let x = 0; x < widthPx; x++)
      for (let channel = 0; channel < 3; channel++) rgb[(y * widthPx + x) * 3 + channel] = line[x * channels + channel] ?? 0;
    above = line;
  }
  return rgb;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [byLeft, byUp, byCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner;
}

/** How many pixels differ; -1 when the sizes do. */
export function differingPixels(one: Pixels, other: Pixels): number {
  if (one.widthPx !== other.widthPx || one.heightPx !== other.heightPx) return -1;
  let count = 0;
  for (let at = 0; at < one.rgb.length; at += 3)
    if (one.rgb[at] !== other.rgb[at] || one.rgb[at + 1] !== other.rgb[at + 1] || one.rgb[at + 2] !== other.rgb[at + 2]) count++;
  return count;
}
