/** Brings the guest's screen onto the page's canvas: what has changed of it, and no more often than a display shows. */
import { Damage } from '../drawing/damage.ts';
import type { Surface } from '../drawing/surface.ts';

/** Of the usual display. */
const frameMs = 1000 / 60;
/** A console that nobody sees keeps up slowly, so that what it showed last is not long ago. */
const hiddenFrameMs = 1000;

export type PresentationClock = { now(): number; after(delayMs: number, callback: () => void): () => void };

/** INVARIANT: after a frame the canvas shows the surface as it is, and nothing of it is shown that was not drawn (tests/e2e/console.test.ts). */
export class Presentation {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #clock: PresentationClock;
  readonly #damage = new Damage();
  #image: ImageData | null = null;
  #visible = true;
  #shownAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  #frames = 0;

  constructor(canvas: OffscreenCanvas, clock: PresentationClock) {
    // Every pixel comes from main memory: a canvas in main memory takes it with one copy.
    const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    if (!context) throw new Error('This browser gives no canvas to a worker.');
    this.#canvas = canvas;
    this.#context = context;
    this.#clock = clock;
  }

  /** Frames since this was asked last. */
  takeFrames(): number {
    const frames = this.#frames;
    this.#frames = 0;
    return frames;
  }

  /** With null what was shown last stays. */
  setSurface(surface: Surface | null): void {
    this.#damage.clear();
    if (!surface) {
      this.#image = null;
      return;
    }
    const { width, height, pixels } = surface;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    // A view, not a copy: what is drawn upon the surface is what is put.
    const bytes = new Uint8ClampedArray(pixels.buffer as ArrayBuffer, pixels.byteOffset, pixels.byteLength);
    this.#image = new ImageData(bytes, width, height);
    this.#damage.add(0, 0, width, height);
  }

  damaged(left: number, top: number, right: number, bottom: number): void {
    this.#damage.add(left, top, right, bottom);
  }

  setVisible(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    this.#cancel?.();
    this.#cancel = null;
    this.settle();
  }

  /** To be called when what came has been drawn: shows it, at once or when the next frame is due. */
  settle(): void {
    if (this.#damage.empty || this.#cancel || !this.#image) return;
    const due = this.#shownAt + (this.#visible ? frameMs : hiddenFrameMs) - this.#clock.now();
    if (due <= 0) this.#show();
    else
      this.#cancel = this.#clock.after(due, () => {
        this.#cancel = null;
        this.#show();
      });
  }

  #show(): void {
    const image = this.#image;
    if (!image || this.#damage.empty) return;
    this.#shownAt = this.#clock.now();
    this.#frames++;
    this.#damage.take(({ left, top, right, bottom }) => this.#context.putImageData(image, 0, 0, left, top, right - left, bottom - top));
  }
}
