import { expect, test } from 'vitest';
import { type ConsoleEvent, ConsoleLifecycle } from './console.ts';

const end = { cause: 'server', text: 'The console was closed.', detail: '' } as const;
const size = { widthPx: 640, heightPx: 480 };

test('a console goes from idle over connecting to connected and may then change its size', () => {
  const lifecycle = new ConsoleLifecycle();
  expect(lifecycle.advance({ phase: 'connecting' })).toBe(true);
  expect(lifecycle.advance({ phase: 'connecting' })).toBe(false);
  expect(lifecycle.advance({ phase: 'connected', size })).toBe(true);
  expect(lifecycle.advance({ phase: 'connected', size: { widthPx: 800, heightPx: 600 } })).toBe(true);
  expect(lifecycle.advance({ phase: 'connecting' })).toBe(false);
  expect(lifecycle.state).toEqual({ phase: 'connected', size: { widthPx: 800, heightPx: 600 } });
});

test('closed is final and is the last thing that is told', () => {
  const lifecycle = new ConsoleLifecycle();
  const told: ConsoleEvent[] = [];
  lifecycle.listen((event) => told.push(event));
  lifecycle.advance({ phase: 'connecting' });
  lifecycle.advance({ phase: 'closed', end });
  expect(lifecycle.advance({ phase: 'closed', end })).toBe(false);
  expect(lifecycle.advance({ phase: 'connected', size })).toBe(false);
  lifecycle.emit({ kind: 'cursor', cursor: { kind: 'hidden' } });
  expect(told.map((event) => (event.kind === 'state' ? event.state.phase : event.kind))).toEqual(['connecting', 'closed']);
});

test('whoever stopped listening hears nothing', () => {
  const lifecycle = new ConsoleLifecycle();
  let heard = 0;
  const stop = lifecycle.listen(() => heard++);
  stop();
  lifecycle.advance({ phase: 'connecting' });
  expect(heard).toBe(0);
});
