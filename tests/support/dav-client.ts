/** Asks a WebDAV server that has no port, over a pair of streams, as a program in a guest would; each request on a connection of its own. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { type DavConnection, DavServer } from '../../main/engine/shared-folders/dav-server.ts';
import type { SharedFolder } from '../../main/engine/shared-folders/open-folder.ts';

export type DavAnswer = { status: number; headers: IncomingHttpHeaders; bytes: Buffer; text: string };
export type DavClient = {
  server: DavServer;
  /** What went wrong that should not. */
  failures: unknown[];
  clock: { now: number };
  ask(method: string, path: string, headers?: Record<string, string>, body?: Uint8Array | string): Promise<DavAnswer>;
  /** Bytes as they are; the answer until the connection ends, which is at once when it is `cut`. */
  raw(bytes: string, cut?: boolean): Promise<string>;
};

export function davClientOf(shares: () => readonly SharedFolder[]): DavClient {
  const failures: unknown[] = [];
  const clock = { now: Date.now() };
  const server = new DavServer({ shares, now: () => clock.now, failed: (error) => failures.push(error) });
  const connect = (): Duplex => {
    const [here, there] = duplexPair();
    const connection: DavConnection = { stream: there, began: () => undefined, answered: () => undefined };
    server.serve(connection);
    return here;
  };
  return {
    server,
    failures,
    clock,
    ask: (method, path, headers = {}, body) =>
      new Promise((resolve, reject) => {
        const outgoing = request({
          method,
          path,
          createConnection: () => connect(),
          headers: { host: 'localhost:9843', connection: 'close', ...headers },
        });
        outgoing.on('error', reject);
        outgoing.on('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString('utf8') });
          });
        });
        outgoing.end(body);
      }),
    raw: (bytes, cut = false) =>
      new Promise((resolve) => {
        const stream = connect();
        let said = '';
        stream.on('data', (chunk: Buffer) => {
          said += chunk.toString('utf8');
        });
        stream.on('error', () => resolve(said));
        stream.on('close', () => resolve(said));
        stream.on('end', () => resolve(said));
        stream.write(bytes, () => cut && setImmediate(() => stream.destroy()));
      }),
  };
}
