/** Brings the guest's screen onto the page's canvas: what has changed of it, and no more often than a display shows. */
import { Damage } from '../drawing/damage.ts';
import type { Surface } from '../drawing/surface.ts';
import { FramePacer, type PacerClock } from './frame-pacer.ts';

/** INVARIANT: after a frame the canvas shows the surface as it is, and nothing of it is shown that was not drawn (tests/e2e/console.test.ts). */
export class Presentation {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #pacer: FramePacer;
  readonly #damage = new Damage();
  #image: ImageData | null = null;
  #frames = 0;

  constructor(canvas: OffscreenCanvas, clock: PacerClock) {
    // Every pixel comes from main memory: a canvas in main memory takes it with one copy.
    const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    if (!context) throw new Error('This browser gives no canvas to a worker.');
    this.#canvas = canvas;
    this.#context = context;
    this.#pacer = new FramePacer(clock, () => this.#show());
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
    this.#pacer.setVisible(visible);
  }

  /** To be called when what came has been drawn. */
  settle(): void {
    if (this.#image && !this.#damage.empty) this.#pacer.ask();
  }

  /** Shows what has been drawn, without waiting for the frame that it is due in. */
  flush(): void {
    this.#show();
  }

  #show(): void {
    const image = this.#image;
    if (!image || this.#damage.empty) return;
    this.#frames++;
    this.#damage.take(({ left, top, right, bottom }) => this.#context.putImageData(image, 0, 0, left, top, right - left, bottom - top));
  }
}
