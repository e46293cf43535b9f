/** Chromium's video decoders (WebCodecs), as the streams want them. */
import type { Picture } from '../decoders/picture.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { isKeyPicture, type PlatformVideo, type StreamDecoder, type VideoCodec } from '../streams/video-decoder.ts';

/** What the server's encoders make, in the order in which it is wanted. Not every build of Chromium has H.264. */
const codecNames: readonly (readonly [VideoCodec, string])[] = [
  ['h264', 'avc1.42E01F'],
  ['vp9', 'vp09.00.40.08'],
  ['vp8', 'vp8'],
];
/** A decoder that gives nothing for a picture holds it back, which the server's encoders do not ask for. */
const maxWaitMs = 500;
/** A platform that does not say by then what it decodes is asked for nothing. */
const answerDeadlineMs = 1000;
const maxStandardHeightPx = 576;

/**
 * How GStreamer, which packs the server's videos, turns colours into brightness and two differences. VP8 has no place to say it, and its VP9
 * does not: the decoder would take that for high definition of any size.
 */
function coloursOf(height: number): VideoColorSpaceInit {
  const matrix = height <= maxStandardHeightPx ? 'smpte170m' : 'bt709';
  return { matrix, primaries: 'bt709', transfer: 'iec61966-2-1', fullRange: false };
}

export async function findPlatformVideo(): Promise<PlatformVideo> {
  const late = new Promise<boolean[]>((resolve) => setTimeout(() => resolve([]), answerDeadlineMs));
  const answers = await Promise.race([late, Promise.all(codecNames.map(([, name]) => isSupported(name)))]);
  const codecs = codecNames.filter((_, index) => answers[index]).map(([codec]) => codec);
  return { codecs, open: (codec, height) => new PlatformStream(codec, height) };
}

async function isSupported(codec: string): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') return false;
  const answer = await VideoDecoder.isConfigSupported({ codec }).catch(() => null);
  return answer?.supported === true;
}

class PlatformStream implements StreamDecoder {
  readonly independent = false;
  readonly #codec: VideoCodec;
  readonly #decoder: VideoDecoder;
  readonly #canvas = new OffscreenCanvas(1, 1);
  #number = 0;
  #begun = false;
  #take: ((frame: VideoFrame | null) => void) | null = null;
  #fail: ((error: unknown) => void) | null = null;

  constructor(codec: VideoCodec, height: number) {
    this.#codec = codec;
    this.#decoder = new VideoDecoder({
      output: (frame) => {
        if (this.#take) this.#take(frame);
        else frame.close();
      },
      error: (error) => this.#fail?.(new SpiceError(`${codec}: ${error.message}`)),
    });
    const name = codecNames.find(([known]) => known === codec)?.[1] ?? '';
    this.#decoder.configure({ codec: name, optimizeForLatency: true, ...(codec === 'h264' ? {} : { colorSpace: coloursOf(height) }) });
  }

  async decode(bytes: Uint8Array): Promise<Picture | null> {
    const isKey = isKeyPicture(this.#codec, bytes);
    // Without a beginning there is nothing that it could build upon.
    if (!isKey && !this.#begun) return null;
    this.#begun = true;
    const frame = await new Promise<VideoFrame | null>((resolve, reject) => {
      const timer = setTimeout(() => resolve(null), maxWaitMs);
      const settle = (then: () => void) => {
        clearTimeout(timer);
        this.#take = null;
        this.#fail = null;
        then();
      };
      this.#take = (come) => settle(() => resolve(come));
      this.#fail = (error) => settle(() => reject(error));
      try {
        this.#decoder.decode(new EncodedVideoChunk({ type: isKey ? 'key' : 'delta', timestamp: this.#number++, data: bytes }));
      } catch (error) {
        settle(() => reject(new SpiceError(`${this.#codec}: ${error instanceof Error ? error.message : 'cannot be decoded'}`)));
      }
    });
    return frame ? this.#pictureOf(frame) : null;
  }

  close(): void {
    this.#take?.(null);
    if (this.#decoder.state !== 'closed') this.#decoder.close();
  }

  #pictureOf(frame: VideoFrame): Picture {
    try {
      const { displayWidth: width, displayHeight: height } = frame;
      if (this.#canvas.width !== width) this.#canvas.width = width;
      if (this.#canvas.height !== height) this.#canvas.height = height;
      const context = this.#canvas.getContext('2d', { alpha: false, willReadFrequently: true });
      if (!context) throw new SpiceError('there is no canvas to decode a video on');
      context.drawImage(frame, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      return { width, height, pixels: new Uint32Array(data.buffer, data.byteOffset, width * height), opaque: true };
    } finally {
      frame.close();
    }
  }
}
