/** What draws in a display channel: has the pictures of a message decoded, and then the message drawn. */
import { bitmapFormat } from '../decoders/bitmap.ts';
import { type ImageDecoder, imageType, maskBits } from '../decoders/image.ts';
import type { Picture } from '../decoders/picture.ts';
import { copyRaw, forgetRaw } from '../drawing/copy-raw.ts';
import { type DrawMessage, DrawMessageReader, drawMessageName, type ImageReference } from '../drawing/draw-messages.ts';
import type { Mask } from '../drawing/mask.ts';
import { ropDescriptor } from '../drawing/raster-operations.ts';
import { type Images, Rasteriser } from '../drawing/rasteriser.ts';
import { Region } from '../drawing/region.ts';
import { type Rect, type Surface, surfaceFormat } from '../drawing/surface.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';

export type DisplayDrawingOptions = {
  images: ImageDecoder;
  surface(id: number): Surface | undefined;
  /** The surface has changed within these bounds. */
  drawn(surface: Surface, bounds: Rect): void;
};

/** SPICE_BITMAP_FLAGS_* */
const bitmapFlag = { paletteFromCache: 2, topDown: 4 } as const;
/** SPICE_IMAGE_FLAGS_HIGH_BITS_SET: all that a picture may say which is drawn straight from its message. */
const highBitsSet = 2;

/** The memory of a longer message is not held on to until the next. */
const keptBytes = 1024 * 1024;

/** One for each display channel, which handles one message at a time: what belongs to it is kept here until it is drawn. */
export class DisplayDrawing implements Images {
  readonly #options: DisplayDrawingOptions;
  readonly #reader = new DrawMessageReader();
  readonly #rasteriser: Rasteriser;
  readonly #region = new Region();
  readonly #bounds: Rect = { left: 0, top: 0, right: 0, bottom: 0 };
  readonly #imageOptions = { sixteenBit: false, transient: false };
  /** The pictures of the message, in the order of its `images`. */
  readonly #pictures: (Picture | null)[] = [null, null, null, null];
  #message: DrawMessage | null = null;

  constructor(options: DisplayDrawingOptions) {
    this.#options = options;
    this.#rasteriser = new Rasteriser(this);
  }

  /** Whether it is a message that draws. The promise is settled when it is drawn. Throws {@link SpiceError}, or rejects with it. */
  draw(type: number, body: Reader): boolean | Promise<void> {
    const name = drawMessageName(type);
    if (name === undefined) return false;
    const message = this.#reader.read(name, body);
    const target = this.surface(message.surfaceId);
    if (!target) throw new SpiceError(`surface ${message.surfaceId} does not exist`);
    if (name === 'DRAW_COPY' && this.#copyPlain(message, target, body)) return true;
    this.#message = message;
    const late = this.#decode(message, target, body);
    if (late) return late.then(() => this.#finish(message, target));
    this.#finish(message, target);
    return true;
  }

  surface(id: number): Surface | undefined {
    return this.#options.surface(id);
  }

  picture(image: ImageReference): Picture {
    const picture = this.#pictures[this.#message?.images.indexOf(image) ?? -1];
    if (!picture) throw new SpiceError('no image');
    return picture;
  }

  mask(image: ImageReference): Mask {
    const picture = this.picture(image);
    return { width: picture.width, height: picture.height, bits: maskBits(picture) };
  }

  /**
   * Draws the copy that a local guest's screen consists of straight from the message: uncompressed pixels in their size, without a mask. False
   * when it is another.
   */
  #copyPlain(message: DrawMessage, target: Surface, body: Reader): boolean {
    const { box, area, source, mask, clip } = message;
    if (source.type !== imageType.bitmap || mask.image.offset !== 0 || message.ropDescriptor !== ropDescriptor.put) return false;
    if (target.format !== surfaceFormat.xrgb && target.format !== surfaceFormat.argb) return false;
    if (area.right - area.left !== box.right - box.left || area.bottom - area.top !== box.bottom - box.top) return false;
    body.seek(source.offset);
    body.skip(9);
    if ((body.u8() & ~highBitsSet) !== 0) return false;
    body.skip(8);
    const format = body.u8();
    const flags = body.u8();
    const width = body.u32();
    const height = body.u32();
    const stride = body.u32();
    if (format !== bitmapFormat.rgb32 && format !== bitmapFormat.rgba) return false;
    if ((flags & bitmapFlag.topDown) === 0 || (flags & bitmapFlag.paletteFromCache) !== 0 || body.u32() !== 0) return false;
    if (area.left < 0 || area.top < 0 || area.right > width || area.bottom > height || stride < width * 4) return false;
    // One that is cut short is refused where all others are.
    if (height === 0 || stride * (height - 1) + width * 4 > body.remaining) return false;
    this.#options.images.counts.add(imageType.bitmap, stride * height);
    const region = this.#region;
    region.setRect(box, target.width, target.height);
    if (clip.rects) region.intersectRects(clip.rects, clip.count);
    if (region.empty) return true;
    const alphaBits = format === bitmapFormat.rgb32 ? 0xff000000 : target.opaqueBits;
    const { boxes } = region;
    for (let at = 0; at < region.count * 4; at += 4) {
      const left = boxes[at] as number;
      const top = boxes[at + 1] as number;
      const from = body.position + (top - box.top + area.top) * stride + (left - box.left + area.left) * 4;
      copyRaw(target, left, top, (boxes[at + 2] as number) - left, (boxes[at + 3] as number) - top, body.bytes, from, stride, alphaBits);
    }
    if (body.bytes.byteLength > keptBytes) forgetRaw();
    region.extents(this.#bounds);
    this.#options.drawn(target, this.#bounds);
    return true;
  }

  /** Decodes the pictures of a message, in the order in which the server packed them. A promise when one has to be waited for. */
  #decode(message: DrawMessage, target: Surface, body: Reader): Promise<unknown> | null {
    const { images } = message;
    const pictures = this.#pictures;
    const options = this.#imageOptions;
    options.sixteenBit = target.format === surfaceFormat.rgb555 || target.format === surfaceFormat.rgb565;
    let wanted = 0;
    for (const { offset, surfaceId } of images) if (offset !== 0 && surfaceId < 0) wanted++;
    if (wanted === 0) return null;
    // With several the first must outlast the second.
    options.transient = wanted === 1;
    let late: Promise<void>[] | null = null;
    for (let index = 0; index < images.length; index++) {
      const { offset, surfaceId } = images[index] as ImageReference;
      if (offset === 0 || surfaceId >= 0) continue;
      let picture: Picture | Promise<Picture>;
      try {
        picture = this.#options.images.decode(body, offset, options);
      } catch (error) {
        if (late === null) throw error;
        // Those that are on their way may fail as well, and have to be listened to.
        late.push(Promise.reject(error));
        break;
      }
      if (picture instanceof Promise) {
        late ??= [];
        late.push(
          picture.then((come) => {
            pictures[index] = come;
          }),
        );
      } else pictures[index] = picture;
    }
    return late ? Promise.all(late) : null;
  }

  #finish(message: DrawMessage, target: Surface): void {
    this.#rasteriser.draw(message);
    // What was drawn is not held on to.
    this.#pictures.fill(null);
    this.#message = null;
    const region = this.#region;
    region.setRect(message.box, target.width, target.height);
    if (message.clip.rects) region.intersectRects(message.clip.rects, message.clip.count);
    if (region.empty) return;
    region.extents(this.#bounds);
    this.#options.drawn(target, this.#bounds);
  }
}
