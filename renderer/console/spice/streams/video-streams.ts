/** Video inside the screen, one picture after the other in a place of its own. Motion JPEG, which needs no announcement. */
import { decodeJpeg, type PlatformJpeg } from '../decoders/jpeg.ts';
import { checkPictureSize, type Picture } from '../decoders/picture.ts';
import { copyRegion } from '../drawing/copy.ts';
import { rop } from '../drawing/raster-operations.ts';
import { Region } from '../drawing/region.ts';
import type { Rect, Surface } from '../drawing/surface.ts';
import { displayMessage } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';

export type VideoStreamsOptions = {
  jpeg: PlatformJpeg;
  surface(id: number): Surface | undefined;
  drawn(surface: Surface, bounds: Rect): void;
};

type Stream = { surfaceId: number; width: number; height: number; topDown: boolean; place: Rect; clip: Int32Array | null };

/** SPICE_VIDEO_CODEC_TYPE_MJPEG */
const codecMjpeg = 1;
/** SPICE_STREAM_FLAGS_TOP_DOWN */
const flagTopDown = 1;
const clipRects = 1;
/** SPICE_MAX_NUM_STREAMS */
const maxStreams = 64;

export class VideoStreams {
  readonly #options: VideoStreamsOptions;
  readonly #streams = new Map<number, Stream>();
  readonly #region = new Region();
  readonly #bounds: Rect = { left: 0, top: 0, right: 0, bottom: 0 };

  constructor(options: VideoStreamsOptions) {
    this.#options = options;
  }

  /** Messages of other kinds are passed over. The promise is settled when a picture is drawn. */
  message(type: number, body: Reader): undefined | Promise<void> {
    switch (type) {
      case displayMessage.STREAM_CREATE:
        this.#create(body);
        return undefined;
      case displayMessage.STREAM_DATA: {
        const stream = this.#find(body.u32());
        body.skip(4);
        return this.#picture(stream, stream.width, stream.height, stream.place, body);
      }
      case displayMessage.STREAM_DATA_SIZED: {
        const stream = this.#find(body.u32());
        body.skip(4);
        const width = body.u32();
        const height = body.u32();
        return this.#picture(stream, width, height, readRect(body), body);
      }
      case displayMessage.STREAM_CLIP: {
        const stream = this.#find(body.u32());
        stream.clip = readClip(body);
        return undefined;
      }
      case displayMessage.STREAM_DESTROY:
        this.#streams.delete(body.u32());
        return undefined;
      case displayMessage.STREAM_DESTROY_ALL:
        this.#streams.clear();
        return undefined;
      default:
        return undefined;
    }
  }

  /** The streams of a surface that is gone. */
  forget(surfaceId: number): void {
    for (const [id, stream] of this.#streams) if (stream.surfaceId === surfaceId) this.#streams.delete(id);
  }

  clear(): void {
    this.#streams.clear();
  }

  #create(body: Reader): void {
    const surfaceId = body.u32();
    const id = body.u32();
    const topDown = (body.u8() & flagTopDown) !== 0;
    const codec = body.u8();
    if (codec !== codecMjpeg) throw new SpiceError(`video of codec ${codec} was not asked for`);
    body.skip(8);
    const width = body.u32();
    const height = body.u32();
    checkPictureSize(width, height, 'video');
    // The size that it had before it was scaled for the network.
    body.skip(8);
    const place = readRect(body);
    const clip = readClip(body);
    if (this.#streams.size >= maxStreams && !this.#streams.has(id)) throw new SpiceError(`more than ${maxStreams} videos at once`);
    this.#streams.set(id, { surfaceId, width, height, topDown, place, clip });
  }

  #find(id: number): Stream {
    const stream = this.#streams.get(id);
    if (!stream) throw new SpiceError(`video ${id} does not exist`);
    return stream;
  }

  /** What follows on the channel waits for it, so that it is neither drawn over what came later nor piled up. */
  async #picture(stream: Stream, width: number, height: number, place: Rect, body: Reader): Promise<void> {
    const jpeg = body.bytesOf(body.count(body.u32(), 1, 'bytes of a picture'));
    const picture = await decodeJpeg(jpeg, width, height, this.#options.jpeg);
    const target = this.#options.surface(stream.surfaceId);
    if (!target) return;
    this.#region.setRect(place, target.width, target.height);
    if (stream.clip) this.#region.intersectRects(stream.clip, stream.clip.length / 4);
    if (this.#region.empty) return;
    const area = { left: 0, top: 0, right: width, bottom: height };
    copyRegion(target, this.#region, stream.topDown ? picture : upsideDown(picture), area, place, rop.copy, true);
    this.#region.extents(this.#bounds);
    this.#options.drawn(target, this.#bounds);
  }
}

function upsideDown({ width, height, pixels, opaque }: Picture): Picture {
  const turned = new Uint32Array(pixels.length);
  for (let row = 0; row < height; row++) turned.set(pixels.subarray(row * width, (row + 1) * width), (height - 1 - row) * width);
  return { width, height, pixels: turned, opaque };
}

function readRect(body: Reader): Rect {
  const top = body.i32();
  const left = body.i32();
  const bottom = body.i32();
  return { left, top, right: body.i32(), bottom };
}

/** Left, top, right and bottom of each rectangle; null for none. */
function readClip(body: Reader): Int32Array | null {
  if (body.u8() !== clipRects) return null;
  const count = body.count(body.u32(), 16, 'clip rectangles');
  const rects = new Int32Array(count * 4);
  for (let at = 0; at < rects.length; at += 4) {
    rects[at + 1] = body.i32();
    rects[at] = body.i32();
    rects[at + 3] = body.i32();
    rects[at + 2] = body.i32();
  }
  return rects;
}
