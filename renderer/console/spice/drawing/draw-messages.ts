/** The drawing messages of the display channel: parsed from the wire, with every offset and count checked. */
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import type { CompositeInput } from './composite.ts';
import { isOperator } from './composite-operators.ts';
import type { Transform } from './scale.ts';
import type { Path } from './stroke.ts';
import { lineFlag, wholePixel } from './stroke.ts';
import type { Rect } from './surface.ts';
import { type GlyphRun, stringFlag } from './text.ts';

/** SPICE_MSG_DISPLAY_*: those that draw. */
export const drawMessage = {
  COPY_BITS: 104,
  DRAW_FILL: 302,
  DRAW_OPAQUE: 303,
  DRAW_COPY: 304,
  DRAW_BLEND: 305,
  DRAW_BLACKNESS: 306,
  DRAW_WHITENESS: 307,
  DRAW_INVERS: 308,
  DRAW_ROP3: 309,
  DRAW_STROKE: 310,
  DRAW_TEXT: 311,
  DRAW_TRANSPARENT: 312,
  DRAW_ALPHA_BLEND: 313,
  DRAW_COMPOSITE: 318,
} as const;
export type DrawMessageName = keyof typeof drawMessage;

/** SPICE_IMAGE_TYPE_SURFACE */
const imageTypeSurface = 104;
/** SPICE_COMPOSITE_* beyond operator, filters and repeats. */
const compositeFlag = {
  componentAlpha: 1 << 18,
  hasMask: 1 << 19,
  hasSrcTransform: 1 << 20,
  hasMaskTransform: 1 << 21,
  sourceOpaque: 1 << 22,
};

/** Where in a message an image lies. `offset` is 0 when there is none; `surfaceId` is −1 unless the image is a surface. */
export interface ImageReference {
  offset: number;
  type: number;
  surfaceId: number;
}

export interface Clip {
  /** Null draws wherever the box is. */
  rects: Int32Array | null;
  count: number;
}

export interface Brush {
  kind: 'none' | 'solid' | 'pattern';
  /** As the surface has its pixels in the guest's memory. */
  colour: number;
  image: ImageReference;
  x: number;
  y: number;
}

export interface QMask {
  flags: number;
  x: number;
  y: number;
  image: ImageReference;
}

/** All that one of the messages says. Which parts of it have a meaning `name` tells. It is good until the next message is read. */
export interface DrawMessage {
  name: DrawMessageName;
  surfaceId: number;
  readonly box: Rect;
  readonly clip: Clip;
  readonly source: ImageReference;
  readonly area: Rect;
  readonly brush: Brush;
  /** Of a text: what is laid behind it. */
  readonly backBrush: Brush;
  readonly mask: QMask;
  /** SPICE_ROPD_*; of strokes and texts the one in front. */
  ropDescriptor: number;
  rop3: number;
  interpolate: boolean;
  /** Of COPY_BITS. */
  sourceX: number;
  sourceY: number;
  /** `0xRRGGBB` */
  transparentColour: number;
  alpha: number;
  alphaFlags: number;
  readonly path: Path;
  /** Lengths of dashes and gaps in pixels; none for a whole line. */
  dashes: Uint8Array;
  dashOffset: number;
  readonly glyphs: GlyphRun;
  operator: number;
  readonly sourceInput: CompositeInput;
  readonly maskInput: CompositeInput;
  byComponent: boolean;
  sourceOpaque: boolean;
  /** Every image that the message names, whether or not anything of it is seen: it may have to be remembered. */
  readonly images: readonly ImageReference[];
}

const noDashes = new Uint8Array(0);
const names: ReadonlyMap<number, DrawMessageName> = new Map(
  Object.entries(drawMessage).map(([name, type]) => [type, name as DrawMessageName]),
);

/** The name of a message that draws, else undefined. */
export function drawMessageName(type: number): DrawMessageName | undefined {
  return names.get(type);
}

/** Reads one message after another into the same memory. */
export class DrawMessageReader {
  readonly #message: DrawMessage = emptyMessage();
  #rects = new Int32Array(64);
  readonly #sourceTransform: Transform = emptyTransform();
  readonly #maskTransform: Transform = emptyTransform();

  /** `reader` stands at the beginning of the message's body. Throws `SpiceError` for whatever cannot be. */
  read(name: DrawMessageName, reader: Reader): DrawMessage {
    const message = this.#message;
    message.name = name;
    for (const image of message.images) image.offset = 0;
    message.brush.kind = 'none';
    message.backBrush.kind = 'none';
    message.interpolate = false;
    message.surfaceId = reader.u32();
    readRect(reader, message.box);
    this.#readClip(reader);
    this.#readBody(name, reader);
    return message;
  }

  #readBody(name: DrawMessageName, reader: Reader): void {
    const message = this.#message;
    switch (name) {
      case 'COPY_BITS':
        message.sourceX = reader.i32();
        message.sourceY = reader.i32();
        return;
      case 'DRAW_FILL':
        readBrush(reader, message.brush);
        message.ropDescriptor = reader.u16();
        readMask(reader, message.mask);
        return;
      case 'DRAW_OPAQUE':
        readImage(reader, message.source, true);
        readRect(reader, message.area);
        readBrush(reader, message.brush);
        message.ropDescriptor = reader.u16();
        message.interpolate = readScaleMode(reader);
        readMask(reader, message.mask);
        return;
      case 'DRAW_COPY':
      case 'DRAW_BLEND':
        readImage(reader, message.source, true);
        readRect(reader, message.area);
        message.ropDescriptor = reader.u16();
        message.interpolate = readScaleMode(reader);
        readMask(reader, message.mask);
        return;
      case 'DRAW_BLACKNESS':
      case 'DRAW_WHITENESS':
      case 'DRAW_INVERS':
        readMask(reader, message.mask);
        return;
      case 'DRAW_ROP3':
        readImage(reader, message.source, true);
        readRect(reader, message.area);
        readBrush(reader, message.brush);
        message.rop3 = reader.u8();
        message.interpolate = readScaleMode(reader);
        readMask(reader, message.mask);
        return;
      case 'DRAW_STROKE':
        this.#readStroke(reader);
        return;
      case 'DRAW_TEXT':
        this.#readText(reader);
        return;
      case 'DRAW_TRANSPARENT':
        readImage(reader, message.source, true);
        readRect(reader, message.area);
        reader.skip(4);
        message.transparentColour = reader.u32() & 0xffffff;
        return;
      case 'DRAW_ALPHA_BLEND':
        message.alphaFlags = reader.u8();
        message.alpha = reader.u8();
        readImage(reader, message.source, true);
        readRect(reader, message.area);
        return;
      case 'DRAW_COMPOSITE':
        this.#readComposite(reader);
    }
  }

  #readClip(reader: Reader): void {
    const { clip } = this.#message;
    const type = reader.u8();
    clip.rects = null;
    clip.count = 0;
    if (type === 0) return;
    if (type !== 1) throw new SpiceError(`a clip of type ${type}`);
    const count = reader.count(reader.u32(), 16, 'clip rectangles');
    if (this.#rects.length < count * 4) this.#rects = new Int32Array(count * 4);
    const rects = this.#rects;
    for (let at = 0; at < count * 4; at += 4) {
      rects[at + 1] = reader.i32();
      rects[at] = reader.i32();
      rects[at + 3] = reader.i32();
      rects[at + 2] = reader.i32();
    }
    clip.rects = rects;
    clip.count = count;
  }

  #readStroke(reader: Reader): void {
    const message = this.#message;
    const pathAt = reader.u32();
    const flags = reader.u8();
    let dashCount = 0;
    let dashesAt = 0;
    if (flags & lineFlag.styled) {
      dashCount = reader.u8();
      dashesAt = reader.u32();
    }
    readBrush(reader, message.brush);
    message.ropDescriptor = reader.u16();
    reader.seek(pathAt);
    readPath(reader, message.path);
    message.dashes = noDashes;
    message.dashOffset = 0;
    if (dashCount === 0) return;
    reader.seek(dashesAt);
    reader.count(dashCount, 4, 'dashes');
    const dashes = new Uint8Array(dashCount);
    const startsWithGap = (flags & lineFlag.startWithGap) !== 0;
    // A dash comes first in what is drawn: a gap that the message begins with goes to the end, and is where the line begins.
    for (let at = 0; at < dashCount; at++) dashes[startsWithGap ? (at + dashCount - 1) % dashCount : at] = wholePixel(reader.i32());
    message.dashes = dashes;
    message.dashOffset = startsWithGap ? (dashes[0] as number) : 0;
  }

  #readText(reader: Reader): void {
    const message = this.#message;
    const stringAt = reader.u32();
    readRect(reader, message.area);
    readBrush(reader, message.brush);
    readBrush(reader, message.backBrush);
    message.ropDescriptor = reader.u16();
    reader.skip(2);
    reader.seek(stringAt);
    const count = reader.u16();
    const flags = reader.u8();
    const run = message.glyphs;
    const bits = flags & stringFlag.rasterA1 ? 1 : flags & stringFlag.rasterA4 ? 4 : flags & stringFlag.rasterA8 ? 8 : 0;
    if (bits === 0) throw new SpiceError('a string of glyphs that are not pixels');
    run.bits = bits;
    run.count = reader.count(count, 20, 'glyphs');
    if (run.places.length < count * 5) run.places = new Int32Array(count * 5);
    const first = reader.offset;
    for (let at = 0; at < count * 5; at += 5) {
      const renderX = reader.i32();
      const renderY = reader.i32();
      run.places[at] = renderX + reader.i32();
      run.places[at + 1] = renderY + reader.i32();
      const width = reader.u16();
      const height = reader.u16();
      run.places[at + 2] = width;
      run.places[at + 3] = height;
      run.places[at + 4] = reader.offset - first;
      reader.skip(((width * bits + 7) >> 3) * height);
    }
    const end = reader.offset;
    reader.seek(first);
    run.bytes = reader.bytesOf(end - first);
  }

  #readComposite(reader: Reader): void {
    const message = this.#message;
    const flags = reader.u32();
    message.operator = flags & 0xff;
    if (!isOperator(message.operator)) throw new SpiceError(`a composite operator ${message.operator}`);
    message.byComponent = (flags & compositeFlag.componentAlpha) !== 0;
    message.sourceOpaque = (flags & compositeFlag.sourceOpaque) !== 0;
    const { sourceInput, maskInput } = message;
    sourceInput.interpolate = interpolates((flags >>> 8) & 7);
    maskInput.interpolate = interpolates((flags >>> 11) & 7);
    sourceInput.repeat = (flags >>> 14) & 3;
    maskInput.repeat = (flags >>> 16) & 3;
    readImage(reader, message.source, true);
    if (flags & compositeFlag.hasMask) readImage(reader, message.mask.image, true);
    sourceInput.transform = flags & compositeFlag.hasSrcTransform ? readTransform(reader, this.#sourceTransform) : null;
    maskInput.transform = flags & compositeFlag.hasMaskTransform ? readTransform(reader, this.#maskTransform) : null;
    sourceInput.originX = reader.i16();
    sourceInput.originY = reader.i16();
    maskInput.originX = reader.i16();
    maskInput.originY = reader.i16();
  }
}

function readRect(reader: Reader, into: Rect): void {
  into.top = reader.i32();
  into.left = reader.i32();
  into.bottom = reader.i32();
  into.right = reader.i32();
}

/** Reads an image's offset and looks there what it is; the reader goes on behind the offset. */
function readImage(reader: Reader, into: ImageReference, required: boolean): void {
  into.offset = reader.u32();
  into.surfaceId = -1;
  if (into.offset === 0) {
    if (required) throw new SpiceError('no image');
    return;
  }
  const back = reader.offset;
  reader.seek(into.offset);
  reader.skip(8);
  into.type = reader.u8();
  reader.skip(9);
  if (into.type === imageTypeSurface) into.surfaceId = reader.u32();
  reader.seek(back);
}

function readBrush(reader: Reader, into: Brush): void {
  const type = reader.u8();
  if (type === 0) into.kind = 'none';
  else if (type === 1) {
    into.kind = 'solid';
    into.colour = reader.u32();
  } else if (type === 2) {
    into.kind = 'pattern';
    readImage(reader, into.image, true);
    into.x = reader.i32();
    into.y = reader.i32();
  } else throw new SpiceError(`a brush of type ${type}`);
}

function readMask(reader: Reader, into: QMask): void {
  into.flags = reader.u8();
  into.x = reader.i32();
  into.y = reader.i32();
  readImage(reader, into.image, false);
}

function readScaleMode(reader: Reader): boolean {
  const mode = reader.u8();
  if (mode > 1) throw new SpiceError(`a scale mode ${mode}`);
  return mode === 0;
}

function readPath(reader: Reader, path: Path): void {
  const count = reader.count(reader.u32(), 5, 'segments of a path');
  path.segmentCount = count;
  if (path.segments.length < count * 2) path.segments = new Int32Array(count * 2);
  let length = 0;
  for (let segment = 0; segment < count; segment++) {
    path.segments[segment * 2] = reader.u8();
    const points = reader.count(reader.u32(), 8, 'points of a path');
    path.segments[segment * 2 + 1] = points;
    if (path.points.length < (length + points) * 2) {
      const longer = new Int32Array((length + points) * 4);
      longer.set(path.points.subarray(0, length * 2));
      path.points = longer;
    }
    for (let at = length * 2; at < (length + points) * 2; at++) path.points[at] = reader.i32();
    length += points;
  }
}

/** PIXMAN_FILTER_*: fast and nearest do not, good, best and bilinear do. */
function interpolates(filter: number): boolean {
  if (filter > 4) throw new SpiceError('a convolution without its numbers');
  return filter === 1 || filter === 2 || filter === 4;
}

function readTransform(reader: Reader, into: Transform): Transform {
  into.xx = reader.i32();
  into.xy = reader.i32();
  into.x0 = reader.i32();
  into.yx = reader.i32();
  into.yy = reader.i32();
  into.y0 = reader.i32();
  return into;
}

function emptyTransform(): Transform {
  return { xx: 0, xy: 0, x0: 0, yx: 0, yy: 0, y0: 0 };
}

function emptyMessage(): DrawMessage {
  const image = (): ImageReference => ({ offset: 0, type: 0, surfaceId: -1 });
  const rect = (): Rect => ({ left: 0, top: 0, right: 0, bottom: 0 });
  const brush = (): Brush => ({ kind: 'none', colour: 0, image: image(), x: 0, y: 0 });
  const input = (): CompositeInput => ({ transform: null, interpolate: false, repeat: 0, originX: 0, originY: 0 });
  const message = {
    name: 'DRAW_FILL' as DrawMessageName,
    surfaceId: 0,
    box: rect(),
    clip: { rects: null, count: 0 },
    source: image(),
    area: rect(),
    brush: brush(),
    backBrush: brush(),
    mask: { flags: 0, x: 0, y: 0, image: image() },
    ropDescriptor: 0,
    rop3: 0,
    interpolate: false,
    sourceX: 0,
    sourceY: 0,
    transparentColour: 0,
    alpha: 0,
    alphaFlags: 0,
    path: { segmentCount: 0, segments: new Int32Array(16), points: new Int32Array(64) },
    dashes: noDashes,
    dashOffset: 0,
    glyphs: { bits: 1 as GlyphRun['bits'], count: 0, places: new Int32Array(64), bytes: new Uint8Array(0) },
    operator: 0,
    sourceInput: input(),
    maskInput: input(),
    byComponent: false,
    sourceOpaque: false,
  };
  return { ...message, images: [message.source, message.brush.image, message.backBrush.image, message.mask.image] };
}
