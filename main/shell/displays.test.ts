import { EventEmitter } from 'node:events';
import type { BrowserWindow, Rectangle } from 'electron';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isMoving, setFullScreen } from './displays.ts';

const displays = vi.hoisted(() =>
  [0, 1].map((id) => ({
    id,
    workArea: { x: id * 1000, y: 0, width: 1000, height: 800 },
    bounds: { x: id * 1000, y: 0, width: 1000, height: 800 },
  })),
);
vi.mock('electron', () => ({
  screen: {
    getAllDisplays: () => displays,
    getDisplayMatching: ({ x }: { x: number }) => displays[x < 1000 ? 0 : 1],
    on: () => undefined,
  },
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A window whose window manager does what it is asked for after so long; null for never. */
class ManagedWindow extends EventEmitter {
  isFull = false;
  bounds: Rectangle = { x: 100, y: 100, width: 600, height: 400 };
  obeysAfterMs: number | null;
  /** What whoever shows the window was told. */
  readonly told: string[] = [];

  constructor(obeysAfterMs: number | null) {
    super();
    this.obeysAfterMs = obeysAfterMs;
    this.on('enter-full-screen', () => this.told.push('entered'));
    this.on('leave-full-screen', () => {
      if (!isMoving(this.asWindow)) this.told.push('left');
    });
  }

  get asWindow(): BrowserWindow {
    return this as unknown as BrowserWindow;
  }

  setFullScreen(on: boolean): void {
    if (this.obeysAfterMs === null) return;
    setTimeout(() => {
      if (this.isFull === on) return;
      this.isFull = on;
      this.emit(on ? 'enter-full-screen' : 'leave-full-screen');
    }, this.obeysAfterMs);
  }

  isFullScreen = () => this.isFull;
  isDestroyed = () => false;
  getBounds = () => this.bounds;
  getNormalBounds = () => this.bounds;
  unmaximize = () => undefined;
  setBounds(bounds: Rectangle): void {
    this.bounds = bounds;
  }
}

test('a window that goes to another display slowly is not said to have left full screen on its way', async () => {
  const window = new ManagedWindow(3000);
  window.isFull = true;
  const there = setFullScreen(window.asWindow, true, '1');
  await vi.advanceTimersByTimeAsync(10_000);
  await there;
  expect(window.isFull).toBe(true);
  expect(window.bounds.x).toBe(1040);
  expect(window.told).toEqual(['entered']);
  // And from then on it is.
  window.setFullScreen(false);
  await vi.advanceTimersByTimeAsync(3000);
  expect(window.told).toEqual(['entered', 'left']);
});

test('a window that is not let on another display is said to have left full screen', async () => {
  const window = new ManagedWindow(10);
  window.isFull = true;
  window.once('leave-full-screen', () => {
    window.obeysAfterMs = null;
  });
  const there = setFullScreen(window.asWindow, true, '1');
  await vi.advanceTimersByTimeAsync(10_000);
  await there;
  expect(window.told).toEqual(['left']);
});

test('a window that is asked back before it is there goes back, and says so', async () => {
  const window = new ManagedWindow(1000);
  window.isFull = true;
  const there = setFullScreen(window.asWindow, true, '1');
  await vi.advanceTimersByTimeAsync(1500);
  const back = setFullScreen(window.asWindow, false, null);
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all([there, back]);
  expect(window.isFull).toBe(false);
  expect(window.bounds).toEqual({ x: 100, y: 100, width: 600, height: 400 });
  expect(window.told.at(-1)).toBe('left');
});
