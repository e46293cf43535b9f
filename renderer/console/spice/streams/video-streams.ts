/** The messages about videos: which there are, where they are, and their pictures. */
import type { PlatformJpeg } from '../decoders/jpeg.ts';
import { checkPictureSize } from '../decoders/picture.ts';
import type { Rect } from '../drawing/surface.ts';
import { buildMessage } from '../protocol/build-message.ts';
import { displayCapability, displayMessage, displayRequest } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { StreamReport } from './stream-report.ts';
import { motionJpeg, type PlatformVideo, type VideoCodec, videoCodec } from './video-decoder.ts';
import { type VideoHost, VideoStream } from './video-stream.ts';

/** What videos need of a session. */
export type StreamOptions = Pick<VideoHost, 'clock' | 'after' | 'failed'> & {
  now(): number;
  video: PlatformVideo;
  /** A picture has been drawn, at a time of its own and not while a message was handled. */
  settled(): void;
};

type VideoStreamsOptions = VideoHost & Pick<StreamOptions, 'now' | 'video'> & { jpeg: PlatformJpeg };

/** SPICE_STREAM_FLAGS_TOP_DOWN */
const flagTopDown = 1;
const clipRects = 1;
/** SPICE_MAX_NUM_STREAMS */
const maxStreams = 64;
const capabilityOf: Record<VideoCodec, number> = {
  mjpeg: displayCapability.CODEC_MJPEG,
  vp8: displayCapability.CODEC_VP8,
  h264: displayCapability.CODEC_H264,
  vp9: displayCapability.CODEC_VP9,
};

/** The bits of the display channel's capabilities that say what is decoded here. */
export function videoCapabilities({ codecs }: PlatformVideo): number {
  const bits = (1 << displayCapability.SIZED_STREAM) | (1 << displayCapability.STREAM_REPORT) | (1 << displayCapability.MULTI_CODEC);
  return codecs.reduce((all, codec) => all | (1 << capabilityOf[codec]), bits | (1 << capabilityOf.mjpeg));
}

/** Asks for what the platform decodes before Motion JPEG. Only a server that knows PREF_VIDEO_CODEC_TYPE takes it. */
export function buildPreferredCodecs({ codecs }: PlatformVideo): Uint8Array {
  const wanted: VideoCodec[] = [...codecs, 'mjpeg'];
  return buildMessage(displayRequest.PREFERRED_VIDEO_CODEC_TYPE, 1 + wanted.length, (body) => {
    body.setUint8(0, wanted.length);
    for (const [index, codec] of wanted.entries()) body.setUint8(1 + index, videoCodec[codec]);
  });
}

export class VideoStreams {
  readonly #options: VideoStreamsOptions;
  readonly #streams = new Map<number, VideoStream>();
  readonly #codecs = new Map<number, VideoCodec>();
  /** Of videos that have ended. */
  #droppedBefore = 0;

  constructor(options: VideoStreamsOptions) {
    this.#options = options;
  }

  /** Of the videos that there are, each once. */
  get codecs(): VideoCodec[] {
    return [...new Set(this.#codecs.values())];
  }

  /** Pictures that came too late to be seen. */
  get dropped(): number {
    let sum = this.#droppedBefore;
    for (const { dropped } of this.#streams.values()) sum += dropped;
    return sum;
  }

  /** Messages of other kinds are passed over. Throws `SpiceError`. */
  message(type: number, body: Reader): void {
    switch (type) {
      case displayMessage.STREAM_CREATE:
        this.#create(body);
        return;
      case displayMessage.STREAM_DATA: {
        const stream = this.#find(body.u32());
        const time = body.u32();
        stream.add(time, stream.width, stream.height, stream.place, readData(body));
        return;
      }
      case displayMessage.STREAM_DATA_SIZED: {
        const stream = this.#find(body.u32());
        const time = body.u32();
        const width = body.u32();
        const height = body.u32();
        checkPictureSize(width, height, 'video');
        const place = readRect(body);
        stream.add(time, width, height, place, readData(body));
        return;
      }
      case displayMessage.STREAM_CLIP: {
        const stream = this.#find(body.u32());
        stream.clip = readClip(body);
        return;
      }
      case displayMessage.STREAM_DESTROY:
        this.#destroy(body.u32());
        return;
      case displayMessage.STREAM_DESTROY_ALL:
        this.clear();
        return;
      case displayMessage.STREAM_ACTIVATE_REPORT: {
        const id = body.u32();
        const stream = this.#find(id);
        const uniqueId = body.u32();
        const maxFrames = body.u32();
        stream.report = new StreamReport(id, uniqueId, maxFrames, body.u32(), this.#options.now);
        return;
      }
    }
  }

  /** The videos of a surface that is gone. */
  forget(surfaceId: number): void {
    for (const [id, stream] of this.#streams) if (stream.surfaceId === surfaceId) this.#destroy(id);
  }

  clear(): void {
    for (const id of [...this.#streams.keys()]) this.#destroy(id);
  }

  #destroy(id: number): void {
    const stream = this.#streams.get(id);
    this.#droppedBefore += stream?.dropped ?? 0;
    stream?.close();
    this.#streams.delete(id);
    this.#codecs.delete(id);
  }

  #create(body: Reader): void {
    const { jpeg, video } = this.#options;
    const surfaceId = body.u32();
    const id = body.u32();
    const topDown = (body.u8() & flagTopDown) !== 0;
    const number = body.u8();
    const codec = number === videoCodec.mjpeg ? 'mjpeg' : video.codecs.find((known) => videoCodec[known] === number);
    if (!codec) throw new SpiceError(`video of codec ${number} was not asked for`);
    body.skip(8);
    const width = body.u32();
    const height = body.u32();
    checkPictureSize(width, height, 'video');
    // The size that it had before it was scaled for the network.
    body.skip(8);
    const place = readRect(body);
    const clip = readClip(body);
    if (this.#streams.size >= maxStreams && !this.#streams.has(id)) throw new SpiceError(`more than ${maxStreams} videos at once`);
    this.#destroy(id);
    const decoder = codec === 'mjpeg' ? motionJpeg(jpeg) : video.open(codec, height);
    this.#codecs.set(id, codec);
    this.#streams.set(id, new VideoStream(surfaceId, width, height, place, clip, topDown, decoder, this.#options));
  }

  #find(id: number): VideoStream {
    const stream = this.#streams.get(id);
    if (!stream) throw new SpiceError(`video ${id} does not exist`);
    return stream;
  }
}

/** A copy: the picture is decoded when the message is long gone. */
function readData(body: Reader): Uint8Array {
  return body.bytesOf(body.count(body.u32(), 1, 'bytes of a picture')).slice();
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
