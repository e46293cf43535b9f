/**
 * Stands between a SPICE client and its server, and writes down what the server says.
 *
 *   node bench/spice/recorder.ts LISTEN.sock SERVER FILE
 *
 * SERVER is a Unix socket, or HOST:PORT: to a client on a Unix socket a server never packs a picture, so what is to be recorded of that has to
 * come over TCP.
 *
 * Any client will do that comes over a Unix socket (remote-viewer spice+unix://LISTEN.sock, this app, bench/spice/bare-client.ts). Ends with
 * SIGINT.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { pieceKind, RecordingWriter } from '../../tests/support/spice-recording.ts';
import { linkSteps, Pieces } from './link-pieces.ts';

const authReplyBytes = 4;

/** Listens until closed. */
export async function startRecorder(listenPath: string, serverPath: string, file: string): Promise<{ close(): Promise<void> }> {
  const recording = new RecordingWriter(file);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connectTo(serverPath);
    let channel = { type: 0, id: 0 };
    const fromClient = new Pieces(
      linkSteps((link) => {
        channel = { type: link.readUInt8(4), id: link.readUInt8(5) };
      }),
      () => undefined,
    );
    const fromServer = new Pieces(
      [
        ...linkSteps((reply) => recording.add(channel.type, channel.id, pieceKind.linkReply, reply)),
        { bytes: () => authReplyBytes, take: () => undefined },
      ],
      (bytes) => recording.add(channel.type, channel.id, pieceKind.messages, bytes),
    );
    client.on('data', (chunk) => fromClient.feed(chunk));
    upstream.on('data', (chunk) => fromServer.feed(chunk));
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await listen(server, listenPath);
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await recording.close();
    },
  };
}

function connectTo(server: string): Socket {
  const [, host, port] = /^([^/]+):(\d+)$/.exec(server) ?? [];
  return host && port ? connect(Number(port), host) : connect(server);
}

export function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

if (import.meta.main) {
  const [listenPath, serverPath, file] = process.argv.slice(2);
  if (!listenPath || !serverPath || !file) throw new Error('node bench/spice/recorder.ts LISTEN.sock SERVER FILE');
  const recorder = await startRecorder(listenPath, serverPath, file);
  process.once('SIGINT', () => void recorder.close());
}
