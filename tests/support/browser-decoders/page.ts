/** Runs in the page: the product's own use of the browser's decoders, asked over a socket. */
import { createConnection } from 'node:net';
import type { Picture } from '../../../renderer/console/spice/decoders/picture.ts';
import type { PlatformVideo, StreamDecoder, VideoCodec } from '../../../renderer/console/spice/streams/video-decoder.ts';
import { decodeWithPlatform } from '../../../renderer/console/spice/worker/platform-jpeg.ts';
import { findPlatformVideo } from '../../../renderer/console/spice/worker/platform-video.ts';
import { buildFrame, type DecoderFrame, decoderWord, frameReader } from './frames.ts';

const videos = new Map<number, StreamDecoder>();
const socket = createConnection(process.env.DECODER_SOCKET ?? '');
const say = (id: number, word: number, payload?: Uint8Array) => void socket.write(buildFrame(id, word, payload));

function answer(id: number, decoding: Promise<Picture | null>): void {
  decoding.then(
    (picture) => {
      if (!picture) return say(id, decoderWord.nothing);
      const { width, height, pixels } = picture;
      const payload = Buffer.alloc(8 + pixels.byteLength);
      payload.writeUInt32LE(width, 0);
      payload.writeUInt32LE(height, 4);
      payload.set(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength), 8);
      say(id, decoderWord.picture, payload);
    },
    (error: unknown) => say(id, decoderWord.failed, Buffer.from(error instanceof Error ? error.message : String(error))),
  );
}

/** What is left of a picture (width · height · quality · its pixels) that has been a JPEG, with half of its colours' resolution. */
async function packAndDecode(payload: Buffer): Promise<Picture> {
  const [width, height] = [payload.readUInt32LE(0), payload.readUInt32LE(4)];
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(new ImageData(new Uint8ClampedArray(payload.subarray(12)), width, height), 0, 0);
  const jpeg = await canvas.convertToBlob({ type: 'image/jpeg', quality: payload.readUInt32LE(8) / 100 });
  return decodeWithPlatform(new Uint8Array(await jpeg.arrayBuffer()));
}

function take(platform: PlatformVideo, { id, word, payload }: DecoderFrame): void {
  switch (word) {
    case decoderWord.jpeg:
      answer(id, decodeWithPlatform(payload));
      return;
    case decoderWord.packJpeg:
      answer(id, packAndDecode(payload));
      return;
    case decoderWord.openVideo:
      videos.set(id, platform.open(payload.toString('utf8', 4) as VideoCodec, payload.readUInt32LE(0)));
      return;
    case decoderWord.videoPicture: {
      const video = videos.get(payload.readUInt32LE(0));
      if (video) answer(id, video.decode(payload.subarray(12), payload.readUInt32LE(4), payload.readUInt32LE(8)));
      else say(id, decoderWord.failed, Buffer.from('there is no such video'));
      return;
    }
    case decoderWord.closeVideo:
      videos.get(id)?.close();
      videos.delete(id);
  }
}

void findPlatformVideo().then((platform) => {
  socket.on(
    'data',
    frameReader((frame) => take(platform, frame)),
  );
  say(0, decoderWord.codecs, Buffer.from(platform.codecs.join(' ')));
});
socket.on('close', () => window.close());
