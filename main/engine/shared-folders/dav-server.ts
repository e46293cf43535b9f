/**
 * The folders that are shared with one guest, as a WebDAV server of classes 1 and 2 (RFC 4918) without a port: connections are streams of
 * bytes that came through the guest's console. Whoever asks is hostile.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { DavError, toDavError } from './dav-error.ts';
import { DavLocks } from './dav-locks.ts';
import { allowed, get, options, propfind } from './dav-reading.ts';
import { answerError, type DavRequest, etagOf, header, lookAt, readRequest } from './dav-request.ts';
import { lock, makeFolder, proppatch, put, remove, transfer, unlock } from './dav-writing.ts';
import { checkIfHeader } from './if-header.ts';
import type { SharedFolder } from './open-folder.ts';
import { Uploads } from './uploads.ts';

export type DavServerOptions = {
  /** Asked anew for every request. */
  shares(): readonly SharedFolder[];
  /** Milliseconds since 1970. */
  now(): number;
  /** Something that should not happen happened. */
  failed(error: unknown): void;
};

/** A connection, and what is told of it. */
export type DavConnection = { stream: Duplex; began(): void; answered(): void };

const headersMaxBytes = 16 * 1024;
/** Names that lead to the guest itself. A page of another name, whose address was made to lead there, is not answered. */
const ownHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|[a-z0-9_-]+(\.local)?)\.?(:\d{1,5})?$/i;

const methods: Readonly<Record<string, (request: DavRequest) => void | Promise<void>>> = {
  OPTIONS: options,
  GET: get,
  HEAD: get,
  PROPFIND: propfind,
  PUT: put,
  MKCOL: makeFolder,
  DELETE: remove,
  COPY: (request) => transfer(request, false),
  MOVE: (request) => transfer(request, true),
  PROPPATCH: proppatch,
  LOCK: lock,
  UNLOCK: unlock,
};

export class DavServer {
  readonly #options: DavServerOptions;
  readonly #locks: DavLocks;
  readonly #uploads = new Uploads();
  readonly #connections = new Map<Duplex, DavConnection>();
  readonly #http;

  constructor(options: DavServerOptions) {
    this.#options = options;
    this.#locks = new DavLocks(options.now);
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#http = createServer({ maxHeaderSize: headersMaxBytes, requireHostHeader: true }, serve);
    this.#http.on('checkContinue', serve);
    this.#http.on('clientError', (_error, stream) => stream.destroy());
    // Nothing but HTTP is spoken here.
    for (const event of ['connect', 'upgrade'] as const) this.#http.on(event, (_request, stream: Duplex) => stream.destroy());
  }

  serve(connection: DavConnection): void {
    const { stream } = connection;
    this.#connections.set(stream, connection);
    stream.on('close', () => this.#connections.delete(stream));
    stream.on('error', () => stream.destroy());
    this.#http.emit('connection', stream);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.get(request.socket);
    connection?.began();
    response.on('close', () => connection?.answered());
    response.on('error', () => undefined);
    response.setHeader('dav', '1, 2');
    response.setHeader('cache-control', 'no-cache');
    try {
      if (!ownHost.test(header(request, 'host') ?? '')) throw new DavError(403, 'This is a folder of this computer alone.');
      const method = methods[request.method ?? ''];
      if (!method) {
        response.setHeader('allow', allowed);
        throw new DavError(405, 'WebDAV has no such request.');
      }
      const { now } = this.#options;
      const dav = readRequest(request, response, { shares: this.#options.shares(), locks: this.#locks, uploads: this.#uploads, now });
      await checkIfHeader(dav.condition, dav.path, {
        isLocked: (path, token) => this.#locks.covering(path).some((one) => one.token === token),
        etag: async (path) => {
          const entry = await lookAt(dav.shares, path).catch(() => null);
          return entry && etagOf(entry);
        },
      });
      await method(dav);
    } catch (thrown) {
      const error = toDavError(thrown);
      if (error.status === 500 && !request.destroyed) this.#options.failed(thrown);
      if (response.headersSent || response.destroyed) request.socket.destroy();
      else {
        // What a client still sends with a request that was refused is not waited for.
        if (!request.complete) response.setHeader('connection', 'close');
        answerError(response, error);
      }
    }
  }
}
