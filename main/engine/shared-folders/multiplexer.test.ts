import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { webdavdMessage, webdavdMessages } from '../../../tests/support/webdavd.ts';
import { DavServer } from './dav-server.ts';
import { clientsMax, type GuestClient, Multiplexer } from './multiplexer.ts';

/** A guest whose port takes everything at once, or only what it is told to. */
function port(connected: (client: GuestClient) => void, options: { slow?: boolean } = {}) {
  const sent: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const clock = { now: 0 };
  const multiplexer = new Multiplexer({
    send(bytes, taken) {
      sent.push(Buffer.from(bytes));
      if (options.slow) waiting.push(taken);
      else queueMicrotask(taken);
    },
    connected,
    now: () => clock.now,
  });
  onTestFinished(() => multiplexer.close());
  return { multiplexer, clock, waiting, sentTo: () => webdavdMessages(Buffer.concat(sent)) };
}

const echo = (client: GuestClient) => void client.on('error', () => undefined).pipe(client);

test('each client hears the answers to what it said itself, and is told of an end once', async () => {
  const { multiplexer, sentTo } = port(echo);
  multiplexer.receive(Buffer.concat([webdavdMessage(1n, 'one'), webdavdMessage(-2n, 'two'), webdavdMessage(1n, ' more')]));
  await expect.poll(() => sentTo().map(({ client, data }) => `${client} ${data}`)).toEqual(['1 one', '-2 two', '1  more']);
  multiplexer.receive(webdavdMessage(1n, ''));
  await expect.poll(() => multiplexer.clientCount).toBe(1);
  expect(sentTo().some(({ data }) => data.length === 0)).toBe(false);
  // The same number again is another client.
  multiplexer.receive(webdavdMessage(1n, 'again'));
  await expect.poll(() => sentTo().at(-1)?.data.toString()).toBe('again');
});

test('how the bytes are cut makes no difference', async () => {
  const message = fc.record({ client: fc.bigInt(-3n, 3n), text: fc.string({ minLength: 1, maxLength: 40 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 12 }), fc.array(fc.nat(30), { maxLength: 60 }), async (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(({ client, text }) => webdavdMessage(client, text)));
      const hear = async (feed: (multiplexer: Multiplexer) => void) => {
        const heard: string[] = [];
        const multiplexer = new Multiplexer({
          send: (_bytes, taken) => taken(),
          connected(client) {
            const place = heard.push('') - 1;
            client.on('data', (data: Buffer) => {
              heard[place] += data.toString('hex');
            });
          },
          now: () => 0,
        });
        feed(multiplexer);
        for (let turn = 0; turn < 3; turn++) await new Promise((settle) => setImmediate(settle));
        return heard;
      };
      const cut = await hear((multiplexer) => {
        let at = 0;
        for (const length of cuts) {
          multiplexer.receive(bytes.subarray(at, at + length));
          at += length;
        }
        multiplexer.receive(bytes.subarray(at));
      });
      expect(cut).toEqual(await hear((multiplexer) => void multiplexer.receive(bytes)));
      const clients = [...new Set(messages.map(({ client }) => client))];
      const said = (id: bigint) =>
        Buffer.from(messages.flatMap(({ client, text }) => (client === id ? [text] : [])).join('')).toString('hex');
      expect(cut).toEqual(clients.map(said));
    }),
    { numRuns: 200 },
  );
});

test('more clients than there can be are sent away, and the others stay', async () => {
  const { multiplexer, sentTo } = port(echo);
  for (let id = 0n; id < BigInt(clientsMax) + 5n; id++) multiplexer.receive(webdavdMessage(id, 'x'));
  expect(multiplexer.clientCount).toBe(clientsMax);
  await expect.poll(() => sentTo().filter(({ data }) => data.length === 0).length).toBe(5);
});

test('who does not read holds the port up, until it is ended', async () => {
  const { multiplexer, clock, sentTo } = port((client) => client.requestBegan());
  let waiting: undefined | Promise<void>;
  let rounds = 0;
  for (; !waiting && rounds < 100; rounds++) waiting = multiplexer.receive(webdavdMessage(7n, Buffer.alloc(60_000)));
  expect(rounds).toBeLessThan(8);
  clock.now = 29_000;
  multiplexer.look();
  expect(multiplexer.clientCount).toBe(1);
  clock.now = 31_000;
  multiplexer.look();
  await waiting;
  expect(multiplexer.clientCount).toBe(0);
  expect(sentTo().at(-1)).toMatchObject({ client: 7n, data: Buffer.alloc(0) });
});

test('who never finishes a request is ended, and who is silent too', async () => {
  const { multiplexer, clock } = port(() => undefined);
  multiplexer.receive(webdavdMessage(1n, 'GET /'));
  clock.now = 15_000;
  multiplexer.receive(webdavdMessage(1n, ' HT'));
  clock.now = 21_000;
  multiplexer.look();
  expect(multiplexer.clientCount).toBe(0);
  const asked = port((client) => client.requestBegan());
  asked.multiplexer.receive(webdavdMessage(1n, 'all of it'));
  asked.clock.now = 60_000;
  asked.multiplexer.look();
  expect(asked.multiplexer.clientCount).toBe(1);
  asked.clock.now = 301_000;
  asked.multiplexer.look();
  expect(asked.multiplexer.clientCount).toBe(0);
});

test('a port that takes nothing is sent no more than a few pieces', async () => {
  const { multiplexer, waiting, sentTo } = port((client) => client.write(Buffer.alloc(10_000_000)), { slow: true });
  multiplexer.receive(webdavdMessage(1n, 'x'));
  for (let turn = 0; turn < 20; turn++) await new Promise((settle) => setImmediate(settle));
  expect(sentTo().length).toBe(1);
  waiting.shift()?.();
  expect(sentTo().length).toBe(2);
  expect(sentTo().every(({ data }) => data.length <= 32 * 1024)).toBe(true);
});

test('programs in a guest read and write files through it, several at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gh-mux-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const server = new DavServer({
    shares: () => [{ tag: 'papers', path: folder, readOnly: false }],
    now: Date.now,
    failed: () => undefined,
  });
  const { multiplexer, sentTo } = port((client) =>
    server.serve({ stream: client, began: () => client.requestBegan(), answered: () => client.requestAnswered() }),
  );
  const heard = (id: bigint) => Buffer.concat(sentTo().flatMap(({ client, data }) => (client === id ? [data] : [])));
  const content = randomBytes(500_000);
  const put = Buffer.from(`PUT /papers/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${content.length}\r\n\r\n`);
  const all = Buffer.concat([put, content]);
  for (let at = 0; at < all.length; at += 60_000) await multiplexer.receive(webdavdMessage(5n, all.subarray(at, at + 60_000)));
  multiplexer.receive(webdavdMessage(6n, 'OPTIONS / HTTP/1.1\r\nhost: localhost\r\n\r\n'));
  await expect.poll(() => heard(5n).toString()).toMatch(/^HTTP\/1\.1 201/);
  await expect.poll(() => heard(6n).toString()).toMatch(/^HTTP\/1\.1 200.*dav: 1, 2/is);
  expect(readFileSync(join(folder, 'a')).equals(content)).toBe(true);
  multiplexer.receive(webdavdMessage(6n, 'GET /papers/a HTTP/1.1\r\nhost: localhost\r\n\r\n'));
  await expect.poll(() => heard(6n).subarray(-content.length).equals(content)).toBe(true);
});
