/** The beginning of a SPICE server's channels: link, any ticket, and what the client says from then on. For those who have only pictures to say. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { buildLink, linkSteps, Pieces } from './link-pieces.ts';
import { listen } from './recorder.ts';

/** Method of authentication and ticket. */
const ticketBytes = 4 + 128;
const keyOffset = 4;
const keyBytes = 162;
const messageHeaderBytes = 6;

export type ServedChannel = { type: number; id: number; socket: Socket };

export type Served = {
  /** The body of the link's reply, into which a key is written; null refuses the channel. */
  reply(type: number, id: number): Buffer | null;
  /** The channel is open. */
  opened(channel: ServedChannel): void;
  message?(channel: ServedChannel, type: number, body: Buffer): void;
};

/** Listens until what it returns is called. Clients must use short headers, as all do that are told of them. */
export async function serveSpice(path: string, served: Served): Promise<() => Promise<void>> {
  const key = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'der' });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    const channel: ServedChannel = { type: 0, id: 0, socket };
    let held: Buffer = Buffer.alloc(0);
    const pieces = new Pieces(
      [
        ...linkSteps((link) => {
          channel.type = link.readUInt8(4);
          channel.id = link.readUInt8(5);
          const reply = served.reply(channel.type, channel.id);
          if (!reply) {
            socket.destroy();
            return;
          }
          const body = Buffer.from(reply);
          key.copy(body, keyOffset, 0, keyBytes);
          socket.write(buildLink(body));
        }),
        {
          bytes: () => ticketBytes,
          take: () => {
            socket.write(Buffer.alloc(4));
            served.opened(channel);
          },
        },
      ],
      (bytes) => {
        if (!served.message) return;
        held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
        for (;;) {
          const end = held.length < messageHeaderBytes ? Number.POSITIVE_INFINITY : messageHeaderBytes + held.readUInt32LE(2);
          if (held.length < end) return;
          served.message(channel, held.readUInt16LE(0), held.subarray(messageHeaderBytes, end));
          held = held.subarray(end);
        }
      },
    );
    socket.on('data', (chunk) => pieces.feed(chunk));
  });
  await listen(server, path);
  return async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
}

/** Writes, and settles when there is room for more or the client has gone. */
export async function writeTo(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
