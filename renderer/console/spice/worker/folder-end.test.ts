import { expect, onTestFinished, test } from 'vitest';
import type { ConsoleFromPage } from '../../../../contract/shell.ts';
import { FolderEnd } from './folder-end.ts';

/** The end with a clock that the test turns, and a shell that hands out ports. */
function end() {
  const told: string[] = [];
  const sent: string[] = [];
  const timers: (() => void)[] = [];
  const folders = new FolderEnd({
    needed: () => told.push('needed'),
    used: (used) => told.push(used ? 'used' : 'unused'),
    after: (_ms, run) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    },
    send: (bytes) => void sent.push(Buffer.from(bytes).toString()),
  });
  const connect = () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port2.close());
    const heard: ConsoleFromPage[] = [];
    port2.onmessage = (event: MessageEvent<ConsoleFromPage>) => heard.push(event.data);
    folders.attach(port1);
    return { shell: port2, heard };
  };
  return { folders, told, sent, timers, connect };
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
  shell.postMessage({ type: 'data', bytes: bytes('answer') });
  await expect.poll(() => sent).toEqual(['answer']);
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
