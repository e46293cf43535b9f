/** Brings a monitor of the guest onto the page's canvas: what has changed of it, and no more often than a display shows. */
import type { PixelSize } from '../../console.ts';
import { Damage } from '../drawing/damage.ts';
import type { Rect, Surface } from '../drawing/surface.ts';
import { FramePacer, type PacerClock } from './frame-pacer.ts';
import { ShrunkenPicture } from './shrunken-picture.ts';

/** INVARIANT: after a frame the canvas shows the surface as it is, and nothing of it is shown that was not drawn (tests/e2e/console.test.ts). */
export class Presentation {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #pacer: FramePacer;
  readonly #damage = new Damage();
  #surface: Surface | null = null;
  #image: ImageData | null = null;
  #shrunken: ShrunkenPicture | null = null;
  /** How small somebody sees it; null where it is not smaller than it is. */
  #shownSize: PixelSize | null = null;
  #area: Rect = { left: 0, top: 0, right: 0, bottom: 0 };
  #frames = 0;

  constructor(canvas: OffscreenCanvas, clock: PacerClock) {
    // Every pixel comes from main memory: a canvas in main memory takes it with one copy.
    const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    if (!context) throw new Error('This browser gives no canvas to a worker.');
    this.#canvas = canvas;
    this.#context = context;
    this.#pacer = new FramePacer(clock, () => this.#show());
    // What a canvas shows goes with the browser's process for graphics, whose end takes nothing else with it.
    canvas.addEventListener('contextrestored', () => this.#showAnew());
  }

  /** Frames since this was asked last. */
  takeFrames(): number {
    const frames = this.#frames;
    this.#frames = 0;
    return frames;
  }

  /** Shows that part of the surface. With null what was shown last stays. */
  setSurface(surface: Surface | null, area: Rect): void {
    this.#damage.clear();
    this.#surface = surface;
    if (!surface) {
      this.#image = null;
      return;
    }
    const { width, height, pixels } = surface;
    this.#area = area;
    const shown = { width: area.right - area.left, height: area.bottom - area.top };
    if (this.#canvas.width !== shown.width) this.#canvas.width = shown.width;
    if (this.#canvas.height !== shown.height) this.#canvas.height = shown.height;
    // A view, not a copy: what is drawn upon the surface is what is put.
    const bytes = new Uint8ClampedArray(pixels.buffer as ArrayBuffer, pixels.byteOffset, pixels.byteLength);
    this.#image = new ImageData(bytes, width, height);
    this.#damage.add(area.left, area.top, area.right, area.bottom);
    this.#beginShrunken();
  }

  /** Where it is shown smaller than it is, besides; the one before is forgotten. */
  setShrunkenCanvas(canvas: OffscreenCanvas): void {
    this.#shrunken = new ShrunkenPicture(canvas, () => this.#showAnew());
    this.#beginShrunken();
  }

  /** How small somebody sees it, in physical pixels; null where it is not smaller than it is. */
  setShownSize(size: PixelSize | null): void {
    this.#shownSize = size;
    this.#beginShrunken();
  }

  /** In pixels of the surface. */
  damaged(left: number, top: number, right: number, bottom: number): void {
    const area = this.#area;
    this.#damage.add(Math.max(left, area.left), Math.max(top, area.top), Math.min(right, area.right), Math.min(bottom, area.bottom));
  }

  setVisible(visible: boolean): void {
    this.#pacer.setVisible(visible);
  }

  /** To be called when what came has been drawn. `inPart`: the server is in the middle of saying something. */
  settle(inPart: boolean): void {
    if (this.#image && !this.#damage.empty) this.#pacer.ask(inPart);
  }

  /** Shows what has been drawn, without waiting for the frame that it is due in. */
  flush(): void {
    this.#show();
  }

  #beginShrunken(): void {
    const [shrunken, shown] = [this.#shrunken, this.#shownSize];
    const { left, top, right, bottom } = this.#area;
    const of = { widthPx: right - left, heightPx: bottom - top };
    // Of a monitor that has just become smaller, the page does not know yet.
    if (!shrunken || !shown || !this.#surface || shown.widthPx > of.widthPx || shown.heightPx > of.heightPx) return;
    shrunken.begin(of, shown);
    this.#showAnew();
  }

  #showAnew(): void {
    const { left, top, right, bottom } = this.#area;
    this.#damage.add(left, top, right, bottom);
    this.settle(false);
  }

  #show(): void {
    const image = this.#image;
    if (!image || this.#damage.empty) return;
    this.#frames++;
    const { left: x, top: y } = this.#area;
    this.#damage.take((damage) => {
      const { left, top, right, bottom } = damage;
      this.#context.putImageData(image, -x, -y, left, top, right - left, bottom - top);
      if (this.#shrunken && this.#shownSize && this.#surface) this.#shrunken.draw(this.#surface, this.#area, damage);
    });
  }
}
