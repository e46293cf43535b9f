/**
 * The least that a SPICE server takes for a client: it links, says what it can, acknowledges, and hands on what comes. It draws nothing, and
 * so can say that it can do anything.
 *
 *   node bench/spice/bare-client.ts SERVER.sock SECONDS
 */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { buildLink, linkSteps, Pieces } from './link-pieces.ts';

export const bareChannel = { main: 1, display: 2 } as const;
/** AUTH_SELECTION, AUTH_SPICE, MINI_HEADER */
const commonCapabilities = 0b1011;
/** All of SPICE_DISPLAY_CAP_* but GL_SCANOUT, which needs a local client. */
const displayCapabilities = 0b111_1111_0111_1111;
const spiceTicket = 1;
const keyOffset = 4;
const keyBytes = 162;
const message = { setAck: 3, ping: 4, mainInit: 103 };
const request = { ackSync: 1, ack: 2, pong: 3, attachChannels: 104, displayInit: 101, preferredCompression: 103 };
/** SPICE_IMAGE_COMPRESSION_* */
const imageCompression = { off: 1, auto_glz: 2, auto_lz: 3, quic: 4, glz: 5, lz: 6, lz4: 7 } as const;
export type ImageCompression = keyof typeof imageCompression;

export type BareClientOptions = {
  path: string;
  displayCapabilities?: number;
  /** How the server is asked to pack pictures; null for as it likes. */
  compression?: ImageCompression | null;
  onMessage(channelType: number, type: number, body: Buffer): void;
};

export type BareClient = { close(): void; closed: Promise<void> };

/** Opens main and the first display. Rejects when the server does not take them. */
export async function openBareClient(options: BareClientOptions): Promise<BareClient> {
  let sessionId = 0;
  const main = await new Promise<Socket>((resolve, reject) => {
    const socket = openChannel(options, bareChannel.main, 0, reject, (type, body) => {
      if (type !== message.mainInit) return;
      sessionId = body.readUInt32LE(0);
      send(socket, request.attachChannels, Buffer.alloc(0));
      resolve(socket);
    });
  });
  const display = await new Promise<Socket>((resolve, reject) => {
    const socket = openChannel(
      options,
      bareChannel.display,
      sessionId,
      reject,
      () => undefined,
      () => {
        const body = Buffer.alloc(14);
        body.writeUInt8(1, 0);
        body.writeBigInt64LE(10n * 1024n * 1024n, 1);
        body.writeUInt8(1, 9);
        body.writeInt32LE(8 * 1024 * 1024, 10);
        send(socket, request.displayInit, body);
        if (options.compression) send(socket, request.preferredCompression, Buffer.of(imageCompression[options.compression]));
        resolve(socket);
      },
    );
  });
  return {
    close: () => {
      display.destroy();
      main.destroy();
    },
    closed: new Promise((resolve) => display.once('close', () => resolve())),
  };
}

function openChannel(
  { path, displayCapabilities: display = displayCapabilities, onMessage }: BareClientOptions,
  channelType: number,
  sessionId: number,
  fail: (error: Error) => void,
  take: (type: number, body: Buffer) => void,
  opened: () => void = () => undefined,
): Socket {
  const socket = connect(path);
  socket.on('error', fail);
  const link = Buffer.alloc(26);
  link.writeUInt32LE(sessionId, 0);
  link.writeUInt8(channelType, 4);
  link.writeUInt32LE(1, 6);
  link.writeUInt32LE(1, 10);
  link.writeUInt32LE(18, 14);
  link.writeUInt32LE(commonCapabilities, 18);
  link.writeUInt32LE(channelType === bareChannel.display ? display : 0, 22);
  socket.write(buildLink(link));
  let [window, left] = [0, 0];
  let held: Buffer = Buffer.alloc(0);
  const pieces = new Pieces(
    [
      ...linkSteps((reply) => {
        const key = createPublicKey({ key: reply.subarray(keyOffset, keyOffset + keyBytes), format: 'der', type: 'spki' });
        const method = Buffer.alloc(4);
        method.writeUInt32LE(spiceTicket);
        socket.write(
          Buffer.concat([method, publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, Buffer.from('\0'))]),
        );
      }),
      {
        bytes: () => 4,
        take: (result) => {
          if (result.readUInt32LE(0) !== 0) fail(new Error(`The server refuses the channel with ${result.readUInt32LE(0)}.`));
          else opened();
        },
      },
    ],
    (bytes) => {
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      while (held.length >= 6 && held.length >= 6 + held.readUInt32LE(2)) {
        const type = held.readUInt16LE(0);
        const end = 6 + held.readUInt32LE(2);
        const body = held.subarray(6, end);
        held = held.subarray(end);
        if (type === message.setAck) {
          window = left = body.readUInt32LE(4);
          send(socket, request.ackSync, body.subarray(0, 4));
        } else if (type === message.ping) send(socket, request.pong, body.subarray(0, 12));
        else {
          take(type, body);
          onMessage(channelType, type, body);
        }
        if (window > 0 && --left === 0) {
          left = window;
          send(socket, request.ack, Buffer.alloc(0));
        }
      }
    },
  );
  socket.on('data', (chunk) => pieces.feed(chunk));
  return socket;
}

function send(socket: Socket, type: number, body: Buffer): void {
  const header = Buffer.alloc(6);
  header.writeUInt16LE(type, 0);
  header.writeUInt32LE(body.length, 2);
  socket.write(Buffer.concat([header, body]));
}

if (import.meta.main) {
  const [path, seconds] = process.argv.slice(2);
  if (!path) throw new Error('node bench/spice/bare-client.ts SERVER.sock SECONDS');
  let bytes = 0;
  const client = await openBareClient({
    path,
    onMessage: (_, __, body) => {
      bytes += body.length;
    },
  });
  await Promise.race([pause(Number(seconds ?? 10) * 1000), client.closed]);
  client.close();
  console.log(`${bytes} bytes of messages came.`);
}
