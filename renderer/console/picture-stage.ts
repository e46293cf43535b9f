/** Where a guest's picture lies in the box of its screen: on whole physical pixels, scaled, turned, and moved where it is zoomed. */
import type { Console, ConsoleCursor, PixelSize } from './console.ts';
import { cursorStyle } from './pointer/cursor-style.ts';
import {
  type Box,
  guestPixelAt,
  guestSizeFor,
  type Pan,
  type Placement,
  panAt,
  place,
  seenAt,
  turnBack,
  turned,
  turnStyle,
  type ViewChoice,
} from './pointer/geometry.ts';
import { GuestPointer } from './pointer/guest-pointer.ts';
import { seenPart } from './pointer/neighbours.ts';

type Point = { x: number; y: number };
type GuestPoint = { xPx: number; yPx: number };
/** Draws its picture on a canvas of ours as small as it is shown. */
type Shrinks = Pick<Console, 'canvas' | 'shrinkOnto' | 'setShownSize'>;

export class PictureStage {
  readonly #box: HTMLElement;
  readonly #element: HTMLDivElement;
  readonly #guestPointer: GuestPointer;
  readonly #window: Window & typeof globalThis;
  #picture: HTMLCanvasElement | null = null;
  /** Lies upon the picture while that is shown smaller than it is. */
  #shrunken: HTMLCanvasElement | null = null;
  #console: Shrinks | null = null;
  /** As the console was told last. */
  #shownSize: PixelSize | null = null;
  #size: PixelSize | null = null;
  #placement: Placement | null = null;
  #choice: ViewChoice = { mode: 'fit', rotation: 0, zoom: 1 };
  #pan: Pan = { x: 0.5, y: 0.5 };

  /** Puts what it shows into `box`, an element of that window. */
  constructor(box: HTMLElement, window: Window & typeof globalThis) {
    this.#box = box;
    this.#window = window;
    this.#element = window.document.createElement('div');
    this.#element.className = 'console-stage';
    this.#guestPointer = new GuestPointer(window);
    this.#element.append(this.#guestPointer.element);
    box.append(this.#element);
  }

  /** How somebody wants to look at it. A change is to be followed by {@link put}. */
  get choice(): ViewChoice {
    return this.#choice;
  }

  set choice(choice: ViewChoice) {
    this.#choice = choice;
  }

  /** Physical pixels for each of the guest's; null while no picture has been put. */
  get scale(): number | null {
    return this.#placement?.scale ?? null;
  }

  /** The part of the picture that is seen, in CSS pixels of the page; null without a picture. */
  get seen(): Box | null {
    return this.#picture ? seenPart(this.#picture.getBoundingClientRect(), this.#box.getBoundingClientRect()) : null;
  }

  /** What a console that is there shows. To be followed by {@link put}. */
  show(console: Shrinks, size: PixelSize): void {
    if (console !== this.#console) this.#leave();
    this.#console = console;
    this.#setPicture(console.canvas, size, true);
  }

  /** The last picture of a console that is gone; null takes it away. To be followed by {@link put}. */
  showFrame(frame: HTMLCanvasElement | null): void {
    this.#leave();
    this.#setPicture(frame, frame && { widthPx: frame.width, heightPx: frame.height }, false);
  }

  /** False while there is nothing to put, or nowhere. */
  put(): boolean {
    const size = this.#size;
    const picture = this.#picture;
    if (!size || !picture || this.#box.clientWidth === 0) return false;
    const { rotation } = this.#choice;
    const placement = place(size, this.#box.getBoundingClientRect(), this.#window.devicePixelRatio, this.#choice, this.#pan);
    this.#placement = placement;
    const lies = rotation % 180 === 0;
    const style = {
      left: `${placement.left}px`,
      top: `${placement.top}px`,
      width: `${lies ? placement.width : placement.height}px`,
      height: `${lies ? placement.height : placement.width}px`,
      transform: turnStyle(rotation, placement),
    };
    Object.assign(picture.style, style, { imageRendering: placement.sharp ? 'pixelated' : 'auto' });
    this.#putShrunken(style, placement);
    this.#element.style.width = `${placement.left + placement.width}px`;
    this.#element.style.height = `${placement.top + placement.height}px`;
    return true;
  }

  /** Remembers which part of a zoomed picture belongs to a point of the page. To be followed by {@link put}. */
  panTo(at: Point): void {
    this.#pan = panAt(at, this.#box.getBoundingClientRect());
  }

  /** The same for a pixel of the guest. */
  panToGuest(at: GuestPoint): void {
    if (!this.#size) return;
    const { x, y } = seenAt(at, this.#size, this.#choice.rotation);
    const { widthPx, heightPx } = turned(this.#size, this.#choice.rotation);
    this.#pan = panAt({ x, y }, { left: 0, top: 0, width: widthPx, height: heightPx });
  }

  /** The guest's pixel under a point of the page, or the nearest; null without a picture. */
  guestPixelAt(at: Point): GuestPoint | null {
    const picture = this.#picture?.getBoundingClientRect();
    return picture && this.#size ? guestPixelAt(at, picture, this.#size, this.#choice.rotation) : null;
  }

  /** A movement in CSS pixels as the guest would have made it, in its own pixels. */
  guestMotion(by: Point): Point {
    const factor = this.#window.devicePixelRatio / (this.scale ?? 1);
    return turnBack({ x: by.x * factor, y: by.y * factor }, this.#choice.rotation);
  }

  /** The size of a guest that would fill the box. */
  get wantedSize(): PixelSize {
    const { width, height } = this.#box.getBoundingClientRect();
    const box = this.#choice.rotation % 180 === 0 ? { width, height } : { width: height, height: width };
    return guestSizeFor(box, this.#window.devicePixelRatio);
  }

  /** The shape of this computer's pointer over the picture, as CSS. */
  get cursor(): string {
    return this.#picture?.style.cursor ?? '';
  }

  /** Gives this computer's pointer that shape over the picture, and says what it is as CSS. */
  showCursor(cursor: ConsoleCursor): string {
    const style = cursorStyle(cursor, this.scale ?? 1, this.#window.devicePixelRatio, this.#choice.rotation);
    if (this.#picture) this.#picture.style.cursor = style;
    return style;
  }

  /** Draws the guest's own pointer on its picture; null draws none. */
  drawPointer(pointer: { shape: ConsoleCursor; at: GuestPoint } | null): void {
    const placement = this.#placement;
    if (pointer?.shape.kind !== 'shape' || !placement || !this.#size) this.#guestPointer.hide();
    else this.#guestPointer.show(pointer.shape, seenAt(pointer.at, this.#size, this.#choice.rotation), placement, this.#choice.rotation);
  }

  #setPicture(picture: HTMLCanvasElement | null, size: PixelSize | null, live: boolean): void {
    this.#size = size;
    picture?.toggleAttribute('data-console-canvas', live);
    picture?.toggleAttribute('data-console-frame', !live);
    if (picture === this.#picture) return;
    this.#picture?.remove();
    this.#picture = picture;
    if (!picture) return;
    picture.classList.add('console-picture');
    this.#element.prepend(picture);
  }

  /** A console that is not shown here any more shrinks nothing for us. */
  #leave(): void {
    if (this.#shownSize) this.#console?.setShownSize(null);
    this.#shownSize = null;
    this.#console = null;
    this.#shrunken?.remove();
    this.#shrunken = null;
  }

  #putShrunken(style: Partial<CSSStyleDeclaration>, { width, height, scale }: Placement): void {
    const physical = (css: number) => Math.round(css * this.#window.devicePixelRatio);
    const shown = scale < 1 ? turned({ widthPx: physical(width), heightPx: physical(height) }, this.#choice.rotation) : null;
    const console = this.#console;
    if (!console) return;
    if (shown && !this.#shrunken) {
      const canvas = this.#window.document.createElement('canvas');
      canvas.className = 'console-picture console-shrunken';
      canvas.setAttribute('aria-hidden', 'true');
      this.#shrunken = canvas;
      console.shrinkOnto(canvas);
    }
    if (shown?.widthPx !== this.#shownSize?.widthPx || shown?.heightPx !== this.#shownSize?.heightPx) console.setShownSize(shown);
    this.#shownSize = shown;
    if (!this.#shrunken) return;
    // Each of its pixels is one of the display.
    Object.assign(this.#shrunken.style, style, { imageRendering: 'pixelated' });
    if (!shown) this.#shrunken.remove();
    else if (!this.#shrunken.isConnected) this.#picture?.after(this.#shrunken);
  }
}
