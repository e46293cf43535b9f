import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { QmpClient } from './qmp-client.ts';
import { QmpClosedError, QmpError, QmpTimeoutError } from './qmp-errors.ts';

const greeting = '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}\n';
type Command = { id: number; execute?: string; 'exec-oob'?: string; arguments: Record<string, unknown> };

let folder: string;
let server: Server;
let peers: Socket[];

beforeEach(() => {
  folder = mkdtempSync('/tmp/gh-qmp-');
  peers = [];
});
afterEach(async () => {
  for (const peer of peers) peer.destroy();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

/** A peer that greets, accepts the capabilities and hands every further command to `answer`. */
async function peer(answer: (command: Command, socket: Socket) => void): Promise<string> {
  const path = join(folder, 'qmp.sock');
  server = createServer((socket) => {
    peers.push(socket);
    socket.on('error', () => {});
    socket.write(greeting);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const command = JSON.parse(line) as Command;
        if (command.execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${command.id}}\n`);
        else answer(command, socket);
      }
    });
  });
  await new Promise<void>((done) => server.listen(path, done));
  return path;
}

test('answers reach their command whatever their order and however the stream is cut', async () => {
  const held: Command[] = [];
  let random = 1;
  const path = await peer(async (command, socket) => {
    held.push(command);
    if (held.length < 5) return;
    const text = held
      .splice(0)
      .reverse()
      .map(({ id }) => `{"return": {"status": "running", "running": true, "was": ${id}}, "id": ${id}}\n`)
      .join('');
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) {
      random = (random * 48_271) % 2_147_483_647;
      const size = 1 + (random % 17);
      socket.write(bytes.subarray(at, at + size));
      at += size;
      await new Promise(setImmediate);
    }
  });
  const client = await QmpClient.connect(path);
  expect(client.version).toBe('7.2.0');
  const answers = await Promise.all(Array.from({ length: 5 }, () => client.execute('query-status', {})));
  expect(answers.map((answer) => (answer as unknown as { was: number }).was)).toEqual([2, 3, 4, 5, 6]);
  client.close();
});

test('an error carries the class and the words of QEMU', async () => {
  const path = await peer(({ id }, socket) =>
    socket.write(`{"id": ${id}, "error": {"class": "DeviceNotFound", "desc": "No such thing"}}\n`),
  );
  const client = await QmpClient.connect(path);
  const failure = await client.execute('cont', {}).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(QmpError);
  expect(failure).toMatchObject({ command: 'cont', qmpClass: 'DeviceNotFound', desc: 'No such thing' });
  client.close();
});

test('a late answer is dropped and the connection stays usable', async () => {
  let late: (() => void) | null = null;
  const path = await peer(({ id }, socket) => {
    if (late) socket.write(`{"return": {"status": "paused", "running": false}, "id": ${id}}\n`);
    else late = () => socket.write(`{"return": {"status": "running", "running": true}, "id": ${id}}\n`);
  });
  const client = await QmpClient.connect(path);
  await expect(client.execute('query-status', {}, { timeoutMs: 20 })).rejects.toThrow(QmpTimeoutError);
  (late as (() => void) | null)?.();
  expect(await client.execute('query-status', {})).toEqual({ status: 'paused', running: false });
  client.close();
});

test('what waits is rejected when QEMU goes away', async () => {
  const path = await peer((_, socket) => socket.destroy());
  const client = await QmpClient.connect(path);
  await expect(client.execute('quit', {})).rejects.toThrow(QmpClosedError);
  await client.closed;
  expect(client.isClosed).toBe(true);
  await expect(client.execute('cont', {})).rejects.toThrow(QmpClosedError);
});

test('a peer that says nothing is given up at the deadline', async () => {
  const path = join(folder, 'qmp.sock');
  server = createServer((socket) => peers.push(socket));
  await new Promise<void>((done) => server.listen(path, done));
  await expect(QmpClient.connect(path, 50)).rejects.toThrow(QmpTimeoutError);
});

test('a socket nobody listens on is refused at once', async () => {
  const path = await peer(() => {});
  await new Promise((done) => server.close(done));
  await expect(QmpClient.connect(path)).rejects.toThrow(QmpClosedError);
  await peer(() => {});
});

test('a peer that sends garbage or an endless line is cut off', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('nonsense\n', '[1]\n', `${'x'.repeat(9 * 1024 * 1024)}`), async (garbage) => {
      const path = await peer((_, socket) => socket.write(garbage));
      const client = await QmpClient.connect(path);
      await expect(client.execute('query-status', {})).rejects.toThrow(QmpClosedError);
      for (const one of peers.splice(0)) one.destroy();
      await new Promise((done) => server.close(done));
    }),
    { numRuns: 6 },
  );
  await peer(() => {});
});

test('events come in order and not after the listener has left', async () => {
  const path = await peer(({ id }, socket) => {
    socket.write(
      '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n{"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 1}}\n',
    );
    socket.write(`{"return": {}, "id": ${id}}\n`);
  });
  const client = await QmpClient.connect(path);
  const seen: string[] = [];
  const leave = client.onEvent(({ event }) => seen.push(event));
  await client.execute('cont', {});
  leave();
  await client.execute('cont', {});
  expect(seen).toEqual(['STOP', 'RESUME']);
  client.close();
});
