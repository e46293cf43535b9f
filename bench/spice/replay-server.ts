/**
 * A SPICE server that says again what another one said: recordings, to any client, as fast as it takes them or at the old pace.
 *
 *   node bench/spice/replay-server.ts FILE LISTEN.sock [--paced]
 *
 * It answers the link with a key of its own, accepts every ticket, and reads and forgets whatever the client has to say.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Piece, pieceKind, readRecording } from '../../tests/support/spice-recording.ts';
import { buildLink, linkSteps, Pieces } from './link-pieces.ts';
import { listen } from './recorder.ts';

/** Method of authentication and ticket. */
const ticketBytes = 4 + 128;
const keyOffset = 4;
const keyBytes = 162;

export type Replay = {
  /** Settles when all that was recorded has been taken by the client. */
  finished: Promise<void>;
  close(): Promise<void>;
};

/** Channels that were not recorded are refused by hanging up. */
export async function startReplay(file: string, listenPath: string, { paced = false } = {}): Promise<Replay> {
  const pieces = readRecording(file);
  const key = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'der' });
  const sockets = new Set<Socket>();
  let open = new Set(pieces.map((piece) => `${piece.channelType} ${piece.channelId}`)).size;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => sockets.delete(client));
    let own: Piece[] = [];
    const fromClient = new Pieces(
      [
        ...linkSteps((link) => {
          own = pieces.filter((piece) => piece.channelType === link.readUInt8(4) && piece.channelId === link.readUInt8(5));
          const reply = own.find((piece) => piece.kind === pieceKind.linkReply);
          if (!reply) {
            client.destroy();
            return;
          }
          const body = Buffer.from(reply.bytes);
          key.copy(body, keyOffset, 0, keyBytes);
          client.write(buildLink(body));
        }),
        {
          bytes: () => ticketBytes,
          take: () => {
            client.write(Buffer.alloc(4));
            void play(client, own, paced).then(() => {
              if (--open === 0) finish();
            });
          },
        },
      ],
      () => undefined,
    );
    client.on('data', (chunk) => fromClient.feed(chunk));
  });
  await listen(server, listenPath);
  return {
    finished,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function play(client: Socket, pieces: Piece[], paced: boolean): Promise<void> {
  const began = performance.now();
  for (const { kind, atMs, bytes } of pieces) {
    if (kind !== pieceKind.messages) continue;
    const early = paced ? atMs - (performance.now() - began) : 0;
    if (early > 1) await pause(early);
    if (client.destroyed) return;
    if (!client.write(bytes)) await Promise.race([once(client, 'drain'), once(client, 'close')]);
  }
}

const once = (client: Socket, event: string) => new Promise((resolve) => client.once(event, resolve));

if (import.meta.main) {
  const [file, listenPath, how] = process.argv.slice(2);
  if (!file || !listenPath) throw new Error('node bench/spice/replay-server.ts FILE LISTEN.sock [--paced]');
  const replay = await startReplay(file, listenPath, { paced: how === '--paced' });
  process.once('SIGINT', () => void replay.close());
}
