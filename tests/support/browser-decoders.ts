/** Chromium's decoders of JPEG and video for sessions that run in Node: the product's own use of them, in a hidden page of the real Electron. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { planLaunch } from '../../build/setup/electron-launch.ts';
import { ensureElectronRuntime } from '../../build/setup/electron-runtime.ts';
import type { PlatformJpeg } from '../../renderer/console/spice/decoders/jpeg.ts';
import type { Picture } from '../../renderer/console/spice/decoders/picture.ts';
import { SpiceError } from '../../renderer/console/spice/protocol/spice-error.ts';
import type { PlatformVideo, VideoCodec } from '../../renderer/console/spice/streams/video-decoder.ts';
import { buildFrame, type DecoderFrame, decoderWord, frameReader } from './browser-decoders/frames.ts';
import type { Pixels } from './png.ts';
import { pixelsOf } from './spice-client.ts';

export type BrowserDecoders = {
  jpeg: PlatformJpeg;
  video: PlatformVideo;
  /** What is left of a picture that is packed as a JPEG of that quality, from 0 to 100. */
  packedAsJpeg(picture: Pixels, quality: number): Promise<Pixels>;
  close(): Promise<void>;
};

const startDeadlineMs = 60_000;
const folder = join(import.meta.dirname, 'browser-decoders');
const app = join(folder, 'app');

/** Starts the page, which needs a display. It is the caller's to close. */
export async function openBrowserDecoders(): Promise<BrowserDecoders> {
  const scratch = mkdtempSync('/tmp/gh-decoders-');
  const script = join(scratch, 'page.cjs');
  const bundle = await rolldown({ input: join(folder, 'page.ts'), platform: 'node', logLevel: 'warn' });
  await bundle.write({ file: script, format: 'cjs' });
  await bundle.close();
  const runtime = await ensureElectronRuntime(() => undefined);
  const launch = planLaunch(runtime, process.env.GUESTHOUSE_PRIVATE_DISPLAY === '1');
  const socketPath = join(scratch, 'socket');
  const asked = new Map<number, { resolve(picture: Picture | null): void; reject(error: Error): void }>();
  let last = 0;
  let socket: Socket | null = null;
  let codecs: VideoCodec[] = [];
  const take = ({ id, word, payload }: DecoderFrame) => {
    const asker = asked.get(id);
    asked.delete(id);
    if (word === decoderWord.picture) asker?.resolve(readPicture(payload));
    else if (word === decoderWord.nothing) asker?.resolve(null);
    else asker?.reject(new SpiceError(payload.toString()));
  };
  const ask = (word: number, payload: Uint8Array) =>
    new Promise<Picture | null>((resolve, reject) => {
      asked.set(++last, { resolve, reject });
      socket?.write(buildFrame(last, word, payload));
    });
  let electron: ChildProcess | undefined;
  const server = createServer();
  const close = async () => {
    server.close();
    socket?.destroy();
    if (electron && electron.exitCode === null && electron.signalCode === null) {
      const ended = new Promise((settle) => electron?.once('exit', settle));
      electron.kill('SIGTERM');
      const timer = setTimeout(() => electron?.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
    }
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((opened, failed) => {
      const timer = setTimeout(() => failed(new Error('The page that decodes did not come.')), startDeadlineMs);
      server.on('connection', (come) => {
        socket = come;
        come.on('error', () => undefined);
        come.on('close', () => {
          for (const asker of asked.values()) asker.reject(new Error('The page that decodes is gone.'));
          asked.clear();
        });
        come.on(
          'data',
          frameReader((frame) => {
            if (frame.word !== decoderWord.codecs) return take(frame);
            codecs = frame.payload.toString().split(' ').filter(Boolean) as VideoCodec[];
            clearTimeout(timer);
            opened();
          }),
        );
      });
      server.listen(socketPath, () => {
        electron = spawn(runtime.executablePath, [...launch.switches, app], {
          env: {
            ...process.env,
            ...launch.environment,
            DECODER_SOCKET: socketPath,
            DECODER_SCRIPT: script,
            DECODER_PROFILE: join(scratch, 'profile'),
          },
          stdio: 'ignore',
        });
        electron.once('error', failed);
        electron.once('exit', (status, signal) => failed(new Error(`The page that decodes ended with ${status ?? signal}.`)));
      });
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    jpeg: async (jpeg) => (await ask(decoderWord.jpeg, jpeg)) as Picture,
    packedAsJpeg: async ({ widthPx, heightPx, rgb }, quality) => {
      const pixels = Buffer.alloc(widthPx * heightPx * 4, 255);
      for (let pixel = 0; pixel < widthPx * heightPx; pixel++) pixels.set(rgb.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
      return pixelsOf((await ask(decoderWord.packJpeg, Buffer.concat([words(widthPx, heightPx, quality), pixels]))) as Picture);
    },
    video: {
      codecs,
      open: (codec, height) => {
        const video = ++last;
        socket?.write(buildFrame(video, decoderWord.openVideo, Buffer.concat([words(height), Buffer.from(codec)])));
        return {
          independent: false,
          decode: (bytes, width, rows) => ask(decoderWord.videoPicture, Buffer.concat([words(video, width, rows), bytes])),
          close: () => void socket?.write(buildFrame(video, decoderWord.closeVideo)),
        };
      },
    },
    close,
  };
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}

function readPicture(payload: Buffer): Picture {
  const [width, height] = [payload.readUInt32LE(0), payload.readUInt32LE(4)];
  const pixels = new Uint32Array(width * height);
  new Uint8Array(pixels.buffer).set(payload.subarray(8));
  return { width, height, pixels, opaque: true };
}
