/** The pointer of a guest that takes movements, which has it somewhere of its own: it is drawn there. */
import type { ConsoleCursor } from '../console.ts';
import { drawCursor } from './cursor-style.ts';
import { type Placement, type Rotation, seenAt } from './geometry.ts';

type Shape = Extract<ConsoleCursor, { kind: 'shape' }>;

export class GuestPointer {
  readonly element: HTMLDivElement;
  readonly #window: Window;
  #drawn: { shape: Shape; scale: number; rotation: Rotation } | null = null;

  constructor(window: Window) {
    this.#window = window;
    this.element = window.document.createElement('div');
    this.element.className = 'console-pointer';
  }

  hide(): void {
    this.element.replaceChildren();
    this.#drawn = null;
  }

  /** `at` is from the corner of the turned picture, in the guest's pixels. */
  show(shape: Shape, at: { x: number; y: number }, { left, top, scale }: Placement, rotation: Rotation): void {
    const ratio = this.#window.devicePixelRatio;
    if (this.#drawn?.shape !== shape || this.#drawn.scale !== scale || this.#drawn.rotation !== rotation) {
      this.#drawn = { shape, scale, rotation };
      const drawn = drawCursor(shape, scale, rotation);
      drawn.style.width = `${drawn.width / ratio}px`;
      this.element.replaceChildren(drawn);
    }
    const hot = seenAt({ xPx: shape.hotXPx, yPx: shape.hotYPx }, shape, rotation);
    const unit = scale / ratio;
    this.element.style.left = `${left + (at.x - hot.x) * unit}px`;
    this.element.style.top = `${top + (at.y - hot.y) * unit}px`;
  }
}
