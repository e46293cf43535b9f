/** A second canvas of a monitor that is shown smaller than it is: the browser's own way of making it smaller loses strokes of text (`shrink.ts`). */
import type { PixelSize } from '../../console.ts';
import { Shrinker } from '../drawing/shrink.ts';
import type { Rect, Surface } from '../drawing/surface.ts';

export class ShrunkenPicture {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  #shrinker: Shrinker | null = null;
  #image: ImageData | null = null;

  /** `lost` is called when what the canvas showed has gone with the browser's process for graphics. */
  constructor(canvas: OffscreenCanvas, lost: () => void) {
    const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    if (!context) throw new Error('This browser gives no canvas to a worker.');
    this.#canvas = canvas;
    this.#context = context;
    canvas.addEventListener('contextrestored', lost);
  }

  /** For monitors of one size, shown with another; what is drawn next must be all of it. */
  begin(of: PixelSize, shown: PixelSize): void {
    const { widthPx, heightPx } = shown;
    this.#shrinker = new Shrinker(of.widthPx, of.heightPx, widthPx, heightPx);
    if (this.#canvas.width !== widthPx) this.#canvas.width = widthPx;
    if (this.#canvas.height !== heightPx) this.#canvas.height = heightPx;
    this.#image = new ImageData(widthPx, heightPx);
  }

  /** Shows what has changed of that area of the surface; `damage` in the surface's pixels. */
  draw({ pixels, width }: Surface, area: Rect, damage: Rect): void {
    const [image, shrinker] = [this.#image, this.#shrinker];
    if (!image || !shrinker) return;
    const within = {
      left: damage.left - area.left,
      top: damage.top - area.top,
      right: damage.right - area.left,
      bottom: damage.bottom - area.top,
    };
    const into = new Uint32Array(image.data.buffer);
    const { left, top, right, bottom } = shrinker.shrink(pixels, area.top * width + area.left, width, within, into);
    this.#context.putImageData(image, 0, 0, left, top, right - left, bottom - top);
  }
}
