/** The engine's calls as functions, over HTTP on its Unix socket. For the app's main process and the command line. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { WebSocket } from 'ws';
import type { CallInput, CallName, CallOutput } from '../../contract/calls.ts';
import { Failure, type Result, toFailure } from '../../contract/errors.ts';
import { type ClientKind, clientHeader, userHeader, versionHeader } from '../../contract/handshake.ts';
import type { GuestId } from '../../contract/ids.ts';

export type EngineAddress = { socketPath: string; version: string; client: ClientKind };

export type CallOptions = {
  /** Longest wait for the answer; calls that wait for a guest themselves want more than the client's own. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

export type EngineClient = {
  readonly address: EngineAddress;
  /** @throws Failure as the engine gave it, or `engine/unreachable` */
  call<Name extends CallName>(name: Name, input: CallInput<Name>, options?: CallOptions): Promise<CallOutput<Name>>;
  /** The same, with failures as values: what crosses to the window. */
  tryCall(name: string, input: unknown, options?: CallOptions): Promise<Result<unknown>>;
  /** The guest's screen as PNG, no older than `maxAgeMs`; null when there is no picture of it. */
  screenPng(guest: GuestId, maxAgeMs: number): Promise<Buffer | null>;
  /** The guest's serial console, a socket of binary messages; not yet open when it is returned. */
  openSerial(guest: GuestId): WebSocket;
  /** What spice-webdavd in the guest says of the folders that are shared with it, and the answers; likewise. */
  openFolders(guest: GuestId): WebSocket;
  /** The engine's events; see `engine-events.ts`. */
  openEvents(): WebSocket;
  /** Drops idle connections. */
  close(): void;
};

/** A screenshot of a huge screen in base64 is the largest answer there is. */
const answerMaxBytes = 256 * 1024 * 1024;

/** `timeoutMs`: the longest wait for the answer to a call that does not say otherwise. */
export function createEngineClient(address: EngineAddress, timeoutMs = 30_000): EngineClient {
  const { socketPath } = address;
  const headers = {
    [versionHeader]: address.version,
    [clientHeader]: address.client,
    [userHeader]: userInfo().username,
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });

  const send = (method: 'GET' | 'POST', path: string, body: string | null, options: CallOptions) =>
    new Promise<{ status: number; type: string; bytes: Buffer }>((resolve, reject) => {
      const waitMs = options.timeoutMs ?? timeoutMs;
      const outgoing = request({
        socketPath,
        path,
        method,
        agent,
        ...(options.signal ? { signal: options.signal } : {}),
        headers: body === null ? headers : { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${waitMs / 1000} s`)), waitMs);
      const fail = (thrown: Error) => {
        clearTimeout(timer);
        reject(unreachable(socketPath, thrown));
      };
      outgoing.on('error', fail);
      outgoing.on('response', (response) => {
        readAll(response).then((bytes) => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', bytes });
        }, fail);
      });
      outgoing.end(body ?? undefined);
    });

  const tryCall: EngineClient['tryCall'] = async (name, input, options = {}) => {
    try {
      const { bytes } = await send('POST', `/v1/${name}`, JSON.stringify(input), options);
      return parseResult(bytes);
    } catch (thrown) {
      if (thrown instanceof Failure) return { ok: false, error: thrown.error };
      throw thrown;
    }
  };
  const openWebSocket = (path: string) =>
    new WebSocket(`ws://engine${path}`, { headers, perMessageDeflate: false, createConnection: () => connect(socketPath) });

  return {
    address,
    tryCall,
    async call<Name extends CallName>(name: Name, input: CallInput<Name>, options?: CallOptions) {
      const result = await tryCall(name, input, options);
      if (result.ok) return result.value as CallOutput<Name>;
      throw toFailure(result.error);
    },
    async screenPng(guest, maxAgeMs) {
      const { status, type, bytes } = await send('GET', `/v1/guests/${guest}/screen.png?maxAgeMs=${maxAgeMs}`, null, {});
      if (status === 204) return null;
      if (type.startsWith('image/png')) return bytes;
      const result = parseResult(bytes);
      if (result.ok) return null;
      throw toFailure(result.error);
    },
    openSerial: (guest) => openWebSocket(`/v1/guests/${guest}/serial`),
    openFolders: (guest) => openWebSocket(`/v1/guests/${guest}/folders`),
    openEvents: () => openWebSocket('/v1/events'),
    close: () => agent.destroy(),
  };
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerMaxBytes) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The engine is of our own version and parsed what it says; only the envelope is looked at here. */
function parseResult(bytes: Buffer): Result<unknown> {
  try {
    const result: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof result === 'object' && result !== null && 'ok' in result) return result as Result<unknown>;
  } catch {
    // said below
  }
  throw new Failure('engine/unreachable', 'What answers on the engine’s socket is not an engine.', {
    detail: bytes.subarray(0, 200).toString('utf8'),
  });
}

export function unreachable(socketPath: string, thrown: unknown): Failure {
  return new Failure(
    'engine/unreachable',
    'The engine does not answer.',
    {
      hint: 'Start it with “guesthouse engine start”.',
      detail: `${socketPath}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    },
    { cause: thrown },
  );
}
