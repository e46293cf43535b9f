/**
 * The messages that draw: reads each, has its pictures decoded and hands all of it to the drawing code. Layouts are those of spice-common's
 * `spice.proto`; offsets in a message count from the beginning of its body.
 */
import { type ImageDecoder, type ImageOptions, imageType, maskBits } from '../decoders/image.ts';
import type { Picture } from '../decoders/picture.ts';
import { drawAlphaBlend } from '../drawing/alpha-blend.ts';
import { copyRegion } from '../drawing/copy.ts';
import { copyBits } from '../drawing/copy-bits.ts';
import { copyRaw } from '../drawing/copy-raw.ts';
import { fillRegion, tileRegion } from '../drawing/fill.ts';
import { maskInverse } from '../drawing/mask.ts';
import { rasterOperation, rop, ropDescriptor } from '../drawing/raster-operations.ts';
import { Region } from '../drawing/region.ts';
import { drawRop3 } from '../drawing/rop3.ts';
import { SpanPainter } from '../drawing/spans.ts';
import { drawStroke, lineFlag, type Path, wholePixel } from '../drawing/stroke.ts';
import { pixelOf, type Rect, type Source, type Surface, surfaceFormat } from '../drawing/surface.ts';
import { drawText, type GlyphRun, stringFlag, textPixel } from '../drawing/text.ts';
import { drawTransparent } from '../drawing/transparent.ts';
import { displayMessage } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';

export type DrawMessagesOptions = {
  images: ImageDecoder;
  surface(id: number): Surface | undefined;
  /** The surface has changed within these bounds. */
  drawn(surface: Surface, bounds: Rect): void;
};

/** SPICE_CLIP_TYPE_* */
const clipRects = 1;
/** SPICE_BRUSH_TYPE_* */
const brushType = { none: 0, solid: 1, pattern: 2 } as const;
/** SPICE_IMAGE_SCALE_MODE_*: the other is NEAREST. */
const scaleInterpolate = 0;
/** SPICE_BITMAP_FMT_*: those that are copied as they are. */
const bitmap = { rgb32: 8, rgba: 9, topDown: 4, paletteFromCache: 2 } as const;
const rectBytes = 16;

type Brush = { type: number; colour: number; image: number; x: number; y: number; tile: Source | null };

function makeBrush(): Brush {
  return { type: brushType.none, colour: 0, image: 0, x: 0, y: 0, tile: null };
}

function makeRect(): Rect {
  return { left: 0, top: 0, right: 0, bottom: 0 };
}

/**
 * One for each display channel, which handles one message at a time: what is read of it is kept here until it is drawn, so that nothing is
 * allocated for the usual ones.
 */
export class DrawMessages {
  readonly #options: DrawMessagesOptions;
  readonly #region = new Region();
  readonly #box = makeRect();
  readonly #area = makeRect();
  readonly #bounds = makeRect();
  readonly #brush = makeBrush();
  readonly #backBrush = makeBrush();
  readonly #imageOptions: { sixteenBit: boolean; transient: boolean } & ImageOptions = { sixteenBit: false, transient: false };
  #clip = new Int32Array(4 * 64);
  #target: Surface = nothing;
  #source: Source = nothing;
  #rop = 0;
  #backRop = 0;
  #interpolate = false;
  #maskImage = 0;
  #maskFlags = 0;
  #maskX = 0;
  #maskY = 0;
  #mask: Picture | null = null;
  /** Numbers of one kind of message: a colour, an alpha, flags, a code. */
  #number = 0;
  #otherNumber = 0;
  #glyphs: GlyphRun = { bits: 1, count: 0, places: new Int32Array(5 * 64), bytes: new Uint8Array(0) };
  #path: Path = { segmentCount: 0, segments: new Int32Array(2 * 64), points: new Int32Array(2 * 256) };
  #dashes = new Uint8Array(0);
  #late: Promise<void>[] = [];

  constructor(options: DrawMessagesOptions) {
    this.#options = options;
  }

  /** Whether it was a message that draws. The promise is settled when it is drawn. Throws {@link SpiceError}, or rejects with it. */
  read(type: number, body: Reader): boolean | Promise<void> {
    if (type !== displayMessage.COPY_BITS && (type < displayMessage.DRAW_FILL || type > displayMessage.DRAW_ALPHA_BLEND)) return false;
    this.#readBase(body);
    if (type === displayMessage.DRAW_COPY && this.#copyPlain(body)) return true;
    this.#readOwn(type, body);
    if (this.#late.length === 0) {
      this.#draw(type);
      return true;
    }
    const late = Promise.all(this.#late);
    this.#late = [];
    return late.then(() => this.#draw(type));
  }

  /** SpiceMsgDisplayBase */
  #readBase(body: Reader): void {
    const id = body.u32();
    const target = this.#options.surface(id);
    if (!target) throw new SpiceError(`surface ${id} does not exist`);
    this.#target = target;
    this.#imageOptions.sixteenBit = target.format === surfaceFormat.rgb555 || target.format === surfaceFormat.rgb565;
    readRect(body, this.#box);
    this.#region.setRect(this.#box, target.width, target.height);
    if (body.u8() !== clipRects) return;
    const count = body.count(body.u32(), rectBytes, 'clip rectangles');
    if (this.#clip.length < count * 4) this.#clip = new Int32Array(count * 4);
    const clip = this.#clip;
    for (let at = 0; at < count * 4; at += 4) {
      clip[at + 1] = body.i32();
      clip[at] = body.i32();
      clip[at + 3] = body.i32();
      clip[at + 2] = body.i32();
    }
    this.#region.intersectRects(clip, count);
  }

  /**
   * Draws the copy that a local guest's screen consists of straight from the message: uncompressed pixels in their size, without a mask. False,
   * and `body` as it was, when it is another.
   */
  #copyPlain(body: Reader): boolean {
    const start = body.offset;
    const plain = this.#tryPlain(body);
    if (!plain) body.seek(start);
    return plain;
  }

  #tryPlain(body: Reader): boolean {
    const image = body.u32();
    const area = readRect(body, this.#area);
    const operation = body.u16();
    body.skip(1 + 9);
    const mask = body.u32();
    const target = this.#target;
    const box = this.#box;
    if (operation !== ropDescriptor.put || mask !== 0 || (target.format !== surfaceFormat.xrgb && target.format !== surfaceFormat.argb))
      return false;
    if (area.right - area.left !== box.right - box.left || area.bottom - area.top !== box.bottom - box.top) return false;
    body.seek(image);
    body.skip(8);
    // Of the flags only HIGH_BITS_SET asks for nothing.
    if (body.u8() !== imageType.bitmap || (body.u8() & ~2) !== 0) return false;
    body.skip(8);
    const format = body.u8();
    const flags = body.u8();
    const width = body.u32();
    const height = body.u32();
    const stride = body.u32();
    if (format !== bitmap.rgb32 && format !== bitmap.rgba) return false;
    if ((flags & bitmap.topDown) === 0 || (flags & bitmap.paletteFromCache) !== 0 || body.u32() !== 0) return false;
    if (area.left < 0 || area.top < 0 || area.right > width || area.bottom > height || stride < width * 4) return false;
    if (this.#region.empty) return true;
    if (stride * (height - 1) + width * 4 > body.remaining) return false;
    const alphaBits = format === bitmap.rgb32 ? 0xff000000 : target.opaqueBits;
    const { boxes, count } = this.#region;
    for (let at = 0; at < count * 4; at += 4) {
      const left = boxes[at] as number;
      const top = boxes[at + 1] as number;
      const from = body.position + (top - box.top + area.top) * stride + (left - box.left + area.left) * 4;
      copyRaw(target, left, top, (boxes[at + 2] as number) - left, (boxes[at + 3] as number) - top, body.bytes, from, stride, alphaBits);
    }
    this.#region.extents(this.#bounds);
    this.#options.drawn(target, this.#bounds);
    return true;
  }

  #readOwn(type: number, body: Reader): void {
    switch (type) {
      case displayMessage.COPY_BITS:
        this.#area.left = body.i32();
        this.#area.top = body.i32();
        return;
      case displayMessage.DRAW_FILL:
        readBrush(body, this.#brush);
        this.#rop = rasterOperation(body.u16(), ropDescriptor.inversBrush, ropDescriptor.inversDest);
        this.#readMask(body);
        this.#load(body, 0, this.#brush);
        return;
      case displayMessage.DRAW_OPAQUE: {
        const image = body.u32();
        readRect(body, this.#area);
        readBrush(body, this.#brush);
        this.#rop = rasterOperation(body.u16(), ropDescriptor.inversBrush, ropDescriptor.inversSrc);
        this.#interpolate = body.u8() === scaleInterpolate;
        this.#readMask(body);
        this.#load(body, image, this.#brush);
        return;
      }
      case displayMessage.DRAW_COPY:
      case displayMessage.DRAW_BLEND: {
        const image = body.u32();
        readRect(body, this.#area);
        this.#rop = rasterOperation(body.u16(), ropDescriptor.inversSrc, ropDescriptor.inversDest);
        this.#interpolate = body.u8() === scaleInterpolate;
        this.#readMask(body);
        this.#load(body, image, null);
        return;
      }
      case displayMessage.DRAW_BLACKNESS:
      case displayMessage.DRAW_WHITENESS:
      case displayMessage.DRAW_INVERS:
        this.#readMask(body);
        this.#load(body, 0, null);
        return;
      case displayMessage.DRAW_ROP3: {
        const image = body.u32();
        readRect(body, this.#area);
        readBrush(body, this.#brush);
        this.#number = body.u8();
        this.#interpolate = body.u8() === scaleInterpolate;
        this.#readMask(body);
        this.#load(body, image, this.#brush);
        return;
      }
      case displayMessage.DRAW_STROKE:
        this.#readStroke(body);
        return;
      case displayMessage.DRAW_TEXT:
        this.#readText(body);
        return;
      case displayMessage.DRAW_TRANSPARENT: {
        const image = body.u32();
        readRect(body, this.#area);
        // The first is the colour as the surface has it, the second in 24 bits.
        body.skip(4);
        this.#number = body.u32();
        this.#noMask();
        this.#load(body, image, null);
        return;
      }
      case displayMessage.DRAW_ALPHA_BLEND: {
        this.#number = body.u8();
        this.#otherNumber = body.u8();
        const image = body.u32();
        readRect(body, this.#area);
        this.#noMask();
        this.#load(body, image, null);
        return;
      }
    }
  }

  /** SpiceQMask */
  #readMask(body: Reader): void {
    this.#maskFlags = body.u8();
    this.#maskX = body.i32();
    this.#maskY = body.i32();
    this.#maskImage = body.u32();
  }

  #noMask(): void {
    this.#maskImage = 0;
  }

  #readStroke(body: Reader): void {
    const pathAt = body.u32();
    const flags = body.u8();
    let dashCount = 0;
    let dashesAt = 0;
    if (flags & lineFlag.styled) {
      dashCount = body.u8();
      dashesAt = body.u32();
    }
    readBrush(body, this.#brush);
    this.#rop = rasterOperation(body.u16(), ropDescriptor.inversBrush, ropDescriptor.inversDest);
    const end = body.offset;
    this.#dashes = new Uint8Array(dashCount);
    body.seek(dashesAt);
    for (let index = 0; index < dashCount; index++) this.#dashes[index] = wholePixel(body.i32());
    // With the gap first, the first length is that of the gap that ends the pattern, and the drawing begins with it.
    this.#number = 0;
    if (flags & lineFlag.startWithGap && dashCount > 0) {
      const [first = 0] = this.#dashes;
      this.#dashes.copyWithin(0, 1);
      this.#dashes[dashCount - 1] = first;
      this.#number = this.#dashes[0] as number;
    }
    body.seek(pathAt);
    readPath(body, this.#path);
    body.seek(end);
    this.#noMask();
    this.#load(body, 0, this.#brush);
  }

  #readText(body: Reader): void {
    const stringAt = body.u32();
    readRect(body, this.#area);
    readBrush(body, this.#brush);
    readBrush(body, this.#backBrush);
    body.skip(2);
    this.#backRop = rasterOperation(body.u16(), ropDescriptor.inversBrush, ropDescriptor.inversDest);
    const end = body.offset;
    body.seek(stringAt);
    readString(body, this.#glyphs);
    body.seek(end);
    this.#noMask();
    this.#load(body, 0, this.#brush);
    if (this.#backBrush.type === brushType.pattern) this.#loadTile(body, this.#backBrush);
  }

  /** Decodes the pictures of a message, in the order in which the server packed them. */
  #load(body: Reader, source: number, brush: Brush | null): void {
    const options = this.#imageOptions;
    const pattern = brush?.type === brushType.pattern;
    options.transient = source !== 0 && !pattern && this.#maskImage === 0;
    this.#source = nothing;
    if (source !== 0) {
      const picture = this.#options.images.decode(body, source, options);
      if (picture instanceof Promise)
        this.#late.push(
          picture.then((late) => {
            this.#source = late;
          }),
        );
      else this.#source = picture;
    }
    options.transient = false;
    if (brush && pattern) this.#loadTile(body, brush);
    this.#mask = null;
    if (this.#maskImage === 0) return;
    const mask = this.#options.images.decode(body, this.#maskImage, options);
    if (mask instanceof Promise)
      this.#late.push(
        mask.then((late) => {
          this.#mask = late;
        }),
      );
    else this.#mask = mask;
  }

  #loadTile(body: Reader, brush: Brush): void {
    brush.tile = null;
    const tile = this.#options.images.decode(body, brush.image, this.#imageOptions);
    if (tile instanceof Promise)
      this.#late.push(
        tile.then((late) => {
          brush.tile = late;
        }),
      );
    else brush.tile = tile;
  }

  #draw(type: number): void {
    const region = this.#region;
    const target = this.#target;
    const mask = this.#mask;
    if (mask) {
      const { left, top } = this.#box;
      const { width, height } = mask;
      const inverse = (this.#maskFlags & maskInverse) !== 0;
      region.intersectMask({ width, height, bits: maskBits(mask) }, left - this.#maskX, top - this.#maskY, inverse);
    }
    if (!region.empty) {
      region.extents(this.#bounds);
      this.#drawOn(type, target, region);
      this.#options.drawn(target, this.#bounds);
    }
    // What was drawn is not held on to.
    this.#source = nothing;
    this.#mask = null;
    this.#brush.tile = null;
    this.#backBrush.tile = null;
    this.#target = nothing;
  }

  #drawOn(type: number, target: Surface, region: Region): void {
    const box = this.#box;
    const area = this.#area;
    const brush = this.#brush;
    switch (type) {
      case displayMessage.COPY_BITS:
        copyBits(target, region, area.left - box.left, area.top - box.top);
        break;
      case displayMessage.DRAW_FILL:
        this.#paint(target, region, brush, this.#rop);
        break;
      case displayMessage.DRAW_OPAQUE:
        copyRegion(target, region, this.#source, area, box, rop.copy, this.#interpolate);
        this.#paint(target, region, brush, this.#rop);
        break;
      case displayMessage.DRAW_COPY:
      case displayMessage.DRAW_BLEND:
        copyRegion(target, region, this.#source, area, box, this.#rop, this.#interpolate);
        break;
      case displayMessage.DRAW_BLACKNESS:
        fillRegion(target, region, pixelOf(target, 0), rop.copy);
        break;
      case displayMessage.DRAW_WHITENESS:
        fillRegion(target, region, pixelOf(target, 0xffffffff), rop.copy);
        break;
      case displayMessage.DRAW_INVERS:
        fillRegion(target, region, 0, rop.invert);
        break;
      case displayMessage.DRAW_ROP3: {
        const pixel = brush.type === brushType.solid ? pixelOf(target, brush.colour) : 0;
        drawRop3(target, region, this.#source, area, box, this.#number, this.#interpolate, pixel, brush.tile, brush.x, brush.y);
        break;
      }
      case displayMessage.DRAW_STROKE: {
        const painter = new SpanPainter(target, region);
        painter.operation = this.#rop;
        // A line without a brush is black.
        painter.pixel = pixelOf(target, brush.type === brushType.solid ? brush.colour : 0);
        painter.tile = brush.tile;
        painter.tileX = brush.x;
        painter.tileY = brush.y;
        drawStroke(painter, this.#path, this.#dashes, this.#number);
        break;
      }
      case displayMessage.DRAW_TEXT: {
        if (area.left < area.right && area.top < area.bottom) {
          const behind = new Region();
          behind.setRect(area, target.width, target.height);
          behind.intersectRects(region.boxes, region.count);
          this.#paint(target, behind, this.#backBrush, this.#backRop);
        }
        if (brush.type !== brushType.none)
          drawText(target, region, this.#glyphs, textPixel(target, brush.colour), brush.tile, brush.x, brush.y);
        break;
      }
      case displayMessage.DRAW_TRANSPARENT:
        drawTransparent(target, region, this.#source, area, box, this.#number);
        break;
      case displayMessage.DRAW_ALPHA_BLEND:
        drawAlphaBlend(target, region, this.#source, area, box, this.#otherNumber, this.#number);
        break;
    }
  }

  #paint(target: Surface, region: Region, brush: Brush, operation: number): void {
    if (brush.type === brushType.solid) fillRegion(target, region, pixelOf(target, brush.colour), operation);
    else if (brush.tile) tileRegion(target, region, brush.tile, brush.x, brush.y, operation);
  }
}

/** Stands where there is none. */
const nothing: Surface = { id: -1, width: 0, height: 0, format: 0, pixels: new Uint32Array(0), opaque: true, opaqueBits: 0 };

function readRect(body: Reader, into: Rect): Rect {
  into.top = body.i32();
  into.left = body.i32();
  into.bottom = body.i32();
  into.right = body.i32();
  return into;
}

/** SpiceBrush */
function readBrush(body: Reader, into: Brush): void {
  into.type = body.u8();
  into.tile = null;
  if (into.type === brushType.solid) into.colour = body.u32();
  else if (into.type === brushType.pattern) {
    into.image = body.u32();
    into.x = body.i32();
    into.y = body.i32();
  } else if (into.type !== brushType.none) throw new SpiceError(`there is no brush type ${into.type}`);
}

/** SpicePath */
function readPath(body: Reader, path: Path): void {
  path.segmentCount = body.count(body.u32(), 5, 'segments of a path');
  if (path.segments.length < path.segmentCount * 2) path.segments = new Int32Array(path.segmentCount * 2);
  let held = 0;
  for (let segment = 0; segment < path.segmentCount; segment++) {
    path.segments[segment * 2] = body.u8();
    const count = body.count(body.u32(), 8, 'points of a path');
    path.segments[segment * 2 + 1] = count;
    if (path.points.length < (held + count) * 2) {
      const larger = new Int32Array((held + count) * 4);
      larger.set(path.points.subarray(0, held * 2));
      path.points = larger;
    }
    for (const end = (held + count) * 2; held * 2 < end; held++) {
      path.points[held * 2] = body.i32();
      path.points[held * 2 + 1] = body.i32();
    }
  }
}

/** SpiceString: glyphs one after the other, each with where it belongs. */
function readString(body: Reader, run: GlyphRun): void {
  const count = body.count(body.u16(), 20, 'glyphs');
  const flags = body.u8();
  run.bits = flags & stringFlag.rasterA1 ? 1 : flags & stringFlag.rasterA4 ? 4 : 8;
  run.count = count;
  run.bytes = body.bytes;
  if (run.places.length < count * 5) run.places = new Int32Array(count * 5);
  for (let at = 0; at < count * 5; at += 5) {
    const x = body.i32();
    const y = body.i32();
    run.places[at] = x + body.i32();
    run.places[at + 1] = y + body.i32();
    const width = body.u16();
    const height = body.u16();
    run.places[at + 2] = width;
    run.places[at + 3] = height;
    run.places[at + 4] = body.position;
    body.skip(Math.ceil((width * run.bits) / 8) * height);
  }
}
