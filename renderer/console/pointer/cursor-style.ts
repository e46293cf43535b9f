/** The guest's pointer as a CSS cursor, as large as the picture makes it. */
import type { ConsoleCursor } from '../console.ts';

/** Browsers ignore cursors that are larger. */
const largestCssPx = 128;

/** `scale` is physical pixels for each guest pixel. */
export function cursorStyle(cursor: ConsoleCursor, scale: number, devicePixelRatio: number): string {
  if (cursor.kind === 'default') return 'default';
  if (cursor.kind === 'hidden') return 'none';
  const factor = Math.min(scale, (largestCssPx * devicePixelRatio) / Math.max(cursor.widthPx, cursor.heightPx));
  const url = drawCursor(cursor, factor).toDataURL();
  const hotX = Math.floor((cursor.hotXPx * factor) / devicePixelRatio);
  const hotY = Math.floor((cursor.hotYPx * factor) / devicePixelRatio);
  return `image-set(url("${url}") ${devicePixelRatio}x) ${hotX} ${hotY}, default`;
}

/** The shape at `factor` times its size. */
export function drawCursor(cursor: Extract<ConsoleCursor, { kind: 'shape' }>, factor: number): HTMLCanvasElement {
  const original = document.createElement('canvas');
  original.width = cursor.widthPx;
  original.height = cursor.heightPx;
  original.getContext('2d')?.putImageData(new ImageData(cursor.rgba, cursor.widthPx, cursor.heightPx), 0, 0);
  if (factor === 1) return original;
  const scaled = document.createElement('canvas');
  scaled.width = Math.max(1, Math.round(cursor.widthPx * factor));
  scaled.height = Math.max(1, Math.round(cursor.heightPx * factor));
  const context = scaled.getContext('2d');
  if (context) context.imageSmoothingEnabled = !Number.isInteger(factor);
  context?.drawImage(original, 0, 0, scaled.width, scaled.height);
  return scaled;
}
