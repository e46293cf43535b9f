/**
 * GLZ, LZ whose references may lead into earlier pictures of the session.
 *
 * Stream: "  ZL" · version (32 bits each, highest byte first) · type and, from bit 4, top-down (1 byte) · width · height · stride (32 bits) ·
 * number of the picture (64 bits) · how far back the window reaches (32 bits) · commands as in LZ, but for the references:
 * `length (3 bits) | long (1) | offset (4)` · more of the length while it reads 255 · offset (8 bits) · then either
 * `more bytes of distance (2) | distance in pictures (6)`, or for long offsets `more bytes of distance (2) | very long (1) | offset (5)`.
 */
import { SpiceError } from '../protocol/spice-error.ts';
import type { GlzWindow } from './glz-window.ts';
import { flipRows, longCopy, lzMagic, lzType, lzVersion, readBigEndian, repeatBack, spreadRgb555, unpackRgb24 } from './lz-format.ts';
import { checkPictureSize, type Picture } from './picture.ts';

const headerBytes = 33;
const opaque = 0xff000000 | 0;
const literal = { rgb16: 1, rgb24: 2, alpha: 3 } as const;

/** That a picture needs another, which is to come on another channel. The same is to be decoded again when it is there. */
export interface GlzWait {
  readonly missingPicture: number;
}

/**
 * Decodes a picture and adds it to the window; or says which one has to come before, and changes nothing. The server uses no palettes in GLZ,
 * since the same bytes would mean other colours in another picture. Throws {@link SpiceError}.
 */
export function decodeGlz(data: Uint8Array, window: GlzWindow): Picture | GlzWait {
  if (data.byteLength < headerBytes) throw new SpiceError('GLZ: cut short in its header');
  if (readBigEndian(data, 0) !== lzMagic) throw new SpiceError('GLZ: does not begin with “  ZL”');
  if (readBigEndian(data, 4) !== lzVersion) throw new SpiceError(`GLZ: version ${readBigEndian(data, 4)} is not known`);
  const type = (data[8] as number) & 0x0f;
  const topDown = (data[8] as number) >>> 4 !== 0;
  const width = readBigEndian(data, 9);
  const height = readBigEndian(data, 13);
  const id = readBigEndian(data, 21) * 0x1_0000_0000 + readBigEndian(data, 25);
  const windowDistance = readBigEndian(data, 29);
  if (type < lzType.rgb16 || type > lzType.rgba) throw new SpiceError(`GLZ: there is no type ${type}`);
  checkPictureSize(width, height, 'GLZ picture');
  if (!Number.isSafeInteger(id) || windowDistance > id)
    throw new SpiceError(`GLZ: picture ${id} cannot have a window of ${windowDistance}`);
  const count = width * height;
  if (count > data.byteLength * 255) throw new SpiceError(`GLZ: ${count} pixels do not come out of ${data.byteLength} bytes`);
  window.checkRoom(count);

  const pixels = new Int32Array(count);
  let end = decodeCommands(data, headerBytes, pixels, id, window, type === lzType.rgb16 ? literal.rgb16 : literal.rgb24);
  if (end >= 0 && type === lzType.rgba) end = decodeCommands(data, end, pixels, id, window, literal.alpha);
  if (end < 0) return { missingPicture: id + end };
  window.add({ id, windowDistance, pixels, opaque: type !== lzType.rgba });

  // The window keeps the stream's order, since references count in it.
  let shown = pixels;
  if (!topDown) {
    shown = pixels.slice();
    flipRows(shown, width, height);
  }
  return { width, height, pixels: new Uint32Array(shown.buffer, shown.byteOffset, count), opaque: type !== lzType.rgba };
}

/** Where the commands end; or, when a picture is missing, minus the distance to it. */
function decodeCommands(data: Uint8Array, at: number, out: Int32Array, id: number, window: GlzWindow, kind: number): number {
  const end = data.byteLength;
  const view = new DataView(data.buffer, data.byteOffset, end);
  const size = out.length;
  const literalSize = kind === literal.rgb24 ? 3 : kind === literal.rgb16 ? 2 : 1;
  const bias = 3 - literalSize;
  // Most references lead into the same picture as the one before.
  let lastDistance = 0;
  let source = out;
  let sourceIsOpaque = true;
  let done = 0;
  while (done < size) {
    if (at >= end) throw cutShort();
    const command = data[at++] as number;
    if (command < 32) {
      const stop = done + command + 1;
      if (stop > size) throw tooMany();
      if (at + (command + 1) * literalSize > end) throw cutShort();
      if (kind === literal.rgb24) {
        unpackRgb24(view, at, out, done, command + 1);
        at += 3 * (command + 1);
        done = stop;
      } else if (kind === literal.rgb16)
        for (; done < stop; done++, at += 2) out[done] = spreadRgb555(((data[at] as number) << 8) | (data[at + 1] as number));
      else for (; done < stop; done++, at++) out[done] = ((out[done] as number) & 0xffffff) | ((data[at] as number) << 24);
      continue;
    }

    let length = command >>> 5;
    if (length === 7) {
      let more: number;
      do {
        if (at >= end) throw cutShort();
        more = data[at++] as number;
        length += more;
      } while (more === 255);
    }
    length += bias;
    if (at + 2 > end) throw cutShort();
    let offset = (command & 15) | ((data[at] as number) << 4);
    const flags = data[at + 1] as number;
    at += 2;
    const distanceBytes = flags >>> 6;
    const long = (command & 16) !== 0;
    const veryLong = long && (flags & 0x20) !== 0;
    if (at + distanceBytes + (veryLong ? 1 : 0) > end) throw cutShort();
    let distance = long ? 0 : flags & 0x3f;
    for (let index = 0, shift = long ? 0 : 6; index < distanceBytes; index++, shift += 8) distance |= (data[at++] as number) << shift;
    if (long) offset |= (flags & 0x1f) << 12;
    if (veryLong) offset |= (data[at++] as number) << 17;

    const stop = done + length;
    if (stop > size) throw tooMany();
    if (distance === 0) {
      offset++;
      if (offset > done) throw outside();
      if (kind === literal.alpha)
        for (; done < stop; done++) out[done] = ((out[done] as number) & 0xffffff) | ((out[done - offset] as number) & 0xff000000);
      else if (length < longCopy) for (; done < stop; done++) out[done] = out[done - offset] as number;
      else {
        repeatBack(out, done, offset, length);
        done = stop;
      }
      continue;
    }

    if (distance !== lastDistance) {
      if (distance > id) throw outside();
      const picture = window.find(id - distance);
      if (picture === undefined) return -distance;
      source = picture.pixels;
      sourceIsOpaque = picture.opaque;
      lastDistance = distance;
    }
    if (offset + length > source.length) throw outside();
    if (kind === literal.alpha)
      for (; done < stop; done++, offset++) out[done] = ((out[done] as number) & 0xffffff) | ((source[offset] as number) & 0xff000000);
    // The colours of a picture with alpha are those of one without as well.
    else if (!sourceIsOpaque || length < longCopy) for (; done < stop; done++, offset++) out[done] = opaque | (source[offset] as number);
    else {
      out.set(source.subarray(offset, offset + length), done);
      done = stop;
    }
  }
  return at;
}

const cutShort = () => new SpiceError('GLZ: ends before its last pixel');
const outside = () => new SpiceError('GLZ: a reference leads to no pixel');
const tooMany = () => new SpiceError('GLZ: holds more pixels than it says');
