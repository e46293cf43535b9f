/**
 * A SPICE server that says again what another one said: recordings, to any client, as fast as it takes them or at the old pace.
 *
 *   node bench/spice/replay-server.ts FILE LISTEN.sock [--paced]
 *
 * It answers the link with a key of its own, accepts every ticket, and reads and forgets whatever the client has to say.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Piece, pieceKind, readRecording } from '../../tests/support/spice-recording.ts';
import { type ServedChannel, serveSpice, writeTo } from './serving.ts';

export type Replay = {
  /** Settles when a client has taken what was recorded before it is held back. */
  held: Promise<void>;
  /**
   * Says what was held back as fast as it is taken, and keeps it to be said again. Good for pictures that stand for themselves: not for those that
   * refer to others, or are part of a video.
   */
  rehearse(): Promise<void>;
  /** Says what was held back. */
  goOn(): void;
  /** Settles when all that was recorded has been taken by the client. */
  finished: Promise<void>;
  close(): Promise<void>;
};

export type ReplayOptions = {
  /** At the pace of the recording, or as fast as it is taken. */
  paced?: boolean;
  /** What was recorded later than that waits for `goOn`. */
  holdAtMs?: number;
};

/** A channel that was not recorded is accepted, and nothing is said on it: a client may take the end of one for the end of all. */
export async function startReplay(
  file: string,
  listenPath: string,
  { paced = false, holdAtMs = Number.POSITIVE_INFINITY }: ReplayOptions = {},
): Promise<Replay> {
  const pieces = readRecording(file);
  const of = ({ type, id }: Pick<ServedChannel, 'type' | 'id'>) =>
    pieces.filter((piece) => piece.channelType === type && piece.channelId === id);
  const channels = new Set(pieces.map((piece) => `${piece.channelType} ${piece.channelId}`)).size;
  let [playing, holding] = [channels, channels];
  const [held, finished, gone] = [settleable(), settleable(), settleable()];
  const rehearsals: (() => Promise<void>)[] = [];
  const play = async ({ type, id, socket }: ServedChannel) => {
    const [early, late] = cutBetweenMessages(
      of({ type, id }).filter(({ kind }) => kind === pieceKind.messages),
      holdAtMs,
    );
    await say(early, 0, paced);
    rehearsals.push(() => say(late, holdAtMs, false));
    if (--holding === 0) held.settle();
    if (late.length > 0) {
      await gone.settled;
      await say(late, holdAtMs, paced);
    }
    if (--playing === 0) finished.settle();

    async function say(some: Piece[], fromMs: number, atPace: boolean): Promise<void> {
      const began = performance.now();
      for (const { atMs, bytes } of some) {
        const ahead = atPace ? atMs - fromMs - (performance.now() - began) : 0;
        if (ahead > 1) await pause(ahead);
        if (socket.destroyed) return;
        await writeTo(socket, bytes);
      }
    }
  };
  const close = await serveSpice(listenPath, {
    reply: (type, id) => {
      const replies = pieces.filter(({ kind }) => kind === pieceKind.linkReply);
      const reply = replies.find((piece) => piece.channelType === type && piece.channelId === id) ?? replies[0];
      return reply ? Buffer.from(reply.bytes) : null;
    },
    opened: (channel) => {
      if (of(channel).length > 0) void play(channel);
    },
  });
  return {
    held: held.settled,
    rehearse: async () => void (await Promise.all(rehearsals.map((rehearse) => rehearse()))),
    goOn: gone.settle,
    finished: finished.settled,
    close,
  };
}

/** What came until then with the rest of its last message, and what came later as far as its messages are whole. */
function cutBetweenMessages(pieces: readonly Piece[], atMs: number): [Piece[], Piece[]] {
  const bytes = Buffer.concat(pieces.map((piece) => piece.bytes));
  const from = pieces.reduce((sum, piece) => (piece.atMs <= atMs ? sum + piece.bytes.byteLength : sum), 0);
  let [cut, end] = [0, 0];
  for (let next = 0; next <= bytes.length; ) {
    end = next;
    if (cut < from) cut = next;
    if (next + 6 > bytes.length) break;
    next += 6 + bytes.readUInt32LE(next + 2);
  }
  const between = (first: number, last: number) => {
    let at = 0;
    return pieces.flatMap((piece) => {
      const [start, stop] = [Math.max(first - at, 0), Math.min(last - at, piece.bytes.byteLength)];
      at += piece.bytes.byteLength;
      return start < stop ? [{ ...piece, bytes: piece.bytes.subarray(start, stop) }] : [];
    });
  };
  return [between(0, cut), between(cut, end)];
}

function settleable(): { settled: Promise<void>; settle(): void } {
  let settle = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { settled, settle: () => settle() };
}

if (import.meta.main) {
  const [file, listenPath, how] = process.argv.slice(2);
  if (!file || !listenPath) throw new Error('node bench/spice/replay-server.ts FILE LISTEN.sock [--paced]');
  const replay = await startReplay(file, listenPath, { paced: how === '--paced' });
  process.once('SIGINT', () => void replay.close());
}
