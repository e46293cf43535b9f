import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../../tests/support/until.ts';
import { SerialHub, scrollbackBytes } from './serial-hub.ts';

let folder: string;
let server: Server;
let peers: Socket[];
let hub: SerialHub;

beforeEach(async () => {
  folder = mkdtempSync('/tmp/gh-serial-');
  peers = [];
  server = createServer((socket) => peers.push(socket.on('error', () => {})));
  await new Promise<void>((done) => server.listen(`${folder}/serial.sock`, done));
  hub = new SerialHub({ serial: `${folder}/serial.sock`, serialLog: `${folder}/serial.log` });
});
afterEach(async () => {
  hub.close('done');
  for (const peer of peers) peer.destroy();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

function listener(backlogBytes?: () => number) {
  const heard = { text: '', closed: '' };
  return {
    heard,
    data: (bytes: Buffer) => {
      heard.text += bytes.toString('latin1');
    },
    closed: (reason: string) => {
      heard.closed = reason;
    },
    ...(backlogBytes ? { backlogBytes } : {}),
  };
}
const print = (text: string) => until('the hub has joined', () => peers.at(-1)?.write(text, 'latin1') !== undefined);

test('who joins late is given what was printed, also before the engine came', async () => {
  writeFileSync(`${folder}/serial.log`, 'from the log,');
  await hub.open();
  const first = listener();
  hub.attach(first);
  await print('live,');
  await until('it arrives', () => first.heard.text === 'from the log,live,');
  const second = listener();
  hub.attach(second);
  expect(second.heard.text).toBe('from the log,live,');
});

test('what is kept is bounded, in memory and on disk', async () => {
  await hub.open();
  const watcher = listener();
  hub.attach(watcher);
  writeFileSync(`${folder}/serial.log`, 'x'.repeat(5 * 1024 * 1024));
  for (let i = 0; i < 8; i++) await print('y'.repeat(64 * 1024));
  await until('all has arrived', () => watcher.heard.text.length === 512 * 1024);
  const late = listener();
  hub.attach(late);
  expect(late.heard.text.length).toBe(scrollbackBytes);
  expect(statSync(`${folder}/serial.log`).size).toBeLessThan(1024 * 1024);
});

test('a listener that cannot keep up is let go, and the others go on', async () => {
  await hub.open();
  const slow = listener(() => 2 * 1024 * 1024);
  const quick = listener(() => 0);
  hub.attach(slow);
  hub.attach(quick);
  await print('text');
  await until('the quick one hears', () => quick.heard.text === 'text');
  expect(slow.heard.text).toBe('');
  expect(slow.heard.closed).toContain('faster than it could be shown');
});

test('what is typed reaches the guest until the listener has left', async () => {
  await hub.open();
  let typed = '';
  peers[0]?.on('data', (bytes) => {
    typed += bytes;
  });
  await until('the peer is there', () => peers.length === 1);
  peers[0]?.on('data', (bytes) => {
    typed += bytes;
  });
  const one = hub.attach(listener());
  one.write(Buffer.from('a'));
  await until('it arrives', () => typed.includes('a'));
  one.detach();
  one.write(Buffer.from('b'));
  const other = listener();
  hub.attach(other);
  await print('marker');
  await until('the marker is back', () => other.heard.text.includes('marker'));
  expect(typed).not.toContain('b');
});

test('a connection that breaks is made again', async () => {
  await hub.open();
  await until('the peer is there', () => peers.length === 1);
  peers[0]?.destroy();
  await until('it joined again', () => peers.length === 2);
  const one = listener();
  hub.attach(one);
  await print('again');
  await until('it arrives', () => one.heard.text.endsWith('again'));
});
