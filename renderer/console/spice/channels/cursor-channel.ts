/** The cursor channel: what the guest's pointer looks like and, for guests that take movements, where it is. */
import type { ConsoleCursor } from '../../console.ts';
import { cursorFlag, cursorMessage, cursorType } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import type { ChannelHandler } from './channel.ts';

export type CursorEvents = {
  cursor(cursor: ConsoleCursor): void;
  cursorMoved(xPx: number, yPx: number): void;
};

const maxCursorPx = 512;
/** Twice what the server keeps at most (its CLIENT_CURSOR_CACHE_SIZE). */
const maxCached = 512;

type Rgba = Uint8ClampedArray<ArrayBuffer>;

export class CursorChannel implements ChannelHandler {
  readonly kind = 'cursor';
  readonly capabilities = 0;
  readonly #events: CursorEvents;
  readonly #cache = new Map<bigint, ConsoleCursor>();

  constructor(events: CursorEvents) {
    this.#events = events;
  }

  opened(): void {}

  moved(): void {}

  message(type: number, body: Reader): undefined {
    switch (type) {
      case cursorMessage.INIT: {
        this.#cache.clear();
        this.#moved(body);
        // Length and frequency of a trail, which nobody draws any more.
        body.skip(4);
        this.#shape(body);
        break;
      }
      case cursorMessage.SET:
        this.#moved(body);
        this.#shape(body);
        break;
      case cursorMessage.MOVE:
        this.#moved(body);
        break;
      case cursorMessage.HIDE:
        this.#events.cursor({ kind: 'hidden' });
        break;
      case cursorMessage.RESET:
        this.#cache.clear();
        this.#events.cursor({ kind: 'default' });
        break;
      case cursorMessage.INVAL_ONE:
        this.#cache.delete(body.u64());
        break;
      case cursorMessage.INVAL_ALL:
        this.#cache.clear();
        break;
    }
    return undefined;
  }

  #moved(body: Reader): void {
    const xPx = body.i16();
    this.#events.cursorMoved(xPx, body.i16());
  }

  #shape(body: Reader): void {
    const visible = body.u8() !== 0;
    const cursor = readCursor(body, this.#cache);
    this.#events.cursor(visible ? cursor : { kind: 'hidden' });
  }
}

/** SpiceCursor. */
function readCursor(body: Reader, cache: Map<bigint, ConsoleCursor>): ConsoleCursor {
  const flags = body.u16();
  if (flags & cursorFlag.NONE) return { kind: 'default' };
  const id = body.u64();
  const type = body.u8();
  const widthPx = body.u16();
  const heightPx = body.u16();
  const hotXPx = body.u16();
  const hotYPx = body.u16();
  if (flags & cursorFlag.FROM_CACHE) return cache.get(id) ?? { kind: 'default' };
  if (widthPx > maxCursorPx || heightPx > maxCursorPx) throw new SpiceError(`a cursor of ${widthPx} × ${heightPx} pixels is not possible`);
  const rgba = decodeCursor(type, widthPx, heightPx, body);
  const empty = rgba.every((value, at) => at % 4 !== 3 || value === 0);
  const cursor: ConsoleCursor = empty ? { kind: 'hidden' } : { kind: 'shape', widthPx, heightPx, hotXPx, hotYPx, rgba };
  if (flags & cursorFlag.CACHE_ME) {
    if (cache.size >= maxCached && !cache.has(id)) throw new SpiceError(`more than ${maxCached} cursors are to be kept`);
    cache.set(id, cursor);
  }
  return cursor;
}

function decodeCursor(type: number, width: number, height: number, body: Reader): Rgba {
  const rgba = new Uint8ClampedArray(width * height * 4);
  switch (type) {
    case cursorType.ALPHA:
      decodeAlpha(rgba, body.bytesOf(width * height * 4));
      return rgba;
    case cursorType.MONO:
      decodeMono(rgba, width, height, body);
      return rgba;
    case cursorType.COLOR4:
      decodeColour(rgba, width, height, body, Math.ceil(width / 2), (row, x) => ((row[x >> 1] as number) >> (x & 1 ? 0 : 4)) & 15, 16);
      return rgba;
    case cursorType.COLOR8:
      decodeColour(rgba, width, height, body, width, (row, x) => row[x] as number, 256);
      return rgba;
    case cursorType.COLOR16:
      decodeColour(rgba, width, height, body, width * 2, (row, x) => widen555((row[2 * x] as number) | ((row[2 * x + 1] as number) << 8)));
      return rgba;
    case cursorType.COLOR24:
      decodeColour(rgba, width, height, body, width * 3, (row, x) => bgr(row, 3 * x));
      return rgba;
    case cursorType.COLOR32:
      decodeColour(rgba, width, height, body, width * 4, (row, x) => bgr(row, 4 * x));
      return rgba;
    default:
      throw new SpiceError(`a cursor of type ${type} does not exist`);
  }
}

/** Premultiplied BGRA; a canvas wants it straight. */
function decodeAlpha(rgba: Rgba, data: Uint8Array): void {
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = data[at + 3] as number;
    const straight = alpha === 0 ? 0 : 255 / alpha;
    rgba[at] = (data[at + 2] as number) * straight;
    rgba[at + 1] = (data[at + 1] as number) * straight;
    rgba[at + 2] = (data[at] as number) * straight;
    rgba[at + 3] = alpha;
  }
}

/**
 * An AND and an XOR mask. Both set inverts what lies below, which no cursor of a browser can: black is seen on most.
 */
function decodeMono(rgba: Rgba, width: number, height: number, body: Reader): void {
  const stride = Math.ceil(width / 8);
  const and = body.bytesOf(stride * height);
  const xor = body.bytesOf(stride * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const keep = bitAt(and, stride, x, y);
      const white = bitAt(xor, stride, x, y);
      paint(rgba, y * width + x, !keep && white ? 0xffffff : 0, !keep || white);
    }
}

/**
 * Colours, then for 4 and 8 bits their palette, then the AND mask: what it keeps is transparent, or inverts where the colour is white, which is
 * shown as black.
 */
function decodeColour(
  rgba: Rgba,
  width: number,
  height: number,
  body: Reader,
  rowBytes: number,
  colourAt: (row: Uint8Array, x: number) => number,
  paletteLength = 0,
): void {
  const colours = body.bytesOf(rowBytes * height);
  const palette = Array.from({ length: paletteLength }, () => body.u32() & 0xffffff);
  const maskStride = Math.ceil(width / 8);
  const and = body.bytesOf(maskStride * height);
  for (let y = 0; y < height; y++) {
    const row = colours.subarray(y * rowBytes, (y + 1) * rowBytes);
    for (let x = 0; x < width; x++) {
      const found = colourAt(row, x);
      const colour = paletteLength > 0 ? (palette[found] ?? 0) : found;
      const keep = bitAt(and, maskStride, x, y);
      const inverts = keep && colour === 0xffffff;
      paint(rgba, y * width + x, inverts ? 0 : colour, !keep || inverts);
    }
  }
}

function bitAt(bits: Uint8Array, stride: number, x: number, y: number): boolean {
  return (((bits[y * stride + (x >> 3)] as number) >> (7 - (x & 7))) & 1) !== 0;
}

/** 0xRRGGBB of blue, green, red. */
function bgr(row: Uint8Array, at: number): number {
  return (row[at] as number) | ((row[at + 1] as number) << 8) | ((row[at + 2] as number) << 16);
}

/** 0xRRGGBB of five bits each, the high ones repeated below. */
function widen555(value: number): number {
  const widen = (five: number) => (five << 3) | (five >> 2);
  return (widen((value >> 10) & 31) << 16) | (widen((value >> 5) & 31) << 8) | widen(value & 31);
}

function paint(rgba: Rgba, pixel: number, colour: number, opaque: boolean): void {
  const at = pixel * 4;
  if (!opaque) return;
  rgba[at] = colour >> 16;
  rgba[at + 1] = (colour >> 8) & 255;
  rgba[at + 2] = colour & 255;
  rgba[at + 3] = 255;
}
