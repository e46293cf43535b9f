/**
 * Clients that look at one guest, each with pictures packed as it asked for. QEMU's server takes several when SPICE_DEBUG_ALLOW_MC says so.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ImageCompression } from '../../renderer/console/spice/channels/display-channel.ts';
import type { VideoCodec } from '../../renderer/console/spice/streams/video-decoder.ts';
import type { BrowserDecoders } from '../support/browser-decoders.ts';
import { differingPixels, type Pixels } from '../support/png.ts';
import { openSpiceClient, pixelsOf, type SpiceClient } from '../support/spice-client.ts';
import type { SpiceMachine } from '../support/spice-machine.ts';
import { until } from '../support/until.ts';
import { MessageCounts } from './message-counts.ts';
import { peakSignalToNoise } from './picture-quality.ts';

type Choice = { compression: ImageCompression; video: VideoCodec | null };

/**
 * QEMU's options know no lz4, but its server has it for a client that asks. The client of each compression prefers another packing of videos; null
 * takes Motion JPEG.
 */
const allChoices: Choice[] = [
  { compression: 'off', video: null },
  { compression: 'auto_glz', video: 'vp8' },
  { compression: 'auto_lz', video: 'h264' },
  { compression: 'quic', video: 'vp9' },
  { compression: 'glz', video: null },
  { compression: 'lz', video: 'vp8' },
  { compression: 'lz4', video: null },
];
/** Under emulation, on a machine with other things to do. */
const stillDeadlineMs = 90_000;
/** When the guest has been still for so long, and the server silent, whatever differs stays. */
const silentMs = 8000;

export type Watcher = { compression: ImageCompression; client: SpiceClient; messages: MessageCounts };

/** One for each compression, all with a picture. They are the caller's to close. */
export async function openWatchers(socketPath: string, decoders: BrowserDecoders, choices = allChoices): Promise<Watcher[]> {
  const watchers = choices.map(({ compression, video }) => watch(socketPath, compression, video, decoders));
  for (const { client } of watchers) await until('a picture', () => client.end ?? client.size, 30_000);
  return watchers;
}

function watch(socketPath: string, compression: ImageCompression, video: VideoCodec | null, decoders: BrowserDecoders): Watcher {
  const messages = new MessageCounts((stream) => client.session.details.channels[stream] === 'display');
  const codecs = decoders.video.codecs.filter((codec) => codec === video);
  const client = openSpiceClient(socketPath, { compression }, undefined, {
    jpeg: decoders.jpeg,
    video: { ...decoders.video, codecs },
    heard: (stream, bytes) => messages.heard(stream, bytes),
    said: (stream, bytes) => messages.said(stream, bytes),
  });
  return { compression, client, messages };
}

/** The least PSNR that will do, in dB, for a screen from which the worst of the clients is that far away. */
type Least = (shown: Pixels, worstDb: number) => number | Promise<number>;
/** No pixel differs. */
export const exact: Least = () => Number.POSITIVE_INFINITY;
/** Where pictures come with a loss. */
export const nearDb = 38;
export const near: Least = () => nearDb;

type Comparison = { ratioDb: number; differing: number; end: string | null; enough: boolean };

/** The comparison once it is good for all and the guest is still, or the last one when that does not come. */
export async function compareWhenStill(machine: SpiceMachine, watchers: Watcher[], least: Least): Promise<Comparison[]> {
  const deadline = Date.now() + stillDeadlineMs;
  let before: Pixels | null = null;
  let heard = -1;
  let silentSince = Date.now();
  for (;;) {
    await pause(250);
    const shown = await machine.screendump();
    const still = before !== null && differingPixels(before, shown) === 0;
    before = shown;
    const late = Date.now() > deadline;
    if (!still && !late) {
      silentSince = Date.now();
      continue;
    }
    const now = watchers.reduce((sum, { messages, client }) => sum + messages.total + client.damages, 0);
    if (now !== heard) silentSince = Date.now();
    heard = now;
    const compared = watchers.map(({ client }) => compare(client, shown));
    const worstDb = Math.min(...compared.map(({ ratioDb }) => ratioDb));
    const leastDb = await least(shown, worstDb);
    const found = compared.map(({ end: ended, ...one }) => {
      const end = ended ?? (still ? null : 'the guest did not come to rest');
      return { ...one, end, enough: end === null && one.ratioDb >= leastDb };
    });
    const settled = found.every(({ enough, end }) => enough || end !== null);
    if (settled || late || Date.now() - silentSince > silentMs) return found;
  }
}

function compare(client: SpiceClient, shown: Pixels): Omit<Comparison, 'enough'> {
  const end = client.end ? `the session ended: ${client.end.detail}` : null;
  if (!client.screen) return { ratioDb: 0, differing: -1, end };
  const drawn = pixelsOf(client.screen);
  const differing = differingPixels(drawn, shown);
  if (differing === 0) return { ratioDb: Number.POSITIVE_INFINITY, differing, end };
  return { ratioDb: differing < 0 ? 0 : peakSignalToNoise(drawn, shown), differing, end };
}
