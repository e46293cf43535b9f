/** A web server on loopback that serves files and misbehaves on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Served = {
  body: Buffer;
  etag?: string;
  lastModified?: string;
  /** Answers 200 with everything whatever is asked for. */
  ignoresRange?: boolean;
  /** Breaks the connection after so many bytes of an answer. */
  cutAfterBytes?: number;
  /** Sends so many bytes and then nothing, without closing. */
  stallAfterBytes?: number;
  bytesPerSecond?: number;
  /** What is said of the length instead of the truth. */
  saysLength?: number;
  /** Says nothing of the length. */
  chunked?: boolean;
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
export type Asked = { path: string; range: string | undefined; ifRange: string | undefined; host: string | undefined };

export type FileServer = {
  origin: string;
  asked: Asked[];
  /** Replaces what was served there before. */
  serve(path: string, served: Served | Buffer | string): void;
  handle(path: string, handler: Handler): void;
};

export async function startFileServer(tls?: { key: string; cert: string }): Promise<FileServer> {
  const handlers = new Map<string, Handler>();
  const asked: Asked[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    asked.push({ path, range: request.headers.range, ifRange: request.headers['if-range']?.toString(), host: request.headers.host });
    const handler = handlers.get(path.split('?')[0] ?? '');
    if (handler) return handler(request, response);
    response.writeHead(404).end('not here');
  };
  const server: Server = tls ? createTlsServer(tls, answer) : createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(
    () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  );
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    serve(path, served) {
      const whole: Served =
        typeof served === 'string' ? { body: Buffer.from(served) } : Buffer.isBuffer(served) ? { body: served } : served;
      handlers.set(path, (request, response) => void send(whole, request, response));
    },
    handle: (path, handler) => void handlers.set(path, handler),
  };
}

async function send(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { body, etag, lastModified, cutAfterBytes, stallAfterBytes, bytesPerSecond } = served;
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  const same = condition === undefined || condition === etag || condition === lastModified;
  const from = range && same && !served.ignoresRange ? Number(range[1]) : 0;
  const headers: Record<string, string | number> = {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
  };
  if (from > 0 && from >= body.length) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${body.length}` }).end();
    return;
  }
  if (!served.chunked) headers['content-length'] = served.saysLength ?? body.length - from;
  if (from > 0) headers['content-range'] = `bytes ${from}-${body.length - 1}/${body.length}`;
  response.writeHead(from > 0 ? 206 : 200, headers);
  const end = Math.min(body.length, from + (cutAfterBytes ?? stallAfterBytes ?? body.length));
  const step = bytesPerSecond === undefined ? 256 * 1024 : Math.max(1, Math.round(bytesPerSecond / 20));
  response.setMaxListeners(0);
  for (let at = from; at < end; at += step) {
    if (response.destroyed) return;
    if (!response.write(body.subarray(at, Math.min(end, at + step))))
      await new Promise((ready) => response.once('drain', ready).once('close', ready));
    if (bytesPerSecond !== undefined) await new Promise((tick) => setTimeout(tick, 50));
  }
  if (stallAfterBytes !== undefined) return;
  if (cutAfterBytes !== undefined && end < body.length) response.socket?.destroySoon();
  else response.end();
}
