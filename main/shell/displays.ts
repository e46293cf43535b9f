/** This computer's displays, and windows that are full screen on one of them. */
import { type BrowserWindow, screen } from 'electron';
import type { PhysicalDisplay } from '../../contract/shell.ts';
import type { Rectangle } from './window-placement.ts';

/** A window manager does what it is asked for later, on a busy computer much later, or never. */
const obeysWithinMs = 5000;

export function physicalDisplays(): PhysicalDisplay[] {
  return screen.getAllDisplays().map(({ id, label, bounds, scaleFactor }) => ({ id: String(id), label, scale: scaleFactor, ...bounds }));
}

/** Calls back whenever one was plugged in or out, or stands otherwise. */
export function followDisplays(changed: () => void): void {
  screen.on('display-added', changed);
  screen.on('display-removed', changed);
  screen.on('display-metrics-changed', changed);
}

/** Where each window was before it was brought to a display that it was not on. */
const before = new WeakMap<BrowserWindow, Rectangle>();
const moving = new WeakSet<BrowserWindow>();
const asked = new WeakMap<BrowserWindow, symbol>();

/** Where a window belongs that is away on another display; null for one that is not. */
export function boundsOf(window: BrowserWindow): Rectangle | null {
  return before.get(window) ?? null;
}

/** It leaves full screen only to be that on another display. */
export function isMoving(window: BrowserWindow): boolean {
  return moving.has(window);
}

/** Full screen on that display, or where the window is. The last that was asked for a window holds. */
export async function setFullScreen(window: BrowserWindow, on: boolean, displayId: string | null): Promise<void> {
  const request = Symbol();
  asked.set(window, request);
  moving.delete(window);
  const isOver = () => window.isDestroyed() || asked.get(window) !== request;
  const display = on && displayId !== null ? screen.getAllDisplays().find(({ id }) => String(id) === displayId) : undefined;
  if (display && screen.getDisplayMatching(window.getBounds()).id !== display.id) {
    if (!before.has(window)) before.set(window, window.getNormalBounds());
    moving.add(window);
    const wasFull = window.isFullScreen();
    await leave(window);
    if (isOver()) return;
    window.unmaximize();
    // Not its whole size: a window as large as the display may be taken for one that is full screen already.
    const { x, y, width, height } = display.workArea;
    window.setBounds({ x: x + 40, y: y + 40, width: Math.max(320, width - 80), height: Math.max(240, height - 80) });
    await obeyed(window, true);
    if (isOver()) return;
    moving.delete(window);
    // Nobody was told that it left full screen, since it was to be that again.
    if (wasFull && !window.isFullScreen()) window.emit('leave-full-screen');
    return;
  }
  window.setFullScreen(on);
  if (on) return;
  const bounds = before.get(window);
  before.delete(window);
  if (!bounds) return;
  await leave(window);
  if (!isOver()) window.setBounds(bounds);
}

async function leave(window: BrowserWindow): Promise<void> {
  if (window.isFullScreen()) await obeyed(window, false);
}

/** Settles when the window has become full screen, or has left it; or was not let within {@link obeysWithinMs}. */
function obeyed(window: BrowserWindow, on: boolean): Promise<void> {
  const settled = new Promise<void>((settle) => {
    const done = () => {
      clearTimeout(timer);
      window.off('enter-full-screen', done);
      window.off('leave-full-screen', done);
      settle();
    };
    const timer = setTimeout(done, obeysWithinMs);
    if (on) window.on('enter-full-screen', done);
    else window.on('leave-full-screen', done);
  });
  window.setFullScreen(on);
  return settled;
}
