/** The console in the real window, used as a person would: keys go to the page as input, and what is read is what the canvas shows. */
import { type BrowserWindow, nativeImage } from 'electron';
import type { Picture } from './pixels.ts';

/** A script world of its own: it sees the page's elements and none of its variables. */
const worldId = 1002;
const canvasSelector = 'canvas[data-console-canvas]';

/** Copies the console's canvas, wherever it is drawn, and gives it as PNG in base64; null while there is none. */
const readCanvas = `(async () => {
  const canvas = document.querySelector('${canvasSelector}');
  if (!canvas || canvas.width < 2 || canvas.height < 2) return null;
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  copy.getContext('2d').drawImage(canvas, 0, 0);
  const blob = await copy.convertToBlob({ type: 'image/png' });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
})()`;

/** Whether the keyboard's focus is in the console, after asking for it. */
const focusConsole = `(() => {
  const canvas = document.querySelector('${canvasSelector}');
  const target = canvas?.closest('[tabindex]') ?? canvas;
  target?.focus();
  return target !== null && target !== undefined && document.activeElement === target;
})()`;

export type Shot = { png: Buffer; picture: Picture };

export async function readConsole(window: BrowserWindow): Promise<Shot | null> {
  const base64: unknown = await window.webContents.executeJavaScriptInIsolatedWorld(worldId, [{ code: readCanvas }]);
  return typeof base64 === 'string' ? shotOf(Buffer.from(base64, 'base64')) : null;
}

export function shotOf(png: Buffer): Shot {
  const image = nativeImage.createFromBuffer(png);
  const { width, height } = image.getSize();
  return { png, picture: { widthPx: width, heightPx: height, bytes: image.toBitmap() } };
}

export async function focusOnConsole(window: BrowserWindow): Promise<boolean> {
  window.focus();
  window.webContents.focus();
  return (await window.webContents.executeJavaScriptInIsolatedWorld(worldId, [{ code: focusConsole }])) === true;
}

/** Presses and releases the key of one character, as the operating system would tell it. `\n` is Enter. */
export function typeKey(window: BrowserWindow, character: string): void {
  const keyCode = character === '\n' ? 'Return' : character === ' ' ? 'Space' : character;
  window.webContents.sendInputEvent({ type: 'keyDown', keyCode });
  window.webContents.sendInputEvent({ type: 'char', keyCode });
  window.webContents.sendInputEvent({ type: 'keyUp', keyCode });
}
