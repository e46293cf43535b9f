import { expect, test } from 'vitest';
import type { ConsoleFromPage, ConsoleToPage } from '../../contract/shell.ts';
import { ByteStream, creditPortionBytes } from './transport.ts';

/** A stream with the shell's end of its port, and what each side was told. */
function open() {
  const { port1, port2 } = new MessageChannel();
  const sent: ConsoleFromPage[] = [];
  const told: string[] = [];
  port2.onmessage = (event: MessageEvent<ConsoleFromPage>) => sent.push(event.data);
  const stream = new ByteStream(port1, {
    open: () => void told.push('open'),
    data: (bytes) => {
      told.push(`data ${bytes.byteLength}`);
      // As whoever is done with them may.
      bytes.buffer.transfer(0);
    },
    closed: (reason, clean) => void told.push(`closed ${clean} ${reason}`),
  });
  const tell = (message: ConsoleToPage) => port2.postMessage(message);
  return { stream, sent, told, tell, shellPort: port2, pagePort: port1 };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('It did not happen within forty seconds.');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const creditOf = (sent: ConsoleFromPage[]) => sent.reduce((sum, message) => sum + (message.type === 'credit' ? message.bytes : 0), 0);

test('every byte that arrives is credited exactly once, in portions', async () => {
  const { sent, tell, shellPort, told } = open();
  const messageBytes = creditPortionBytes / 256;
  for (let index = 0; index < 1023; index++) tell({ type: 'data', bytes: new Uint8Array(messageBytes) });
  await until(() => told.length === 1023);
  expect(creditOf(sent)).toBe(3 * creditPortionBytes);
  expect(sent).toHaveLength(3);
  tell({ type: 'data', bytes: new Uint8Array(messageBytes) });
  await until(() => sent.length === 4);
  expect(creditOf(sent)).toBe(1024 * messageBytes);
  shellPort.close();
});

test('what is under way is what was sent and not yet credited', async () => {
  const { stream, tell, shellPort } = open();
  stream.send(new Uint8Array(300));
  stream.send(new Uint8Array(200));
  expect(stream.bytesUnderWay).toBe(500);
  tell({ type: 'credit', bytes: 300 });
  await until(() => stream.bytesUnderWay === 200);
  shellPort.close();
});

test('who sends much waits for room, which comes with credit or with the end', async () => {
  const { stream, tell, shellPort } = open();
  expect(stream.room(0)).toBeUndefined();
  stream.send(new Uint8Array(300));
  expect(stream.room(300)).toBeUndefined();
  const got: string[] = [];
  void stream.room(200)?.then(() => got.push('some'));
  void stream.room(0)?.then(() => got.push('all'));
  tell({ type: 'credit', bytes: 100 });
  await until(() => got.length === 1);
  expect(got).toEqual(['some']);
  stream.close();
  await until(() => got.length === 2);
  expect(stream.room(0)).toBeUndefined();
  shellPort.close();
});

test('a handler that throws does not keep the credit, which would stall the server for ever', async () => {
  const { port1, port2 } = new MessageChannel();
  const sent: ConsoleFromPage[] = [];
  port2.onmessage = (event: MessageEvent<ConsoleFromPage>) => sent.push(event.data);
  const thrown: unknown[] = [];
  const onUncaught = (error: unknown) => thrown.push(error);
  process.on('uncaughtException', onUncaught);
  new ByteStream(port1, {
    open: () => undefined,
    data: () => {
      throw new Error('no');
    },
    closed: () => undefined,
  });
  port2.postMessage({ type: 'data', bytes: new Uint8Array(creditPortionBytes) });
  await until(() => creditOf(sent) === creditPortionBytes);
  process.off('uncaughtException', onUncaught);
  port2.close();
});

test('a handler that takes its time gives credit only when it is done', async () => {
  const { port1, port2 } = new MessageChannel();
  const sent: ConsoleFromPage[] = [];
  port2.onmessage = (event: MessageEvent<ConsoleFromPage>) => sent.push(event.data);
  const { promise, resolve } = Promise.withResolvers<void>();
  let taken = 0;
  new ByteStream(port1, {
    open: () => undefined,
    data: (bytes) => {
      taken += bytes.byteLength;
      return promise;
    },
    closed: () => undefined,
  });
  port2.postMessage({ type: 'data', bytes: new Uint8Array(creditPortionBytes) });
  await until(() => taken === creditPortionBytes);
  await new Promise((wait) => setTimeout(wait, 20));
  expect(sent).toEqual([]);
  resolve();
  await until(() => creditOf(sent) === creditPortionBytes);
  port2.close();
});

test('the bytes that are sent are a copy', async () => {
  const { stream, sent, shellPort } = open();
  const bytes = new Uint8Array([1, 2, 3]);
  stream.send(bytes);
  bytes.fill(9);
  await until(() => sent.length === 1);
  expect(sent[0]).toEqual({ type: 'data', bytes: new Uint8Array([1, 2, 3]) });
  expect(stream.bytesOut).toBe(3);
  shellPort.close();
});

test('what is sent while something is handled leaves as one message when that is done', async () => {
  const { port1, port2 } = new MessageChannel();
  const sent: ConsoleFromPage[] = [];
  port2.onmessage = (event: MessageEvent<ConsoleFromPage>) => sent.push(event.data);
  const stream = new ByteStream(port1, {
    open: () => undefined,
    data: () => {
      const answer = new Uint8Array(1);
      for (let index = 0; index < 100; index++) {
        answer[0] = index;
        stream.send(answer);
      }
      expect(stream.bytesUnderWay).toBe(100);
    },
    closed: () => undefined,
  });
  port2.postMessage({ type: 'data', bytes: new Uint8Array(1) });
  await until(() => sent.length > 0);
  stream.send(new Uint8Array([100]));
  await until(() => sent.length > 1);
  expect(sent).toEqual([
    { type: 'data', bytes: Uint8Array.from({ length: 100 }, (_, index) => index) },
    { type: 'data', bytes: new Uint8Array([100]) },
  ]);
  port2.close();
});

test('however much is sent while something is handled, it leaves in its order, and before the end', async () => {
  const { port1, port2 } = new MessageChannel();
  const sent: ConsoleFromPage[] = [];
  port2.onmessage = (event: MessageEvent<ConsoleFromPage>) => sent.push(event.data);
  const pieces = [3, 20_000, 9_000, 7_000, 16 * 1024, 1, 2].map((length, index) => new Uint8Array(length).fill(index + 1));
  const stream = new ByteStream(port1, {
    open: () => undefined,
    data: () => {
      for (const piece of pieces) stream.send(piece);
      stream.close();
    },
    closed: () => undefined,
  });
  port2.postMessage({ type: 'data', bytes: new Uint8Array(1) });
  await until(() => sent.at(-1)?.type === 'close');
  const bytes = sent.flatMap((message) => (message.type === 'data' ? [message.bytes] : []));
  expect(Buffer.concat(bytes).equals(Buffer.concat(pieces))).toBe(true);
  expect(bytes.length).toBe(5);
});

test('what belongs together leaves together, also where sending it fails midway', async () => {
  const { stream, sent, shellPort } = open();
  const says = (...bytes: number[]) => stream.send(new Uint8Array(bytes));
  const answer = stream.together(() => {
    says(1, 2);
    says(3);
    return 'done';
  });
  expect(answer).toBe('done');
  expect(() =>
    stream.together(() => {
      says(4);
      throw new Error('no');
    }),
  ).toThrow('no');
  says(5);
  await until(() => sent.length === 3);
  expect(sent.map((message) => (message.type === 'data' ? [...message.bytes] : message.type))).toEqual([[1, 2, 3], [4], [5]]);
  shellPort.close();
});

test('the end is told once, and nothing is sent after it', async () => {
  const { stream, sent, told, tell } = open();
  tell({ type: 'open' });
  tell({ type: 'closed', reason: 'QEMU ended.', clean: true });
  tell({ type: 'data', bytes: new Uint8Array(1) });
  await until(() => told.length === 2);
  stream.send(new Uint8Array(3));
  stream.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(told).toEqual(['open', 'closed true QEMU ended.']);
  expect(sent).toEqual([]);
});

test('a port that is closed without a word ends the stream', async () => {
  const { told, shellPort } = open();
  shellPort.close();
  await until(() => told.length === 1);
  expect(told).toEqual(['closed false The console connection was lost.']);
});

test('a message of another shape ends the stream instead of being guessed at', async () => {
  const { told, shellPort } = open();
  shellPort.postMessage({ type: 'data', bytes: 'text' });
  await until(() => told.length === 1);
  expect(told[0]).toMatch(/^closed false/);
});

test('this side closing says so to the shell and hears nothing more', async () => {
  const { stream, sent, told } = open();
  stream.close();
  await until(() => sent.length === 1);
  expect(sent).toEqual([{ type: 'close' }]);
  expect(told).toEqual([]);
});

test('credit from the shell is no reason to end', async () => {
  const { stream, told, tell, shellPort } = open();
  stream.send(new Uint8Array(10));
  tell({ type: 'credit', bytes: 10 });
  tell({ type: 'open' });
  await until(() => told.length > 0);
  expect(told).toEqual(['open']);
  shellPort.close();
});
