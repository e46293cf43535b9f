import { expect, test } from 'vitest';
import { type Console, type ConsoleCapabilities, type ConsoleEvent, ConsoleLifecycle } from './console.ts';
import type { FileProgress, FileToSend } from './files.ts';
import { OutgoingFiles } from './outgoing-files.ts';

/** A console whose guest takes files, or not. */
function openConsole(possible = true) {
  const lifecycle = new ConsoleLifecycle();
  lifecycle.advance({ phase: 'connected', size: { widthPx: 1, heightPx: 1 } });
  const given: FileToSend[] = [];
  const cancelled: number[] = [];
  const able = (now: boolean): ConsoleCapabilities['files'] => (now ? { possible: true } : { possible: false, reason: 'no agent' });
  const capabilities = { files: able(possible) } as ConsoleCapabilities;
  const console = {
    capabilities,
    listen: (listener: (event: ConsoleEvent) => void) => lifecycle.listen(listener),
    sendFile: (file: FileToSend) => void given.push(file),
    cancelFile: (id: number) => void cancelled.push(id),
  } as Partial<Console> as Console;
  return {
    console,
    given,
    cancelled,
    can: (now: boolean) => {
      capabilities.files = able(now);
      lifecycle.emit({ kind: 'capabilities', capabilities });
    },
    tell: (progress: FileProgress, id = given.at(-1)?.id ?? 0) => lifecycle.emit({ kind: 'file', id, progress }),
    breakDown: () => lifecycle.advance({ phase: 'closed', end: { cause: 'server', text: '', detail: '' } }),
  };
}

function begin() {
  let now = 0;
  const outgoing = new OutgoingFiles(() => now);
  const names = (...all: string[]) => outgoing.send(all.map((name) => ({ name, content: new Blob([new Uint8Array(100)]) })));
  const pass = (ms: number) => {
    now += ms;
  };
  return { outgoing, names, pass };
}

test('files go one after the other, each told which of how many it is, and are counted', () => {
  const { outgoing, names } = begin();
  const live = openConsole();
  outgoing.attach(live.console);
  names('a', 'folder/b');
  expect(live.given.map(({ name, number, of }) => [name, number, of])).toEqual([['a', 1, 2]]);
  live.tell({ state: 'sending', sentBytes: 40 });
  expect(outgoing.view).toMatchObject({ pendingCount: 2, sentBytes: 40, totalBytes: 200, totalCount: 2, sentCount: 0 });
  expect(outgoing.view.pending.map(({ name, state, sentBytes }) => [name, state, sentBytes])).toEqual([
    ['a', 'sending', 40],
    ['folder/b', 'waiting', 0],
  ]);
  live.tell({ state: 'sent' });
  expect(live.given.map(({ name }) => name)).toEqual(['a', 'folder/b']);
  live.tell({ state: 'sent' });
  expect(outgoing.view).toMatchObject({ pendingCount: 0, sentCount: 2, sentBytes: 200 });
  names('c');
  expect(outgoing.view).toMatchObject({ pendingCount: 1, sentCount: 0, totalCount: 1 });
});

test('what was cancelled is not sent by the next connection, nor after the agent was gone, and is cancelled once', () => {
  for (const interrupted of [false, true]) {
    const { outgoing, names } = begin();
    const first = openConsole();
    outgoing.attach(first.console);
    names('a', 'b');
    const [a, b] = outgoing.view.pending.map(({ id }) => id);
    outgoing.cancel(a as number);
    outgoing.cancel(a as number);
    expect(first.cancelled).toEqual([a]);
    if (interrupted) first.tell({ state: 'interrupted' });
    else first.breakDown();
    expect(outgoing.view.pending.map(({ name }) => name)).toEqual(['b']);
    const second = openConsole();
    outgoing.attach(second.console);
    expect([first.given.length, second.given.at(-1)?.id]).toEqual([1, b]);
    outgoing.cancelAll();
    outgoing.cancelAll();
    outgoing.attach(null);
    expect(outgoing.view).toMatchObject({ pendingCount: 0, cancelledCount: 2 });
  }
});

test('a connection that breaks, or an agent that goes, begins the file anew once there is one again', () => {
  const { outgoing, names } = begin();
  const first = openConsole();
  outgoing.attach(first.console);
  names('a', 'b');
  first.tell({ state: 'sending', sentBytes: 40 });
  first.breakDown();
  expect(outgoing.view.pending.map(({ name, state, sentBytes }) => [name, state, sentBytes])).toEqual([
    ['a', 'waiting', 0],
    ['b', 'waiting', 0],
  ]);
  const second = openConsole(false);
  outgoing.attach(second.console);
  expect(second.given).toEqual([]);
  second.can(true);
  expect(second.given.map(({ name }) => name)).toEqual(['a']);
  second.tell({ state: 'interrupted' });
  second.can(false);
  expect(second.given).toHaveLength(1);
  second.can(true);
  expect(second.given.map(({ name }) => name)).toEqual(['a', 'a']);
  // What the console before says means nobody.
  first.tell({ state: 'sent' });
  expect(outgoing.view.sentCount).toBe(0);
});

test('each and all can be cancelled', () => {
  const { outgoing, names } = begin();
  const live = openConsole();
  outgoing.attach(live.console);
  names('a', 'b', 'c');
  outgoing.cancel(outgoing.view.pending[1]?.id ?? 0);
  expect(outgoing.view.pending.map(({ name }) => name)).toEqual(['a', 'c']);
  outgoing.cancel(outgoing.view.pending[0]?.id ?? 0);
  expect(live.cancelled).toEqual([live.given[0]?.id]);
  live.tell({ state: 'cancelled' });
  expect(live.given.map(({ name }) => name)).toEqual(['a', 'c']);
  names('d');
  outgoing.cancelAll();
  expect(outgoing.view.pending.map(({ name }) => name)).toEqual(['c']);
  live.tell({ state: 'cancelled' });
  expect(outgoing.view).toMatchObject({ pendingCount: 0, cancelledCount: 4, sentCount: 0, totalBytes: 0 });
  expect(live.given).toHaveLength(2);
});

test('what failed stays with its reason until it is sent again or put away', () => {
  const { outgoing, names } = begin();
  const live = openConsole();
  outgoing.attach(live.console);
  names('a', 'b');
  live.tell({ state: 'failed', problem: { kind: 'full', freeBytes: 7 } });
  live.tell({ state: 'failed', problem: { kind: 'locked' } });
  expect(outgoing.view).toMatchObject({ pendingCount: 0, failedCount: 2 });
  expect(outgoing.view.failed.map(({ name, problem }) => [name, problem?.kind])).toEqual([
    ['a', 'full'],
    ['b', 'locked'],
  ]);
  outgoing.retry(outgoing.view.failed[1]?.id);
  expect(live.given.at(-1)?.name).toBe('b');
  live.tell({ state: 'sent' });
  expect(outgoing.view).toMatchObject({ failedCount: 1, sentCount: 1 });
  outgoing.retry();
  expect(live.given.at(-1)?.name).toBe('a');
  live.tell({ state: 'failed', problem: { kind: 'locked' } });
  outgoing.dismiss();
  expect(outgoing.view).toMatchObject({ failedCount: 0, pendingCount: 0 });
});

test('the rate is that of the last seconds, and nothing when the guest takes nothing', () => {
  const { outgoing, names, pass } = begin();
  const live = openConsole();
  outgoing.attach(live.console);
  names('a');
  expect(outgoing.view.bytesPerSecond).toBeNull();
  for (let sentBytes = 10; sentBytes <= 40; sentBytes += 10) {
    pass(500);
    live.tell({ state: 'sending', sentBytes });
  }
  expect(outgoing.view.bytesPerSecond).toBeCloseTo(20);
});

test('twenty thousand files are looked through a few at a time', () => {
  const { outgoing } = begin();
  const live = openConsole();
  outgoing.attach(live.console);
  const content = new Blob(['x']);
  outgoing.send(Array.from({ length: 20_000 }, (_, index) => ({ name: `f${index}`, content })));
  expect(outgoing.view.pending).toHaveLength(50);
  const began = performance.now();
  for (let index = 0; index < 20_000; index++) live.tell({ state: 'sent' });
  expect(outgoing.view.sentCount).toBe(20_000);
  expect(performance.now() - began).toBeLessThan(20_000);
});
