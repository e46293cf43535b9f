import { expect, test } from 'vitest';
import { type Console, type ConsoleEvent, type ConsoleHead, type ConsoleInput, ConsoleLifecycle } from './console.ts';
import { HeadConsole } from './head-console.ts';

function secondOfTwo() {
  const lifecycle = new ConsoleLifecycle();
  lifecycle.advance({ phase: 'connected', size: { widthPx: 1024, heightPx: 768 } });
  const sent: ConsoleInput[] = [];
  const asked: unknown[] = [];
  const whole = {
    protocol: 'SPICE',
    canvas: {} as HTMLCanvasElement,
    get state() {
      return lifecycle.state;
    },
    heads: [],
    connect: () => undefined,
    resize: (size, head) => void asked.push(size, head),
    setMonitors: (count) => void asked.push(count),
    input: (input) => void sent.push(input),
    close: () => void lifecycle.advance({ phase: 'closed', end: { cause: 'asked', text: '', detail: '' } }),
    listen: (listener) => lifecycle.listen(listener),
  } as Partial<Console> as Console;
  const canvas = {} as HTMLCanvasElement;
  const head: ConsoleHead = { id: 1, display: 2, xPx: 1024, yPx: 10, widthPx: 800, heightPx: 600, canvas };
  const heard: ConsoleEvent[] = [];
  const console = new HeadConsole(whole, head);
  console.listen((event) => heard.push(event));
  return { console, lifecycle, sent, asked, heard, canvas };
}

test('a monitor has its own size and canvas, asks for a size of its own, and sends positions within its display', () => {
  const { console, sent, asked, canvas } = secondOfTwo();
  expect(console.canvas).toBe(canvas);
  expect(console.state).toEqual({ phase: 'connected', size: { widthPx: 800, heightPx: 600 } });
  console.resize({ widthPx: 640, heightPx: 480 });
  expect(asked).toEqual([{ widthPx: 640, heightPx: 480 }, 1]);
  console.input({ kind: 'position', xPx: 3, yPx: 4 });
  console.input({ kind: 'motion', dxPx: 3, dyPx: 4 });
  expect(sent).toEqual([
    { kind: 'position', xPx: 1027, yPx: 14, display: 2 },
    { kind: 'motion', dxPx: 3, dyPx: 4 },
  ]);
});

test('a monitor hears of its display’s pointer where it is over it, and of no other’s', () => {
  const { lifecycle, heard } = secondOfTwo();
  lifecycle.emit({ kind: 'cursor', cursor: { kind: 'hidden' }, display: 0 });
  lifecycle.emit({ kind: 'cursorMoved', xPx: 1, yPx: 1, display: 0 });
  expect(heard).toEqual([]);
  lifecycle.emit({ kind: 'cursor', cursor: { kind: 'hidden' }, display: 2 });
  lifecycle.emit({ kind: 'cursor', cursor: { kind: 'default' } });
  lifecycle.emit({ kind: 'cursorMoved', xPx: 1030, yPx: 15, display: 2 });
  expect(heard).toEqual([
    { kind: 'cursor', cursor: { kind: 'hidden' }, display: 2 },
    { kind: 'cursor', cursor: { kind: 'default' } },
    { kind: 'cursorMoved', xPx: 6, yPx: 5, display: 2 },
  ]);
});

test('the end of the connection is the end of each of its monitors', () => {
  const { console, heard } = secondOfTwo();
  console.close();
  expect(console.state.phase).toBe('closed');
  expect(heard.at(-1)).toMatchObject({ kind: 'state', state: { phase: 'closed' } });
});
