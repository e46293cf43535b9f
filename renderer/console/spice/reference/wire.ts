/**
 * The messages that are written and read here rather than by spice-html5: keyboard and pointer (it maps `keyCode` and scales nothing),
 * the cursor (it knows one kind and no cache) and the agent's capabilities. Sources: spice-protocol's spice.proto, enums.h and vd_agent.h.
 */
import type { ConsoleCursor, ConsoleInput, PointerButton } from '../../console.ts';
import { ProtocolError } from './framing.ts';

const inputs = { keyDown: 101, keyUp: 102, keyModifiers: 103, motion: 111, position: 112, press: 113, release: 114 } as const;

const buttonNumber: Record<PointerButton, number> = { left: 1, middle: 2, right: 3, up: 4, down: 5, side: 6, extra: 7 };
/** SPICE_MOUSE_BUTTON_MASK_*: the wheel's notches are never held. */
const buttonMask: Record<PointerButton, number> = { left: 1, middle: 2, right: 4, up: 0, down: 0, side: 32, extra: 64 };

export function maskOf(button: PointerButton): number {
  return buttonMask[button];
}

function buildMessage(type: number, bodyBytes: number, write: (view: DataView) => void): ArrayBuffer {
  const buffer = new ArrayBuffer(6 + bodyBytes);
  const header = new DataView(buffer);
  header.setUint16(0, type, true);
  header.setUint32(2, bodyBytes, true);
  write(new DataView(buffer, 6));
  return buffer;
}

/**
 * The messages of one key. The server passes the bytes of a code on one after the other, the lowest first, until it meets a zero; a
 * release sets the high bit of the last. A sequence of more than four bytes (Pause) is two messages.
 */
export function buildKey(scancode: readonly number[], down: boolean): ArrayBuffer[] {
  const bytes = down ? scancode : scancode.map((byte, index) => (index === scancode.length - 1 ? byte | 0x80 : byte));
  const messages: ArrayBuffer[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const code = bytes.slice(at, at + 3).reduce((sum, byte, index) => sum | (byte << (8 * index)), 0);
    messages.push(buildMessage(down ? inputs.keyDown : inputs.keyUp, 4, (view) => view.setUint32(0, code, true)));
  }
  return messages;
}

export function buildLocks({ scroll, num, caps }: Extract<ConsoleInput, { kind: 'locks' }>): ArrayBuffer {
  const mask = (scroll ? 1 : 0) | (num ? 2 : 0) | (caps ? 4 : 0);
  return buildMessage(inputs.keyModifiers, 2, (view) => view.setUint16(0, mask, true));
}

/** `held` is the mask of the buttons that are down. */
export function buildPosition(xPx: number, yPx: number, held: number): ArrayBuffer {
  return buildMessage(inputs.position, 11, (view) => {
    view.setUint32(0, xPx, true);
    view.setUint32(4, yPx, true);
    view.setUint16(8, held, true);
    view.setUint8(10, 0);
  });
}

export function buildMotion(dxPx: number, dyPx: number, held: number): ArrayBuffer {
  return buildMessage(inputs.motion, 10, (view) => {
    view.setInt32(0, dxPx, true);
    view.setInt32(4, dyPx, true);
    view.setUint16(8, held, true);
  });
}

export function buildButton(button: PointerButton, down: boolean, held: number): ArrayBuffer {
  return buildMessage(down ? inputs.press : inputs.release, 3, (view) => {
    view.setUint8(0, buttonNumber[button]);
    view.setUint16(1, held, true);
  });
}

/** SPICE_MSG_MAIN_CHANNELS_LIST with only the channels that `wanted` says yes to. */
export function filterChannelList(body: ArrayBuffer, wanted: (type: number, id: number) => boolean): ArrayBuffer {
  const view = new DataView(body);
  const count = body.byteLength >= 4 ? view.getUint32(0, true) : 0;
  if (count > 64 || body.byteLength < 4 + 2 * count)
    throw new ProtocolError(`A list of ${count} channels in ${body.byteLength} bytes is not possible.`);
  const kept: number[] = [];
  for (let index = 0; index < count; index++) {
    const type = view.getUint8(4 + 2 * index);
    const id = view.getUint8(5 + 2 * index);
    if (wanted(type, id)) kept.push(type, id);
  }
  const filtered = new ArrayBuffer(4 + kept.length);
  new DataView(filtered).setUint32(0, kept.length / 2, true);
  new Uint8Array(filtered, 4).set(kept);
  return filtered;
}

const cursorFlags = { none: 1, cacheMe: 2, fromCache: 4 } as const;
const cursorType = { alpha: 0, mono: 1, color32: 6 } as const;
const cursorMaxPx = 512;

/** The shapes that the server told to keep. Bounded: the server keeps at most 256. */
export type CursorCache = Map<bigint, ConsoleCursor>;

/**
 * The shape in SPICE_MSG_CURSOR_SET and SPICE_MSG_CURSOR_INIT, beginning at its flags, or null for a kind that is not drawn here (palettes
 * and 16 or 24 bits, which no driver of the last decade sends).
 */
export function parseCursor(body: ArrayBuffer, at: number, cache: CursorCache): ConsoleCursor | null {
  const view = new DataView(body);
  if (body.byteLength < at + 2) throw new ProtocolError('A cursor is cut short.');
  const flags = view.getUint16(at, true);
  if (flags & cursorFlags.none) return { kind: 'default' };
  if (body.byteLength < at + 19) throw new ProtocolError('A cursor is cut short.');
  const id = view.getBigUint64(at + 2, true);
  const type = view.getUint8(at + 10);
  const widthPx = view.getUint16(at + 11, true);
  const heightPx = view.getUint16(at + 13, true);
  const hotXPx = view.getUint16(at + 15, true);
  const hotYPx = view.getUint16(at + 17, true);
  if (flags & cursorFlags.fromCache) return cache.get(id) ?? { kind: 'default' };
  if (widthPx > cursorMaxPx || heightPx > cursorMaxPx)
    throw new ProtocolError(`A cursor of ${widthPx} × ${heightPx} pixels is not possible.`);
  const data = new Uint8Array(body, at + 19);
  const rgba = decodeCursor(type, widthPx, heightPx, data);
  if (!rgba) return null;
  const cursor: ConsoleCursor = isEmpty(rgba) ? { kind: 'hidden' } : { kind: 'shape', widthPx, heightPx, hotXPx, hotYPx, rgba };
  if (flags & cursorFlags.cacheMe && cache.size < 256) cache.set(id, cursor);
  return cursor;
}

function isEmpty(rgba: Uint8ClampedArray): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 0) return false;
  return true;
}

function decodeCursor(type: number, widthPx: number, heightPx: number, data: Uint8Array): Uint8ClampedArray<ArrayBuffer> | null {
  const pixels = widthPx * heightPx;
  const rgba = new Uint8ClampedArray(pixels * 4);
  const need = (bytes: number) => {
    if (data.byteLength < bytes) throw new ProtocolError('A cursor is cut short.');
  };
  if (type === cursorType.alpha) {
    need(pixels * 4);
    // Premultiplied BGRA; a canvas wants it straight.
    for (let at = 0; at < pixels * 4; at += 4) {
      const alpha = data[at + 3] ?? 0;
      const straight = alpha === 0 ? 0 : 255 / alpha;
      rgba[at] = (data[at + 2] ?? 0) * straight;
      rgba[at + 1] = (data[at + 1] ?? 0) * straight;
      rgba[at + 2] = (data[at] ?? 0) * straight;
      rgba[at + 3] = alpha;
    }
    return rgba;
  }
  const stride = Math.ceil(widthPx / 8);
  const bit = (plane: number, x: number, y: number) => ((data[plane + y * stride + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1;
  if (type === cursorType.mono) {
    need(stride * heightPx * 2);
    paint(widthPx, heightPx, rgba, (x, y) => {
      const keep = bit(0, x, y);
      const white = bit(stride * heightPx, x, y);
      // AND 1, XOR 1 inverts what lies below, which no cursor of a browser can: black is seen on most.
      return keep ? (white ? [0, 0, 0, 255] : [0, 0, 0, 0]) : white ? [255, 255, 255, 255] : [0, 0, 0, 255];
    });
    return rgba;
  }
  if (type === cursorType.color32) {
    const mask = pixels * 4;
    need(mask + stride * heightPx);
    paint(widthPx, heightPx, rgba, (x, y) => {
      const at = (y * widthPx + x) * 4;
      return [data[at + 2] ?? 0, data[at + 1] ?? 0, data[at] ?? 0, bit(mask, x, y) ? 0 : 255];
    });
    return rgba;
  }
  return null;
}

function paint(widthPx: number, heightPx: number, rgba: Uint8ClampedArray, colour: (x: number, y: number) => readonly number[]): void {
  for (let y = 0; y < heightPx; y++) for (let x = 0; x < widthPx; x++) rgba.set(colour(x, y), (y * widthPx + x) * 4);
}

/** The agent's messages come cut into pieces of 2 KiB; those of one kind are of interest. */
export class AgentMessages {
  #pending = new Uint8Array(0);
  readonly #announced: (wantsAnswer: boolean, capabilities: number) => void;

  constructor(announced: (wantsAnswer: boolean, capabilities: number) => void) {
    this.#announced = announced;
  }

  reset(): void {
    this.#pending = new Uint8Array(0);
  }

  feed(body: ArrayBuffer): void {
    const joined = new Uint8Array(this.#pending.byteLength + body.byteLength);
    joined.set(this.#pending);
    joined.set(new Uint8Array(body), this.#pending.byteLength);
    let at = 0;
    while (joined.byteLength - at >= 20) {
      const view = new DataView(joined.buffer, at);
      const type = view.getUint32(4, true);
      const size = view.getUint32(16, true);
      if (size > 1024 * 1024) throw new ProtocolError(`A message of ${size} bytes from the guest agent is larger than what is accepted.`);
      if (joined.byteLength - at < 20 + size) break;
      if (type === 6 && size >= 8) this.#announced(view.getUint32(20, true) !== 0, view.getUint32(24, true));
      at += 20 + size;
    }
    this.#pending = joined.slice(at);
  }
}
