/**
 * Random drawing commands of SPICE as their messages lie on the wire, from a seed, and the surfaces they are drawn upon. The server's own
 * renderer was given the same bytes once (`renderer/console/spice/drawing/golden/README.md`); what it drew is known by its hash.
 */

import { type DrawMessageName, drawMessage } from '../../renderer/console/spice/drawing/draw-messages.ts';
import type { Mask } from '../../renderer/console/spice/drawing/mask.ts';
import { createSurface, type Source, type Surface, surfaceFormat } from '../../renderer/console/spice/drawing/surface.ts';

export type RawSurface = { id: number; format: number; width: number; height: number; bytes: Uint8Array };
export type Drawing = { surfaces: RawSurface[]; messages: { name: DrawMessageName; bytes: Uint8Array }[] };

/** Numbers that look random and are the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) | 0) ^ 0x5bd1e995;
  }

  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From `least` to `most`, both possible. */
  int(least: number, most: number): number {
    return least + (this.u32() % (most - least + 1));
  }

  chance(percent: number): boolean {
    return this.int(0, 99) < percent;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)] as T;
  }
}

/** The names of the sets of drawings, with how many are compared. */
export const drawingSets = {
  fills: 400,
  copies: 500,
  'copied bits': 300,
  masks: 400,
  opaques: 300,
  scaled: 500,
  transparent: 300,
  blended: 500,
  'three operands': 400,
  lines: 400,
  dashes: 500,
  curves: 200,
  texts: 400,
  composed: 1200,
  'composed with transforms': 800,
} as const;
export type DrawingSet = keyof typeof drawingSets;

type Box = { left: number; top: number; right: number; bottom: number };

/** Writes one message; images and other parts that are pointed to go behind its body. */
class MessageWriter {
  #bytes: number[] = [];
  #later: { at: number; bytes: number[] }[] = [];

  u8(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value).u8(value >> 8);
  }

  u32(value: number): this {
    return this.u16(value).u16(value >> 16);
  }

  rect({ left, top, right, bottom }: Box): this {
    return this.u32(top).u32(left).u32(bottom).u32(right);
  }

  bytesAt(bytes: number[] | null): this {
    if (bytes) this.#later.push({ at: this.#bytes.length, bytes });
    return this.u32(0);
  }

  get written(): number[] {
    return this.#bytes;
  }

  finish(): Uint8Array {
    for (const { at, bytes } of this.#later) {
      const offset = this.#bytes.length;
      for (let index = 0; index < 4; index++) this.#bytes[at + index] = (offset >> (index * 8)) & 0xff;
      for (const byte of bytes) this.#bytes.push(byte);
    }
    return Uint8Array.from(this.#bytes);
  }
}

const bitmapFormat = { bit1be: 2, bit16: 6, bit24: 7, bit32: 8, rgba: 9, bit8a: 10 } as const;

/** Makes one drawing of a set. */
export function makeDrawing(set: DrawingSet, seed: number): Drawing {
  const random = new Random(seed * 64 + Object.keys(drawingSets).indexOf(set));
  return new DrawingMaker(random, set).make();
}

class DrawingMaker {
  readonly #random: Random;
  readonly #set: DrawingSet;
  readonly #surfaces: RawSurface[] = [];
  #target: RawSurface = { id: 0, format: 0, width: 0, height: 0, bytes: new Uint8Array(0) };

  constructor(random: Random, set: DrawingSet) {
    this.#random = random;
    this.#set = set;
  }

  make(): Drawing {
    const random = this.#random;
    this.#target = this.#surface(0, this.#targetFormat());
    const messages: Drawing['messages'] = [];
    const many = this.#set.startsWith('composed') || this.#set === 'blended' ? 1 : random.int(1, 3);
    for (let count = 0; count < many; count++) messages.push(this.#message());
    return { surfaces: this.#surfaces, messages };
  }

  #targetFormat(): number {
    const random = this.#random;
    const { xrgb, argb, rgb555, rgb565, a8 } = surfaceFormat;
    switch (this.#set) {
      case 'fills':
      case 'copies':
      case 'copied bits':
        return random.of([xrgb, xrgb, argb, rgb555, rgb565, a8]);
      case 'composed':
        return random.of([xrgb, xrgb, argb, argb, rgb565, a8]);
      case 'composed with transforms':
        return random.of([xrgb, argb, argb]);
      case 'three operands':
      case 'scaled':
      case 'texts':
      case 'transparent':
      case 'blended':
        return random.of([xrgb, xrgb, argb, rgb555, rgb565]);
      default:
        return random.of([xrgb, xrgb, argb]);
    }
  }

  #surface(id: number, format: number): RawSurface {
    const random = this.#random;
    const width = random.int(1, random.chance(10) ? 200 : 70);
    const height = random.int(1, 60);
    const bytes = new Uint8Array(width * height * bytesPerPixel(format));
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.u32() >>> 24;
    if (format === surfaceFormat.argb) premultiply(bytes);
    if (format === surfaceFormat.rgb555) for (let at = 1; at < bytes.length; at += 2) bytes[at] = (bytes[at] as number) & 0x7f;
    const surface = { id, format, width, height, bytes };
    this.#surfaces.push(surface);
    return surface;
  }

  #message(): Drawing['messages'][number] {
    switch (this.#set) {
      case 'fills':
        return this.#fill(null);
      case 'copies':
        return this.#copy(false, null);
      case 'copied bits':
        return this.#copyBits();
      case 'masks':
        return this.#masked();
      case 'opaques':
        return this.#opaque();
      case 'scaled':
        return this.#copy(true, null);
      case 'transparent':
        return this.#transparent();
      case 'blended':
        return this.#blend();
      case 'three operands':
        return this.#rop3();
      case 'lines':
      case 'dashes':
      case 'curves':
        return this.#stroke();
      case 'texts':
        return this.#text();
      case 'composed':
        return this.#composite(false);
      case 'composed with transforms':
        return this.#composite(true);
    }
  }

  /** Some of it outside of the surface now and then. */
  #box(): Box {
    const random = this.#random;
    const { width, height } = this.#target;
    const left = random.int(-10, width + 3);
    const top = random.int(-10, height + 3);
    return { left, top, right: left + random.int(1, width + 10), bottom: top + random.int(1, height + 10) };
  }

  #innerBox(): Box {
    const random = this.#random;
    const { width, height } = this.#target;
    const left = random.int(0, width - 1);
    const top = random.int(0, height - 1);
    return { left, top, right: random.int(left + 1, width), bottom: random.int(top + 1, height) };
  }

  #begin(box: Box, clipped = this.#random.chance(50)): MessageWriter {
    const random = this.#random;
    const writer = new MessageWriter().u32(0).rect(box);
    if (!clipped) return writer.u8(0);
    const count = random.chance(5) ? random.int(65, 90) : random.int(0, 6);
    writer.u8(1).u32(count);
    // A piece of a line that a gap in the clip cuts in two makes the server forget the next one: it writes over what it reads.
    const column = this.#set === 'lines' || this.#set === 'dashes' || this.#set === 'curves' ? random.int(-5, this.#target.width) : null;
    for (let rect = 0; rect < count; rect++) {
      const left = column ?? random.int(-5, this.#target.width);
      const top = random.int(-5, this.#target.height);
      writer.rect({ left, top, right: left + (column === null ? random.int(0, 30) : 60), bottom: top + random.int(0, 30) });
    }
    return writer;
  }

  /** A picture of at least that size, of a kind that can be drawn upon the surface. */
  #picture(width: number, height: number, kinds = this.#kinds()): number[] {
    const format = this.#random.of(kinds);
    const random = this.#random;
    const stride = Math.ceil((width * bytesPerBitmapPixel(format)) / 4) * 4;
    const data = new Uint8Array(stride * height);
    const flat = random.chance(15);
    const pixel = random.u32();
    for (let at = 0; at < data.length; at++) data[at] = flat && random.chance(80) ? pixel >>> ((at & 3) * 8) : random.u32() >>> 24;
    if (format === bitmapFormat.rgba) premultiply(data);
    if (format === bitmapFormat.bit32) for (let at = 3; at < data.length; at += 4) data[at] = 0xff;
    if (format === bitmapFormat.bit16) for (let at = 1; at < data.length; at += 2) data[at] = (data[at] as number) & 0x7f;
    return bitmap(format, width, height, stride, data, random.chance(60));
  }

  #kinds(): number[] {
    switch (this.#target.format) {
      case surfaceFormat.a8:
        return [bitmapFormat.bit8a];
      case surfaceFormat.argb:
        return [bitmapFormat.bit32, bitmapFormat.rgba];
      default:
        return [bitmapFormat.bit32, bitmapFormat.bit32, bitmapFormat.rgba, bitmapFormat.bit24, bitmapFormat.bit16];
    }
  }

  /** Another surface to draw from, of the target's depth. */
  #sourceSurface(formats: readonly number[]): RawSurface {
    const surface = this.#surface(this.#surfaces.length, this.#random.of(formats));
    return surface;
  }

  #sameDepth(): number[] {
    const { format } = this.#target;
    return format === surfaceFormat.xrgb || format === surfaceFormat.argb ? [surfaceFormat.xrgb, surfaceFormat.argb] : [format];
  }

  /** An image and the size it has. */
  #source(width: number, height: number): { image: number[]; width: number; height: number } {
    const random = this.#random;
    if (random.chance(25) && this.#surfaces.length < 6) {
      const surface = this.#sourceSurface(this.#sameDepth());
      return { image: surfaceImage(surface), width: surface.width, height: surface.height };
    }
    const w = Math.max(1, width + random.int(-3, 12));
    const h = Math.max(1, height + random.int(-3, 12));
    return { image: this.#picture(w, h), width: w, height: h };
  }

  #brush(writer: MessageWriter, surfaces = true): void {
    const random = this.#random;
    if (random.chance(8)) writer.u8(0);
    else if (random.chance(50)) writer.u8(1).u32(random.u32());
    else {
      const image =
        surfaces && random.chance(20) && this.#surfaces.length < 6
          ? surfaceImage(this.#sourceSurface(this.#sameDepth()))
          : this.#picture(random.int(1, 20), random.int(1, 20));
      writer.u8(2).bytesAt(image).u32(random.int(-40, 40)).u32(random.int(-40, 40));
    }
  }

  #rop(inputs: number): number {
    const random = this.#random;
    const operation = random.of([8, 8, 8, 16, 32, 64, 128, 256, 512]);
    return operation | (random.chance(50) ? random.u32() & inputs : 0) | (random.chance(20) ? 1024 : 0);
  }

  #mask(writer: MessageWriter, box: Box | null): void {
    const random = this.#random;
    if (!box) {
      writer.u8(0).u32(0).u32(0).u32(0);
      return;
    }
    const x = random.int(-4, 6);
    const y = random.int(-4, 6);
    const width = box.right - box.left + random.int(8, 20);
    const height = box.bottom - box.top + random.int(-3, 20);
    const stride = (width + 7) >> 3;
    const data = new Uint8Array(stride * Math.max(1, height));
    const sparse = random.chance(50);
    for (let at = 0; at < data.length; at++) data[at] = sparse && random.chance(70) ? random.of([0, 0xff]) : random.u32() >>> 24;
    writer
      .u8(random.int(0, 1))
      .u32(x)
      .u32(y)
      .bytesAt(bitmap(bitmapFormat.bit1be, width, Math.max(1, height), stride, data, random.chance(50)));
  }

  #fill(box: Box | null): Drawing['messages'][number] {
    const at = box ?? this.#box();
    const writer = this.#begin(at);
    this.#brush(writer);
    writer.u16(this.#rop(2 | 4));
    this.#mask(writer, box);
    return { name: 'DRAW_FILL', bytes: writer.finish() };
  }

  #area(width: number, height: number, sourceWidth: number, sourceHeight: number): Box {
    const left = this.#random.int(-3, Math.max(0, sourceWidth - width) + 3);
    const top = this.#random.int(-3, Math.max(0, sourceHeight - height) + 3);
    return { left, top, right: left + width, bottom: top + height };
  }

  #copy(scaled: boolean, masked: Box | null): Drawing['messages'][number] {
    const random = this.#random;
    const box = masked ?? this.#box();
    const width = box.right - box.left;
    const height = box.bottom - box.top;
    const from = scaled ? this.#source(random.int(1, 80), random.int(1, 80)) : this.#source(width, height);
    const area = scaled
      ? this.#area(random.int(1, from.width + 2), random.int(1, from.height + 2), from.width, from.height)
      : this.#area(width, height, from.width, from.height);
    const writer = this.#begin(box);
    // What an off-screen picture without alpha has in its fourth byte is nobody's business, so it is not raised to a power either.
    const plain = scaled && this.#target.format === surfaceFormat.argb;
    writer
      .bytesAt(from.image)
      .rect(area)
      .u16(plain ? 8 : this.#rop(1 | 4))
      .u8(random.int(0, 1));
    this.#mask(writer, masked);
    return { name: random.chance(30) ? 'DRAW_BLEND' : 'DRAW_COPY', bytes: writer.finish() };
  }

  #copyBits(): Drawing['messages'][number] {
    const random = this.#random;
    const box = this.#box();
    const near = random.chance(60);
    const x = near ? box.left + random.int(-8, 8) : random.int(-20, this.#target.width);
    const y = near ? box.top + random.int(-8, 8) : random.int(-20, this.#target.height);
    return { name: 'COPY_BITS', bytes: this.#begin(box, random.chance(40)).u32(x).u32(y).finish() };
  }

  #masked(): Drawing['messages'][number] {
    const box = this.#innerBox();
    const name = this.#random.of(['fill', 'copy', 'DRAW_BLACKNESS', 'DRAW_WHITENESS', 'DRAW_INVERS'] as const);
    if (name === 'fill') return this.#fill(box);
    if (name === 'copy') return this.#copy(false, box);
    const writer = this.#begin(box);
    this.#mask(writer, this.#random.chance(80) ? box : null);
    return { name, bytes: writer.finish() };
  }

  #opaque(): Drawing['messages'][number] {
    const random = this.#random;
    const box = this.#box();
    const width = box.right - box.left;
    const height = box.bottom - box.top;
    const from = this.#source(width, height);
    const writer = this.#begin(box);
    writer.bytesAt(from.image).rect(this.#area(width, height, from.width, from.height));
    this.#brush(writer);
    writer.u16(this.#rop(1 | 2)).u8(random.int(0, 1));
    this.#mask(writer, null);
    return { name: 'DRAW_OPAQUE', bytes: writer.finish() };
  }

  #transparent(): Drawing['messages'][number] {
    const random = this.#random;
    const box = this.#box();
    const scaled = random.chance(40);
    const width = scaled ? random.int(1, 60) : box.right - box.left;
    const height = scaled ? random.int(1, 60) : box.bottom - box.top;
    const from = this.#source(width, height);
    const colour = random.chance(30) ? 0 : random.u32();
    const writer = this.#begin(box);
    writer
      .bytesAt(from.image)
      .rect(this.#area(width, height, from.width, from.height))
      .u32(colour)
      .u32(keyIn(from.image, colour, random));
    return { name: 'DRAW_TRANSPARENT', bytes: writer.finish() };
  }

  #blend(): Drawing['messages'][number] {
    const random = this.#random;
    const box = this.#box();
    const scaled = random.chance(30);
    const width = scaled ? random.int(1, 60) : box.right - box.left;
    const height = scaled ? random.int(1, 60) : box.bottom - box.top;
    let image: number[];
    let [sourceWidth, sourceHeight] = [width + random.int(0, 9), height + random.int(0, 9)];
    if (random.chance(30)) {
      const surface = this.#sourceSurface([surfaceFormat.argb, surfaceFormat.xrgb, surfaceFormat.rgb565]);
      [sourceWidth, sourceHeight] = [surface.width, surface.height];
      image = surfaceImage(surface);
    } else image = this.#picture(sourceWidth, sourceHeight, [bitmapFormat.rgba, bitmapFormat.rgba, bitmapFormat.bit32]);
    const writer = this.#begin(box);
    writer
      .u8(random.int(0, 3))
      .u8(random.chance(50) ? 255 : random.int(0, 255))
      .bytesAt(image)
      .rect(this.#area(width, height, sourceWidth, sourceHeight));
    return { name: 'DRAW_ALPHA_BLEND', bytes: writer.finish() };
  }

  #rop3(): Drawing['messages'][number] {
    const random = this.#random;
    const box = this.#innerBox();
    const scaled = random.chance(30);
    const width = scaled ? random.int(1, 40) : box.right - box.left;
    const height = scaled ? random.int(1, 40) : box.bottom - box.top;
    const [extraX, extraY] = [random.int(0, 5), random.int(0, 5)];
    const writer = this.#begin(box);
    const area = { left: extraX, top: extraY, right: extraX + width, bottom: extraY + height };
    const kinds = this.#target.format === surfaceFormat.argb ? [bitmapFormat.rgba] : this.#kinds();
    writer.bytesAt(this.#picture(width + extraX, height + extraY, kinds)).rect(area);
    if (random.chance(50)) writer.u8(1).u32(random.u32());
    else
      writer
        .u8(2)
        .bytesAt(this.#picture(random.int(1, 12), random.int(1, 12), kinds))
        .u32(box.left - random.int(0, 9))
        .u32(box.top - random.int(0, 9));
    writer.u8(threeOperandCodes[random.int(0, threeOperandCodes.length - 1)] as number).u8(random.int(0, 1));
    this.#mask(writer, random.chance(20) ? box : null);
    return { name: 'DRAW_ROP3', bytes: writer.finish() };
  }

  #stroke(): Drawing['messages'][number] {
    const random = this.#random;
    const { width, height } = this.#target;
    const dashed = this.#set === 'dashes' || (this.#set === 'curves' && random.chance(30));
    const path = new MessageWriter();
    const segments = random.int(1, 3);
    path.u32(segments);
    const far = random.chance(20);
    const coordinate = (size: number) =>
      far ? random.int(-20_000, 20_000) : random.int(-30, size + 30) * 16 + random.of([0, 0, 0, 5, 8, 9, 15]);
    for (let segment = 0; segment < segments; segment++) {
      const curve = this.#set === 'curves';
      const begin = segment === 0 || random.chance(50);
      const points = (begin ? 1 : 0) + (curve ? 3 * random.int(1, 2) : random.int(begin ? 1 : 0, 5));
      const ends = random.chance(40);
      path.u8((begin ? 1 : 0) | (ends ? 2 : 0) | (random.chance(30) ? 8 : 0) | (curve ? 16 : 0)).u32(points);
      const [x, y] = [coordinate(width), coordinate(height)];
      for (let point = 0; point < points; point++) {
        const axis = random.int(0, 5);
        path.u32(axis === 0 ? x : coordinate(width)).u32(axis === 1 ? y : coordinate(height));
      }
      // A curve needs a point to go on from, for which the server does not look: after an end there is none.
      if (curve && ends) break;
    }
    const writer = this.#begin(this.#box());
    writer.bytesAt(trimmedPath(path.written));
    if (dashed) {
      const count = random.int(1, 6);
      const style = new MessageWriter();
      for (let dash = 0; dash < count; dash++) style.u32(random.int(dash === 0 ? 1 : 0, 9) * 16);
      writer
        .u8(8 | (random.chance(30) ? 4 : 0))
        .u8(count)
        .bytesAt(style.written);
    } else writer.u8(0);
    this.#brush(writer, false);
    writer.u16(this.#rop(2 | 4)).u16(8);
    return { name: 'DRAW_STROKE', bytes: writer.finish() };
  }

  #text(): Drawing['messages'][number] {
    const random = this.#random;
    const box = this.#box();
    const bits = random.of([1, 4]);
    const count = random.int(1, 8);
    const string = new MessageWriter();
    string.u16(count).u8(bits === 1 ? 1 : 2);
    let x = box.left + random.int(-5, 20);
    const y = box.top + random.int(-5, 30);
    for (let glyph = 0; glyph < count; glyph++) {
      const width = random.int(0, 14);
      const height = random.int(0, 16);
      string.u32(x).u32(y).u32(random.int(-3, 3)).u32(random.int(-12, 0)).u16(width).u16(height);
      for (let byte = 0; byte < ((width * bits + 7) >> 3) * height; byte++) string.u8(random.u32() >>> 24);
      x += random.int(0, 12);
    }
    const writer = this.#begin(box);
    writer.bytesAt(string.written);
    writer.rect(random.chance(50) ? this.#box() : { left: 0, top: 0, right: 0, bottom: 0 });
    const front = random.chance(70) ? null : this.#picture(random.int(1, 9), random.int(1, 9));
    if (front) writer.u8(2).bytesAt(front).u32(random.int(-9, 9)).u32(random.int(-9, 9));
    else writer.u8(1).u32(random.u32());
    this.#brush(writer, false);
    writer.u16(8).u16(8);
    return { name: 'DRAW_TEXT', bytes: writer.finish() };
  }

  #composite(transformed: boolean): Drawing['messages'][number] {
    const random = this.#random;
    const box = this.#innerBox();
    const { argb, xrgb, a8, rgb565 } = surfaceFormat;
    const divided = !transformed && random.chance(30);
    const operator = divided ? random.of(dividingOperators) : random.of(plainOperators);
    const fromSurface = random.chance(60);
    const from = fromSurface ? this.#sourceSurface([argb, argb, xrgb, a8, ...(transformed ? [] : [rgb565])]) : null;
    const source = from ? surfaceImage(from) : this.#picture(random.int(1, 60), random.int(1, 60), [bitmapFormat.rgba, bitmapFormat.bit32]);
    const masked = random.chance(50);
    const byComponent = masked && random.chance(30);
    const filter = () => (transformed ? random.of([0, 1, 2, 3, 4]) : random.of([0, 3]));
    const transformSource = transformed && random.chance(85);
    const transformMask = transformed && masked && random.chance(40);
    const flags =
      operator |
      (filter() << 8) |
      (filter() << 11) |
      (random.int(0, 3) << 14) |
      (random.int(0, 3) << 16) |
      (byComponent ? 1 << 18 : 0) |
      (masked ? 1 << 19 : 0) |
      (transformSource ? 1 << 20 : 0) |
      (transformMask ? 1 << 21 : 0) |
      (from?.format === argb && random.chance(30) ? 1 << 22 : 0);
    const writer = this.#begin(box);
    writer.u32(flags).bytesAt(source);
    if (masked) writer.bytesAt(surfaceImage(this.#sourceSurface(byComponent ? [argb, xrgb] : [a8, a8, argb])));
    if (transformSource) this.#transform(writer);
    if (transformMask) this.#transform(writer);
    for (let origin = 0; origin < 4; origin++) writer.u16(random.int(-20, 30));
    return { name: 'DRAW_COMPOSITE', bytes: writer.finish() };
  }

  #transform(writer: MessageWriter): void {
    const random = this.#random;
    const kind = random.int(0, 4);
    const fixed = () => random.int(-2 * 65536, 2 * 65536);
    const offset = () => (random.chance(50) ? random.int(-30, 30) * 65536 : random.int(-30 * 65536, 30 * 65536));
    const scale = () => random.of([65536, 32768, 131072, 43690, 98304, random.int(2000, 200_000)]);
    let matrix: number[];
    if (kind === 0) matrix = [65536, 0, offset(), 0, 65536, offset()];
    else if (kind === 1) matrix = [scale(), 0, offset(), 0, scale(), offset()];
    else if (kind === 2)
      matrix = random.of([
        [0, -65536, offset(), 65536, 0, offset()],
        [-65536, 0, offset(), 0, -65536, offset()],
        [0, 65536, offset(), -65536, 0, offset()],
      ]);
    else matrix = [fixed(), fixed(), offset(), fixed(), fixed(), offset()];
    for (const each of matrix) writer.u32(each);
  }
}

/** Those that the server knows: it has no functions for operations of fewer than three operands, which go by other messages. */
const twoOperandCodes = new Set([
  0x00, 0x03, 0x05, 0x0a, 0x0c, 0x0f, 0x11, 0x22, 0x30, 0x33, 0x3c, 0x3f, 0x44, 0x50, 0x55, 0x5a, 0x5f, 0x66, 0x77, 0x88, 0x99, 0xa0, 0xa5,
  0xaa, 0xaf, 0xbb, 0xc0, 0xc3, 0xcc, 0xcf, 0xdd, 0xee, 0xf0, 0xf3, 0xf5, 0xfa, 0xfc, 0xff,
]);
const threeOperandCodes = Array.from({ length: 256 }, (_, code) => code).filter((code) => !twoOperandCodes.has(code));
const plainOperators = [0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x30, 0x31, 0x32, 0x33, 0x34, 0x37, 0x39, 0x3a];
const dividingOperators = [
  13,
  ...Array.from({ length: 12 }, (_, code) => 0x10 + code),
  ...Array.from({ length: 12 }, (_, code) => 0x20 + code),
  0x35,
  0x36,
  0x38,
  0x3b,
  0x3c,
  0x3d,
  0x3e,
];

/** Leaves out what was announced and not written. */
function trimmedPath(bytes: number[]): number[] {
  let at = 4;
  let segments = 0;
  while (at < bytes.length) {
    const points = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
    at += 5 + points * 8;
    segments++;
  }
  return [segments, 0, 0, 0, ...bytes.slice(4)];
}

/** A colour that the picture has, so that some of it is left out. */
function keyIn(image: readonly number[], otherwise: number, random: Random): number {
  if (image[8] !== 0 || random.chance(30)) return otherwise;
  const at = image.length - 8 - 4 * random.int(0, 3);
  return ((image[at] as number) | ((image[at + 1] as number) << 8) | ((image[at + 2] as number) << 16)) >>> 0;
}

function bytesPerPixel(format: number): number {
  if (format === surfaceFormat.a8) return 1;
  return format === surfaceFormat.rgb555 || format === surfaceFormat.rgb565 ? 2 : 4;
}

function bytesPerBitmapPixel(format: number): number {
  if (format === bitmapFormat.bit8a) return 1;
  if (format === bitmapFormat.bit16) return 2;
  return format === bitmapFormat.bit24 ? 3 : 4;
}

/** Colours are at most their alpha, in most pixels. */
function premultiply(bytes: Uint8Array): void {
  for (let at = 0; at + 3 < bytes.length; at += 4) {
    const kind = at % 7;
    const alpha = kind === 0 ? 0xff : kind === 1 ? 0 : (bytes[at + 3] as number);
    bytes[at + 3] = alpha;
    for (let part = 0; part < 3; part++) bytes[at + part] = Math.floor(((bytes[at + part] as number) * alpha) / 255);
  }
}

function imageHeader(type: number, width: number, height: number): MessageWriter {
  return new MessageWriter().u32(1).u32(0).u8(type).u8(0).u32(width).u32(height);
}

function surfaceImage({ id, width, height }: RawSurface): number[] {
  return imageHeader(104, width, height).u32(id).written;
}

function bitmap(format: number, width: number, height: number, stride: number, data: Uint8Array, topDown: boolean): number[] {
  const writer = imageHeader(0, width, height)
    .u8(format)
    .u8(topDown ? 4 : 0)
    .u32(width)
    .u32(height)
    .u32(stride)
    .u32(0);
  return [...writer.written, ...data];
}

/** A bitmap that a message has at that offset. The formats are those of this file, not all that there are. */
export function readBitmap(message: Uint8Array, offset: number): Source {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const format = message[offset + 18] as number;
  const topDown = ((message[offset + 19] as number) & 4) !== 0;
  const width = view.getUint32(offset + 20, true);
  const height = view.getUint32(offset + 24, true);
  const stride = view.getUint32(offset + 28, true);
  const pixels = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = offset + 36 + (topDown ? y : height - 1 - y) * stride;
    for (let x = 0; x < width; x++) pixels[y * width + x] = readPixel(view, row, x, format);
  }
  return { width, height, pixels, opaque: format !== bitmapFormat.rgba && format !== bitmapFormat.bit8a };
}

function readPixel(view: DataView, row: number, x: number, format: number): number {
  if (format === bitmapFormat.bit8a) return view.getUint8(row + x) * 0x1000000;
  if (format === bitmapFormat.bit16) return expanded(view.getUint16(row + x * 2, true), 5);
  const size = format === bitmapFormat.bit24 ? 3 : 4;
  const at = row + x * size;
  const alpha = format === bitmapFormat.rgba ? view.getUint8(at + 3) : 0xff;
  return alpha * 0x1000000 + (view.getUint8(at) << 16) + (view.getUint8(at + 1) << 8) + view.getUint8(at + 2);
}

export function readMaskBitmap(message: Uint8Array, offset: number): Mask {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const topDown = ((message[offset + 19] as number) & 4) !== 0;
  const width = view.getUint32(offset + 20, true);
  const height = view.getUint32(offset + 24, true);
  const stride = view.getUint32(offset + 28, true);
  const bits = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const row = offset + 36 + (topDown ? y : height - 1 - y) * stride;
      bits[y * width + x] = (view.getUint8(row + (x >> 3)) >> (7 - (x & 7))) & 1;
    }
  return { width, height, bits };
}

function expanded(value: number, greenBits: 5 | 6): number {
  const widen = (part: number, bits: number) => (part << (8 - bits)) | (part >> (2 * bits - 8));
  const red = widen((value >> (5 + greenBits)) & 31, 5);
  const green = widen((value >> 5) & ((1 << greenBits) - 1), greenBits);
  return 0xff000000 + (widen(value & 31, 5) << 16) + (green << 8) + red;
}

/** The surface as the client has it. */
export function surfaceFrom({ id, format, width, height, bytes }: RawSurface, offScreen: boolean): Surface {
  const surface = createSurface(id, width, height, format, offScreen);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < width * height; at++) {
    if (format === surfaceFormat.a8) surface.pixels[at] = view.getUint8(at) * 0x1000000;
    else if (format === surfaceFormat.rgb555) surface.pixels[at] = expanded(view.getUint16(at * 2, true), 5);
    else if (format === surfaceFormat.rgb565) surface.pixels[at] = expanded(view.getUint16(at * 2, true), 6);
    else {
      const value = view.getUint32(at * 4, true);
      surface.pixels[at] = ((value & 0xff00ff00) | ((value & 0xff) << 16) | ((value >>> 16) & 0xff) | surface.opaqueBits) >>> 0;
    }
  }
  return surface;
}

/** What is compared: of a surface without alpha, the colours alone. */
export function hashOf(surfaces: readonly Surface[]): number {
  let hash = 0x811c9dc5;
  for (const { format, pixels } of surfaces)
    for (const pixel of pixels) {
      hash = Math.imul(hash ^ (format === surfaceFormat.xrgb ? pixel | 0xff000000 : pixel), 0x01000193);
      hash ^= hash >>> 15;
    }
  return hash >>> 0;
}

/** The records that the program around the server's renderer reads: see the README of the golden files. */
export function recordsOf(drawing: Drawing): Uint8Array[] {
  const records: Uint8Array[] = [];
  const push = (kind: number, head: number[], bytes: Uint8Array) => {
    const size = head.length * 4 + bytes.length;
    const record = new Uint8Array(8 + Math.ceil(size / 4) * 4);
    const view = new DataView(record.buffer);
    [kind, size, ...head].forEach((value, index) => {
      view.setUint32(index * 4, value, true);
    });
    record.set(bytes, 8 + head.length * 4);
    records.push(record);
  };
  for (const { id, format, width, height, bytes } of drawing.surfaces) push(0, [id, format, width, height], bytes);
  for (const { name, bytes } of drawing.messages) push(1, [drawMessage[name]], bytes);
  push(2, [], new Uint8Array(0));
  return records;
}
