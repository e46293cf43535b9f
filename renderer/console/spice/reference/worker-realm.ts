/**
 * What spice-html5 takes from a browser's page, provided inside a worker: `window`, `document`, `Image`, `alert` and `WebSocket`.
 *
 * The worker holds one console and nothing else, so that these are seen by no other code, element ids cannot clash between consoles, and
 * everything the package leaves behind (timers, listeners, caches) ends with the worker.
 */
import { ProtocolError } from './framing.ts';

/** More than an 8K screen. */
const surfaceMaxPixels = 64 * 1024 * 1024;

export function checkSurfaceSize(width: number, height: number): void {
  if (!(width > 0 && height > 0 && width <= 16_384 && height <= 16_384 && width * height <= surfaceMaxPixels))
    throw new ProtocolError(`A picture of ${width} × ${height} pixels is not possible.`);
}

/** The attributes and methods of an HTML canvas that the package uses. */
class WorkerCanvas extends OffscreenCanvas {
  setAttribute(name: string, value: number): void {
    if (name === 'width') this.width = checkedLength(value);
    if (name === 'height') this.height = checkedLength(value);
  }
  focus(): void {}
}

function checkedLength(value: number): number {
  if (!(value > 0 && value <= 16_384)) throw new ProtocolError(`A picture with a side of ${value} pixels is not possible.`);
  return value;
}

type Context = OffscreenCanvasRenderingContext2D;

/** The decoder writes every pixel itself and often reads them back: a canvas in main memory is the quickest for that. */
const contextOptions = { willReadFrequently: true } as const;

/** JPEG pictures are decoded through an `Image` by the package. */
class WorkerImage {
  onload: (() => void) | undefined;
  bitmap: ImageBitmap | undefined;

  set src(source: string) {
    const prefix = 'data:image/jpeg,';
    if (!source.startsWith(prefix)) return;
    const bytes = new Uint8Array((source.length - prefix.length) / 3);
    for (let index = 0; index < bytes.length; index++)
      bytes[index] = Number.parseInt(source.slice(prefix.length + index * 3 + 1, prefix.length + index * 3 + 3), 16);
    createImageBitmap(new Blob([bytes], { type: 'image/jpeg' })).then(
      (bitmap) => {
        this.bitmap = bitmap;
        this.onload?.();
        bitmap.close();
      },
      // A picture that cannot be decoded is left out; the next drawing of that area mends it.
      () => undefined,
    );
  }
}

export type WorkerRealm = {
  /** The next canvas that is made is the one that the page shows. */
  expectPrimary(): void;
};

/** Installs the realm. `primary` is the page's canvas; `WebSocketLike` is what the package connects through. */
export function installRealm(primary: OffscreenCanvas, WebSocketLike: unknown): WorkerRealm {
  let primaryExpected = false;
  const setPrimaryAttribute = WorkerCanvas.prototype.setAttribute;
  Object.assign(primary, { setAttribute: setPrimaryAttribute, focus: () => undefined });
  prepareContext(primary, { ...contextOptions, alpha: false });

  const screen = { style: {}, appendChild: () => undefined, removeChild: () => undefined };
  const realm = {
    window: {
      setTimeout: (callback: (...rest: unknown[]) => void, delay: number, ...rest: unknown[]) => setTimeout(callback, delay, ...rest),
      clearTimeout: (timer: number) => clearTimeout(timer),
    },
    document: {
      createElement: (name: string) => {
        if (name !== 'canvas') throw new Error(`A console has no <${name}>.`);
        if (primaryExpected) {
          primaryExpected = false;
          return primary;
        }
        return prepareContext(new WorkerCanvas(1, 1), contextOptions);
      },
      getElementById: () => screen,
    },
    Image: WorkerImage,
    WebSocket: WebSocketLike,
    alert: (text: string) => {
      throw new ProtocolError(text);
    },
  };
  for (const [name, value] of Object.entries(realm)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return {
    expectPrimary: () => {
      primaryExpected = true;
    },
  };
}

/** Makes `getContext` give one bounded context, whatever it is asked for. */
function prepareContext<Canvas extends OffscreenCanvas>(canvas: Canvas, options: CanvasRenderingContext2DSettings): Canvas {
  const context = canvas.getContext('2d', options) as Context | null;
  if (!context) throw new Error('This browser gives no canvas to a worker.');
  const createImageData = context.createImageData.bind(context) as (width: number, height: number) => ImageData;
  const drawImage = context.drawImage.bind(context) as (source: CanvasImageSource, ...rest: number[]) => void;
  Object.assign(context, {
    createImageData: (width: number, height: number) => {
      checkSurfaceSize(width, height);
      return createImageData(width, height);
    },
    drawImage: (source: CanvasImageSource | WorkerImage, ...rest: number[]) => {
      if (!(source instanceof WorkerImage)) drawImage(source, ...rest);
      else if (source.bitmap) drawImage(source.bitmap, ...rest);
    },
  });
  return Object.assign(canvas, { getContext: () => context });
}
