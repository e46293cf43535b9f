/** The guest's pointer as a CSS cursor, as large as the picture makes it. */
import type { ConsoleCursor } from '../console.ts';
import { type Rotation, seenAt, turned } from './geometry.ts';

/** Browsers ignore cursors that are larger. */
const largestCssPx = 128;

/** `scale` is physical pixels for each guest pixel. */
export function cursorStyle(cursor: ConsoleCursor, scale: number, devicePixelRatio: number, rotation: Rotation): string {
  if (cursor.kind === 'default') return 'default';
  if (cursor.kind === 'hidden') return 'none';
  const factor = Math.min(scale, (largestCssPx * devicePixelRatio) / Math.max(cursor.widthPx, cursor.heightPx));
  const url = drawCursor(cursor, factor, rotation).toDataURL();
  const hot = seenAt({ xPx: cursor.hotXPx, yPx: cursor.hotYPx }, cursor, rotation);
  const hotX = Math.floor((hot.x * factor) / devicePixelRatio);
  const hotY = Math.floor((hot.y * factor) / devicePixelRatio);
  return `image-set(url("${url}") ${devicePixelRatio}x) ${hotX} ${hotY}, default`;
}

/** The shape at `factor` times its size, turned as the picture is. */
export function drawCursor(cursor: Extract<ConsoleCursor, { kind: 'shape' }>, factor: number, rotation: Rotation): HTMLCanvasElement {
  const original = document.createElement('canvas');
  original.width = cursor.widthPx;
  original.height = cursor.heightPx;
  original.getContext('2d')?.putImageData(new ImageData(cursor.rgba, cursor.widthPx, cursor.heightPx), 0, 0);
  if (factor === 1 && rotation === 0) return original;
  const drawn = document.createElement('canvas');
  const seen = turned(cursor, rotation);
  drawn.width = Math.max(1, Math.round(seen.widthPx * factor));
  drawn.height = Math.max(1, Math.round(seen.heightPx * factor));
  const context = drawn.getContext('2d');
  if (!context) return drawn;
  context.imageSmoothingEnabled = !Number.isInteger(factor);
  context.translate(drawn.width / 2, drawn.height / 2);
  context.rotate((rotation * Math.PI) / 180);
  const [width, height] = rotation % 180 === 0 ? [drawn.width, drawn.height] : [drawn.height, drawn.width];
  context.drawImage(original, -width / 2, -height / 2, width, height);
  return drawn;
}
