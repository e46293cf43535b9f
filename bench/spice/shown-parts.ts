/** Which parts of the screen our console shows of a recording, and when: what is left of a console when all else is taken away. */

import { readJpegSize } from '../../renderer/console/spice/decoders/jpeg.ts';
import type { Picture } from '../../renderer/console/spice/decoders/picture.ts';
import { Damage } from '../../renderer/console/spice/drawing/damage.ts';
import { SpiceSession } from '../../renderer/console/spice/session.ts';
import { FramePacer } from '../../renderer/console/spice/worker/frame-pacer.ts';
import { noSharing, pixelsAlone } from '../../tests/support/scripted-spice.ts';
import { pieceKind, readRecording, wireBytesOf } from '../../tests/support/spice-recording.ts';

export type ShownParts = {
  width: number;
  height: number;
  /** Milliseconds since `fromMs`; each part: left, top, right, bottom. */
  frames: { atMs: number; parts: [number, number, number, number][] }[];
};

/** @throws Error when the recording is no session that our client takes */
export async function partsShown(file: string, fromMs: number): Promise<ShownParts> {
  const shown: ShownParts = { width: 0, height: 0, frames: [] };
  const clock = new HandClock();
  const damage = new Damage();
  const pacer = new FramePacer(clock, () => {
    const parts: ShownParts['frames'][number]['parts'] = [];
    damage.take(({ left, top, right, bottom }) => parts.push([left, top, right, bottom]));
    if (clock.now() > fromMs) shown.frames.push({ atMs: clock.now() - fromMs, parts });
  });
  let ended = '';
  let opened = 0;
  /** By streams: the channel that each has asked for in its link, once it has. */
  const asked: (string | null)[] = [];
  const session = new SpiceSession({
    ...noSharing,
    ...pixelsAlone,
    now: clock.now,
    after: clock.after,
    openStream: (stream) => {
      asked[stream] = null;
    },
    // SpiceLinkMess: the header (16 bytes) · connection (4) · channel type · channel id.
    send: (stream, bytes) => {
      asked[stream] ??= `${bytes[20]} ${bytes[21]}`;
    },
    closeStream: () => undefined,
    jpeg: async (jpeg) => {
      const { width, height } = readJpegSize(jpeg);
      return blank(width, height);
    },
    video: {
      codecs: ['vp8'],
      open: () => ({ independent: false, decode: async (_bytes, width, height) => blank(width, height), close: () => undefined }),
    },
    settled: () => undefined,
    primary: (surface) => {
      if (surface) Object.assign(shown, { width: surface.width, height: surface.height });
    },
    damaged: (left, top, right, bottom) => damage.add(left, top, right, bottom),
    ended: ({ detail }) => {
      ended = detail;
    },
  });
  const taken: (Promise<void> | undefined)[] = [];
  const recorded = readRecording(file);
  const pieces = wireBytesOf(recorded).map((piece, at) => ({ ...piece, atMs: recorded[at]?.atMs ?? 0, kind: recorded[at]?.kind }));
  const isMain = ({ channelType }: { channelType: number }) => channelType === 1;
  // The main channel draws nothing, and says which others there are: some of what it says may have been written down behind their first words.
  for (const { channelType, channelId, kind, bytes, atMs } of [...pieces.filter(isMain), ...pieces.filter((piece) => !isMain(piece))]) {
    if (channelType !== 1) clock.turnTo(atMs);
    const channel = `${channelType} ${channelId}`;
    if (!asked.includes(channel)) {
      // The streams of a session are asked for one after the other, and the first tells of the rest.
      await Promise.all(taken.splice(0));
      for (; opened < asked.length; opened++) session.streamOpen(opened);
    }
    const stream = asked.indexOf(channel);
    if (stream < 0) throw new Error(`${file}: our client opens no channel ${channel}`);
    taken.push(session.receive(stream, bytes));
    // A ticket takes its time, and pictures of the browser's decoders take their turns.
    if (kind === pieceKind.linkReply) await taken.at(-1);
    await new Promise((settle) => setImmediate(settle));
    if (ended !== '') throw new Error(`${file}: ${ended}`);
    if (!damage.empty) pacer.ask(session.isInside(stream));
  }
  // The last frame, and no picture of a video whose time never came.
  clock.turnTo(clock.now() + 100);
  session.close();
  return shown;
}

function blank(width: number, height: number): Picture {
  return { width, height, pixels: new Uint32Array(width * height).fill(0xff000000), opaque: true };
}

class HandClock {
  #now = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  readonly now = () => this.#now;
  readonly after = (ms: number, run: () => void) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  turnTo(ms: number): void {
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= ms).sort((one, other) => one.at - other.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = Math.max(this.#now, ms);
  }
}
