import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConsoleFromPage, type ConsoleToPage, consoleWindowBytes, writtenPortionBytes } from '../../contract/shell.ts';
import { carryConsole, maxMessageBytes, type Port, parseFromPage } from './console-port.ts';
import { unixSocketTransport } from './unix-socket-transport.ts';

let folder: string;
let path: string;
let server: Server;
let served: Socket[];
let arrived: ((socket: Socket) => void)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gh-'));
  path = join(folder, 'spice.sock');
  served = [];
  arrived = [];
  server = createServer((socket) => {
    socket.on('error', () => {});
    served.push(socket);
    arrived.shift()?.(socket);
  });
  await new Promise<void>((settle) => server.listen(path, settle));
});

afterEach(() => {
  for (const socket of served) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Node's own message port in the place of Electron's. */
function portOf(port: MessagePort): Port {
  return {
    post: (message) => port.postMessage(message),
    listen({ message, closed }) {
      port.on('message', message);
      port.on('close', closed);
    },
    close: () => port.close(),
  };
}

type Page = {
  send(message: ConsoleFromPage | unknown): void;
  received: ConsoleToPage[];
  bytes(): Buffer;
  port: MessagePort;
  ended: () => number;
  end: () => void;
};

function openPage({ credits = false }: { credits?: boolean } = {}): Page {
  const { port1, port2 } = new MessageChannel();
  const received: ConsoleToPage[] = [];
  port2.on('message', (message: ConsoleToPage) => {
    received.push(message);
    if (credits && message.type === 'data') port2.postMessage({ type: 'credit', bytes: message.bytes.byteLength });
  });
  let ended = 0;
  const end = carryConsole(portOf(port1), unixSocketTransport(path), () => ended++);
  return {
    send: (message) => port2.postMessage(message),
    received,
    bytes: () => Buffer.concat(received.filter((message) => message.type === 'data').map(({ bytes }) => bytes)),
    port: port2,
    ended: () => ended,
    end,
  };
}

function guestSide(): Promise<Socket> {
  const socket = served[0];
  return socket ? Promise.resolve(socket) : new Promise((settle) => arrived.push(settle));
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((settle) => setImmediate(settle));
  }
}

test('bytes pass both ways, in order and whole', async () => {
  const page = openPage({ credits: true });
  const guest = await guestSide();
  const heard: Buffer[] = [];
  guest.on('data', (bytes) => heard.push(bytes));
  const long = Buffer.alloc(3_000_000, 'guesthouse');
  guest.write(long);
  page.send({ type: 'data', bytes: new Uint8Array([1, 2, 3]) });
  page.send({ type: 'data', bytes: new Uint8Array([4]) });
  await until(() => page.bytes().length === long.length && Buffer.concat(heard).length === 4);
  expect(page.received[0]).toEqual({ type: 'open' });
  expect(page.bytes().equals(long)).toBe(true);
  expect([...Buffer.concat(heard)]).toEqual([1, 2, 3, 4]);
  page.end();
});

test('a page that gives no credit is sent one window and no more, and the guest is slowed down', async () => {
  const page = openPage();
  const guest = await guestSide();
  const chunk = Buffer.alloc(1024 * 1024, 7);
  let written = 0;
  for (let sent = 0; sent < 64; sent++) guest.write(chunk, () => (written += chunk.length));
  await until(() => page.bytes().length >= consoleWindowBytes);
  for (let turn = 0; turn < 200; turn++) await new Promise((settle) => setImmediate(settle));
  expect(page.bytes().length).toBe(consoleWindowBytes);
  expect(written).toBeLessThan(consoleWindowBytes + 8 * 1024 * 1024);
  page.send({ type: 'credit', bytes: consoleWindowBytes });
  await until(() => page.bytes().length === 2 * consoleWindowBytes);
  page.end();
});

test('small reads that come together leave together', async () => {
  const page = openPage({ credits: true });
  const guest = await guestSide();
  await until(() => page.received.length === 1);
  guest.cork();
  for (let sent = 0; sent < 500; sent++) guest.write(Buffer.alloc(400, sent));
  guest.uncork();
  await until(() => page.bytes().length === 200_000);
  expect(page.received.filter(({ type }) => type === 'data').length).toBeLessThan(50);
  page.end();
});

test('a busy stream of little is joined over a few milliseconds', async () => {
  const page = openPage({ credits: true });
  const guest = await guestSide();
  await until(() => page.received.length === 1);
  const messages = () => page.received.filter(({ type }) => type === 'data').length;
  const began = performance.now();
  const pieces = 200;
  // Each is a read of its own: the next is written when the one before has had its turns.
  for (let sent = 0; sent < pieces; sent++) {
    guest.write(Buffer.alloc(100, sent));
    await new Promise((settle) => setTimeout(settle, 0));
  }
  await until(() => page.bytes().length === pieces * 100);
  // One in four milliseconds, however long a busy computer takes, and two of the time at which nothing had come yet.
  expect(messages()).toBeLessThanOrEqual(Math.ceil((performance.now() - began) / 4) + 2);
  page.end();
});

test('what may be an answer to the page is read at once, however busy the stream is', async () => {
  let pauses = 0;
  let say = (_bytes: Uint8Array) => {};
  let told = (_message: unknown) => {};
  const posted: ConsoleToPage[] = [];
  const end = carryConsole(
    {
      post: (message) => posted.push(message),
      listen: ({ message }) => {
        told = message;
      },
      close: () => {},
    },
    (handlers) => {
      say = (bytes) => handlers.data(bytes);
      const pause = () => void pauses++;
      return { write: (_bytes, taken) => taken(), pause, resume: () => {}, resize: () => {}, close: () => {} };
    },
    () => {},
  );
  const answers = () => posted.filter(({ type }) => type === 'data').length;
  for (let asked = 1; asked <= 50; asked++) {
    told({ type: 'data', bytes: new Uint8Array(20) });
    say(new Uint8Array(20));
    await until(() => answers() === asked);
    told({ type: 'credit', bytes: 20 });
  }
  expect(pauses).toBe(0);
  // One that nobody asked for does not go without a rest: otherwise nothing was shown above.
  while (pauses === 0) {
    const before = answers();
    for (let more = 0; more < 2; more++) {
      say(new Uint8Array(20));
      await until(() => answers() === before + 1 + more);
    }
  }
  end();
});

test('what is large and comes in parts is joined over two milliseconds', async () => {
  const page = openPage({ credits: true });
  const guest = await guestSide();
  await until(() => page.received.length === 1);
  const messages = () => page.received.filter(({ type }) => type === 'data').length;
  const began = performance.now();
  const [pieces, pieceBytes] = [60, 40 * 1024];
  for (let sent = 0; sent < pieces; sent++) {
    guest.write(Buffer.alloc(pieceBytes, sent));
    await new Promise((settle) => setTimeout(settle, 0));
  }
  await until(() => page.bytes().length === pieces * pieceBytes);
  // One in two milliseconds, however long a busy computer takes, and those of 128 KiB and more, after which there is no rest.
  const most = Math.ceil((performance.now() - began) / 2) + Math.ceil((pieces * pieceBytes) / (128 * 1024)) + 2;
  expect(messages()).toBeLessThanOrEqual(most);
  expect(page.bytes().equals(Buffer.concat(Array.from({ length: pieces }, (_, sent) => Buffer.alloc(pieceBytes, sent))))).toBe(true);
  page.end();
});

test('no message to the page is larger than the limit, and none drags a larger buffer along', async () => {
  const page = openPage({ credits: true });
  const guest = await guestSide();
  guest.write(Buffer.alloc(2_000_000));
  await until(() => page.bytes().length === 2_000_000);
  for (const message of page.received) {
    if (message.type !== 'data') continue;
    expect(message.bytes.byteLength).toBeLessThanOrEqual(maxMessageBytes);
    expect(message.bytes.buffer.byteLength).toBe(message.bytes.byteLength);
  }
  page.end();
});

test('what the page sends is credited when a portion of it has left, every byte once', async () => {
  const page = openPage();
  const guest = await guestSide();
  let heardBytes = 0;
  guest.on('data', (bytes) => (heardBytes += bytes.length));
  const credited = () => page.received.flatMap((message) => (message.type === 'credit' ? [message.bytes] : []));
  for (let sent = 0; sent < 10; sent++) page.send({ type: 'data', bytes: new Uint8Array(writtenPortionBytes / 4) });
  page.send({ type: 'data', bytes: new Uint8Array(3 * writtenPortionBytes) });
  page.send({ type: 'data', bytes: new Uint8Array(writtenPortionBytes - 1) });
  await until(() => heardBytes === 6.5 * writtenPortionBytes - 1);
  await until(() => credited().length === 3);
  expect(credited()).toEqual([writtenPortionBytes, writtenPortionBytes, 3.5 * writtenPortionBytes]);
  page.send({ type: 'data', bytes: new Uint8Array(1) });
  await until(() => credited().length === 4);
  expect(credited()[3]).toBe(writtenPortionBytes);
  page.end();
});

test('a page that floods a guest that does not read is cut off', async () => {
  const page = openPage();
  const guest = await guestSide();
  guest.pause();
  for (let sent = 0; sent < 32; sent++) page.send({ type: 'data', bytes: new Uint8Array(1024 * 1024) });
  await until(() => page.ended() === 1);
  await until(() => page.received.some(({ type }) => type === 'closed'));
  expect(page.received.at(-1)).toEqual({ type: 'closed', reason: 'The page sent more than the console could take.', clean: false });
});

test('whatever a page sends that is no console message ends the console', async () => {
  const hostile: unknown[] = [
    null,
    'data',
    { type: 'data' },
    { type: 'data', bytes: [1, 2] },
    { type: 'credit', bytes: -1 },
    { type: 'credit', bytes: 1.5 },
    { type: 'credit', bytes: 2 ** 40 },
    { type: 'resize', columns: 0, rows: 10 },
    { type: 'exec', command: 'x' },
  ];
  for (const message of hostile) expect(parseFromPage(message)).toBeNull();
  const page = openPage();
  await guestSide();
  page.send({ type: 'credit', bytes: 1 });
  await until(() => page.received.at(-1)?.type === 'closed');
  expect(page.received.at(-1)).toMatchObject({ clean: false, reason: 'The page gave credit for more than it was sent.' });
});

test('when the guest closes, the page gets every byte first and then hears that it was clean', async () => {
  const page = openPage({ credits: true });
  const guest = await guestSide();
  guest.end(Buffer.alloc(100_000, 1));
  await until(() => page.received.at(-1)?.type === 'closed');
  expect(page.bytes().length).toBe(100_000);
  expect(page.received.at(-1)).toEqual({ type: 'closed', reason: 'The guest closed its console.', clean: true });
  expect(page.ended()).toBe(1);
});

test('bytes that wait for credit are not lost when the guest closes', async () => {
  const page = openPage();
  const guest = await guestSide();
  guest.end(Buffer.alloc(consoleWindowBytes + 1000, 1));
  await until(() => page.bytes().length === consoleWindowBytes);
  page.send({ type: 'credit', bytes: consoleWindowBytes });
  await until(() => page.received.at(-1)?.type === 'closed');
  expect(page.bytes().length).toBe(consoleWindowBytes + 1000);
});

test('when the page closes its port, or is gone, the socket is closed', async () => {
  for (const leave of [(page: Page) => page.send({ type: 'close' }), (page: Page) => page.port.close(), (page: Page) => page.end()]) {
    const page = openPage();
    const guest = await guestSide();
    let closed = false;
    guest.on('close', () => (closed = true));
    guest.resume();
    leave(page);
    await until(() => closed && page.ended() === 1);
    served.length = 0;
  }
});

test('a guest without a console is said to have none', async () => {
  server.close();
  rmSync(path, { force: true });
  const page = openPage();
  await until(() => page.received.length > 0);
  expect(page.received).toEqual([{ type: 'closed', reason: 'The guest’s console did not answer (ENOENT).', clean: false }]);
});
