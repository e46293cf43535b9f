/**
 * Random drawing commands of SPICE as their messages lie on the wire, from a seed, and the surfaces they are drawn upon. The server's own
 * renderer was given the same bytes once (`renderer/console/spice/drawing/golden/README.md`); what it drew is known by its hash.
 */
import { surfaceFormat } from '../../renderer/console/spice/drawing/surface.ts';
import {
  type Box,
  bitmap,
  bitmapFormat,
  bytesPerBitmapPixel,
  bytesPerPixel,
  type Drawing,
  keyIn,
  MessageWriter,
  premultiply,
  Random,
  type RawSurface,
  surfaceImage,
  trimmedPath,
} from './spice-drawing-parts.ts';

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

/** The name, but for its ending, of the file that belongs to a set. */
export const fileOfDrawings = (set: DrawingSet) => set.replaceAll(' ', '-');

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
