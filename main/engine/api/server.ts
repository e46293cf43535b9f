/** The engine's one door: HTTP and WebSocket on a Unix socket that only its user can open. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type WebSocket, WebSocketServer } from 'ws';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import type { Snapshot } from '../../../contract/events.ts';
import { sharesOverConsole } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId } from '../../../contract/ids.ts';
import { version } from '../../../contract/version.ts';
import type { Clock } from '../clock/clock.ts';
import type { Log } from '../log/log.ts';
import { serveFolders } from '../shared-folders/serve-folders.ts';
import { checkCaller } from './caller.ts';
import { serveEvents } from './events-socket.ts';
import type { Services } from './handlers.ts';
import { createRouter, type Traffic } from './router.ts';
import { closeReason, serveSerial } from './serial-socket.ts';

export type ApiServer = {
  /** Takes connections. Whatever lies at the path is removed first: the caller holds the engine's lock. */
  listen(socketPath: string): Promise<void>;
  /** Calls that are being answered, and open WebSockets. */
  busyCount(): { calls: number; sockets: number };
  /** From now on new work is refused with `engine/stopping`. */
  refuseNewWork(): void;
  /** Waits up to `graceMs` for calls that are being answered, tells connected clients, and closes. */
  close(graceMs: number): Promise<void>;
};

export type ApiServerDeps = { services: Services; snapshot: () => Snapshot; clock: Clock; log: Log };

const pingEveryMs = 15_000;
/** What a client sends on a WebSocket: a list of guests, keys for a serial console, or a piece of what a guest asks of shared folders. */
const messageMaxBytes = 256 * 1024;
const streamPath = /^\/v1\/guests\/([^/]+)\/(serial|folders)$/;

export function createApiServer({ services, snapshot, clock, log }: ApiServerDeps): ApiServer {
  let calls = 0;
  let quiet: (() => void) | null = null;
  const traffic: Traffic = {
    stopping: false,
    begin: () => {
      calls++;
    },
    end: () => {
      calls--;
      if (calls === 0) quiet?.();
    },
  };
  const app = createRouter({ services, clock, log, traffic });
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server: Server = createServer(
    // Without end: a call that is written while this side hangs up would be lost, and nobody could tell whether it was carried out.
    { keepAliveTimeout: 0, maxHeaderSize: 16 * 1024 },
    (request, response) => void answer(request, response),
  );
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageMaxBytes, perMessageDeflate: false });

  const routeUpgrade = (request: IncomingMessage): ((socket: WebSocket) => void) => {
    const header = (name: string) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    checkCaller(header, version, true);
    if (traffic.stopping) throw new Failure('engine/stopping', 'The engine is stopping and takes no new work.');
    const { pathname } = new URL(request.url ?? '/', 'http://engine');
    if (pathname === '/v1/events') return (socket) => serveEvents(socket, { hub: services.hub, snapshot, log });
    const [, wanted, stream] = streamPath.exec(pathname) ?? [];
    const id = guestId.safeParse(wanted);
    if (wanted === undefined) throw new Failure('call/unknown', `There is no WebSocket ${pathname}.`);
    if (!id.success) throw new Failure('guest/not-found', `There is no guest ${wanted}.`);
    if (stream === 'folders') return foldersOf(id.data);
    if (!services.guests.consoles(id.data).serial) {
      throw new Failure('console/unavailable', `“${services.guests.show(id.data).spec.name}” has no serial console now.`, {
        hint: 'A guest has one while it runs, if its hardware includes a serial port.',
      });
    }
    return (socket) => serveSerial(socket, services.guests, id.data);
  };

  /** @throws Failure `console/unavailable` for a guest that shares nothing over its console */
  const foldersOf = (id: GuestId) => {
    const running = services.guests.runsWith(id);
    if (!running || !sharesOverConsole(running)) {
      throw new Failure('console/unavailable', `“${services.guests.show(id).spec.name}” shares no folder over its console now.`, {
        hint: 'Share one in its hardware; a guest that runs has it from the next start on.',
      });
    }
    return (socket: WebSocket) =>
      serveFolders(socket, {
        shares: () => services.guests.show(id).spec.shares.filter(({ via }) => via === 'webdav'),
        failed: (error) => log.warn({ error, guest: id }, 'A shared folder could not be served.'),
      });
  };

  server.on('upgrade', (request, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    let serve: (socket: WebSocket) => void;
    try {
      serve = routeUpgrade(request);
    } catch (thrown) {
      refuseUpgrade(stream, thrown);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      keepAlive(socket);
      socket.on('error', (error) => log.debug({ error }, 'A WebSocket failed.'));
      try {
        serve(socket);
      } catch (thrown) {
        const { code, message } = toGuesthouseError(thrown);
        if (code === 'engine/internal') log.error({ error: thrown }, 'A WebSocket could not be served.');
        socket.close(1011, closeReason(message));
      }
    });
  });
  server.on('clientError', (_error, stream) => stream.destroy());

  return {
    async listen(socketPath) {
      rmSync(socketPath, { force: true });
      await new Promise<void>((settle, reject) => {
        server.once('error', reject);
        server.listen(socketPath, () => {
          server.off('error', reject);
          settle();
        });
      });
      chmodSync(socketPath, 0o600);
    },
    busyCount: () => ({ calls, sockets: sockets.clients.size }),
    refuseNewWork() {
      traffic.stopping = true;
    },
    async close(graceMs) {
      traffic.stopping = true;
      if (calls > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        quiet = resolve;
        const timer = setTimeout(resolve, graceMs);
        await promise;
        clearTimeout(timer);
      }
      for (const socket of sockets.clients) socket.close(1001, 'The engine is stopping.');
      const closed = new Promise<void>((settle) => server.close(() => settle()));
      server.closeIdleConnections();
      const lingering = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
      }, 500);
      await closed;
      clearTimeout(lingering);
      sockets.close();
    },
  };
}

/** Ends connections whose other end is gone without a word. */
function keepAlive(socket: WebSocket): void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, pingEveryMs);
  timer.unref();
  socket.on('close', () => clearInterval(timer));
}

function refuseUpgrade(stream: Duplex, thrown: unknown): void {
  const body = JSON.stringify({ ok: false, error: toGuesthouseError(thrown) });
  stream.end(
    `HTTP/1.1 409 Conflict\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
