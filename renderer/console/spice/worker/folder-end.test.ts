import { expect, onTestFinished, test } from 'vitest';
import type { ConsoleFromPage } from '../../../../contract/shell.ts';
import { webdavdMessage, webdavdMessages } from '../../../../tests/support/webdavd.ts';
import { FolderEnd } from './folder-end.ts';

/** The end with a clock that the test turns, and a shell that hands out ports. `room` is what the guest says to what it is given. */
function end(room: () => undefined | Promise<void> = () => undefined) {
  const told: string[] = [];
  const sent: string[] = [];
  const given: Uint8Array[] = [];
  const timers: (() => void)[] = [];
  const folders = new FolderEnd({
    needed: () => told.push('needed'),
    used: (used) => told.push(used ? 'used' : 'unused'),
    after: (_ms, run) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    },
    send: (bytes) => {
      given.push(Uint8Array.from(bytes));
      sent.push(...webdavdMessages(Buffer.from(bytes)).map(({ client, data }) => `${client} ${data}`));
      return room();
    },
  });
  const connect = () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port2.close());
    const heard: ConsoleFromPage[] = [];
    port2.onmessage = (event: MessageEvent<ConsoleFromPage>) => heard.push(event.data);
    folders.attach(port1);
    return { shell: port2, heard };
  };
  return { folders, told, sent, given, timers, connect };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const saidTo = (heard: ConsoleFromPage[]) =>
  heard.map((message) => (message.type === 'data' ? Buffer.from(message.bytes).toString() : message.type)).join(' ');

test('what the guest says before the stream stands waits for it, and answers go to the guest', async () => {
  const { folders, told, sent, connect } = end();
  folders.portOpened();
  expect(told).toEqual(['used', 'needed']);
  let taken = false;
  void folders.portData(bytes('early'))?.then(() => {
    taken = true;
  });
  const { shell, heard } = connect();
  await new Promise((settle) => setTimeout(settle, 20));
  expect([taken, saidTo(heard)]).toEqual([false, '']);
  shell.postMessage({ type: 'open' });
  await expect.poll(() => saidTo(heard)).toBe('early');
  folders.portData(bytes('later'));
  shell.postMessage({ type: 'data', bytes: Uint8Array.from(webdavdMessage(1n, 'answer')) });
  await expect.poll(() => sent).toEqual(['1 answer']);
  await expect.poll(() => saidTo(heard)).toBe('early later');
  folders.portClosed();
  await expect.poll(() => saidTo(heard)).toBe('early later close');
  expect(told).toEqual(['used', 'needed', 'unused']);
});

test('a stream that ended, or that there was none of, is asked for again while the guest has the port open', async () => {
  const { folders, told, timers, connect } = end();
  folders.portOpened();
  folders.refused();
  expect(folders.portData(bytes('to nobody'))).toBeUndefined();
  timers.shift()?.();
  expect(told).toEqual(['used', 'needed', 'needed']);
  const { shell } = connect();
  shell.postMessage({ type: 'open' });
  shell.postMessage({ type: 'closed', reason: 'The engine was restarted.', clean: false });
  await expect.poll(() => timers.length).toBe(1);
  folders.portClosed();
  expect(timers).toEqual([]);
});

test('a port that comes when the guest has closed its end is closed', async () => {
  const { folders, connect } = end();
  folders.portOpened();
  folders.portClosed();
  const { shell } = connect();
  await new Promise((settle) => shell.addEventListener('close', settle, { once: true }));
});

test('a stream that ends in the middle of messages leaves the guest a whole one, and the next begins with one', async () => {
  const { folders, sent, given, timers, connect } = end();
  folders.portOpened();
  const first = connect();
  first.shell.postMessage({ type: 'open' });
  const upload = webdavdMessage(7n, 'a file that is written');
  folders.portData(webdavdMessage(6n, 'question'));
  folders.portData(webdavdMessage(6n, ''));
  folders.portData(upload.subarray(0, 15));
  await expect.poll(() => saidTo(first.heard)).toContain('a fil');
  // Whole, in pieces, and one that is never whole.
  const answers = Buffer.concat([webdavdMessage(7n, 'one'), webdavdMessage(7n, 'two'), webdavdMessage(7n, 'three')]);
  for (const [from, to] of [
    [0, 4],
    [4, 20],
    [20, 33],
  ])
    first.shell.postMessage({ type: 'data', bytes: Uint8Array.from(answers.subarray(from, to)) });
  await expect.poll(() => sent).toEqual(['7 one', '7 two']);
  first.shell.postMessage({ type: 'closed', reason: 'The engine was killed.', clean: false });
  await expect.poll(() => sent).toEqual(['7 one', '7 two', '7 ']);
  // Some is lost meanwhile.
  folders.portData(upload.subarray(15, 20));
  timers.shift()?.();
  const second = connect();
  second.shell.postMessage({ type: 'open' });
  folders.portData(Buffer.concat([upload.subarray(20), webdavdMessage(8n, 'and')]));
  folders.portData(webdavdMessage(8n, 'more'));
  const heard = () => webdavdMessages(Buffer.concat(second.heard.flatMap((message) => (message.type === 'data' ? [message.bytes] : []))));
  await expect.poll(() => heard().map(({ client, data }) => `${client} ${data}`)).toEqual(['8 and', '8 more']);
  second.shell.postMessage({ type: 'data', bytes: Uint8Array.from(webdavdMessage(8n, 'yes')) });
  await expect.poll(() => sent.at(-1)).toBe('8 yes');
  expect(webdavdMessages(Buffer.concat(given))).toHaveLength(4);
});

test('a guest that reads slowly is given one piece after the other, and what a stream that ended had brought is given to nobody', async () => {
  const rooms: PromiseWithResolvers<void>[] = [];
  const { folders, sent, timers, connect } = end(() => {
    const room = Promise.withResolvers<void>();
    rooms.push(room);
    return room.promise;
  });
  folders.portOpened();
  const first = connect();
  first.shell.postMessage({ type: 'open' });
  for (const part of ['one', 'two', 'three']) first.shell.postMessage({ type: 'data', bytes: Uint8Array.from(webdavdMessage(5n, part)) });
  await expect.poll(() => sent).toEqual(['5 one']);
  await new Promise((settle) => setTimeout(settle, 20));
  expect(sent).toEqual(['5 one']);
  rooms.shift()?.resolve();
  await expect.poll(() => sent).toEqual(['5 one', '5 two']);
  first.shell.postMessage({ type: 'closed', reason: 'The engine was killed.', clean: false });
  await expect.poll(() => timers.length).toBe(1);
  rooms.shift()?.resolve();
  timers.shift()?.();
  const second = connect();
  second.shell.postMessage({ type: 'open' });
  second.shell.postMessage({ type: 'data', bytes: Uint8Array.from(webdavdMessage(6n, 'anew')) });
  await expect.poll(() => sent).toEqual(['5 one', '5 two', '6 anew']);
});
