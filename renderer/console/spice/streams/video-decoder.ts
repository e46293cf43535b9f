/** How the pictures of a video are packed, and who unpacks them. */
import { decodeJpeg, type PlatformJpeg } from '../decoders/jpeg.ts';
import type { Picture } from '../decoders/picture.ts';
import { SpiceError } from '../protocol/spice-error.ts';

/** SPICE_VIDEO_CODEC_TYPE_* */
export const videoCodec = { mjpeg: 1, vp8: 2, h264: 3, vp9: 4 } as const;
export type VideoCodec = keyof typeof videoCodec;

/** One for each video. `decode` is called with one picture after the other, and again only when the one before has settled. */
export interface StreamDecoder {
  /** Whether a picture can be left out: in other videos the next ones build upon it. */
  readonly independent: boolean;
  /** The picture, or null when it is not one to be seen. Rejects with `SpiceError` when it cannot be one. */
  decode(bytes: Uint8Array, width: number, height: number): Promise<Picture | null>;
  close(): void;
}

/** What the platform decodes besides JPEG. */
export interface PlatformVideo {
  /** In the order in which they are wanted. */
  readonly codecs: readonly VideoCodec[];
  /** `height` of the video in pixels. */
  open(codec: VideoCodec, height: number): StreamDecoder;
}

/** For a session that shows Motion JPEG alone. */
export const noVideo: PlatformVideo = {
  codecs: [],
  open: (codec) => {
    throw new SpiceError(`video of codec ${codec} was not asked for`);
  },
};

export function motionJpeg(jpeg: PlatformJpeg): StreamDecoder {
  return { independent: true, decode: (bytes, width, height) => decodeJpeg(bytes, width, height, jpeg), close: () => undefined };
}

/**
 * Whether a picture of a video stands for itself: decoders want to know. VP8's first bit says it, VP9's frame header; H.264 has such a picture
 * or the parameters before one among its units.
 */
export function isKeyPicture(codec: VideoCodec, bytes: Uint8Array): boolean {
  const [first = 0] = bytes;
  switch (codec) {
    case 'mjpeg':
      return true;
    case 'vp8':
      return bytes.length > 0 && (first & 1) === 0;
    case 'vp9': {
      // Two bits of a marker, two of the profile (three bits when it is 3), one for a picture that is there already, one for what builds upon others.
      const profile = ((first >> 5) & 1) | ((first >> 3) & 2);
      const at = profile === 3 ? 2 : 3;
      return first >> 6 === 2 && ((first >> at) & 1) === 0 && ((first >> (at - 1)) & 1) === 0;
    }
    case 'h264': {
      for (let at = 0; at + 3 < bytes.length; at++) {
        if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
        const kind = (bytes[at + 3] as number) & 0x1f;
        if (kind === 5 || kind === 7) return true;
      }
      return false;
    }
  }
}
