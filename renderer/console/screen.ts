/**
 * The element that shows a guest, and carries keyboard and pointer to the console. Where the picture lies in it is its stage's. Knows no
 * framework; a page puts `element` where it wants it.
 */
import type { Console, ConsoleCursor, ConsoleEvent, ConsoleInput, PointerButton } from './console.ts';
import { Keyboard, type KeyboardOptions } from './keyboard/keyboard.ts';
import { PictureStage } from './picture-stage.ts';
import { type ViewChoice, zoomBy } from './pointer/geometry.ts';
import { type HeldPointer, pictureUnder, type SeenPicture } from './pointer/neighbours.ts';
import { Touch } from './pointer/touch.ts';
import { Wheel } from './pointer/wheel.ts';

const buttons: readonly PointerButton[] = ['left', 'middle', 'right', 'side', 'extra'];
/** A guest changes its size slowly: only where the dragging of a window's edge came to rest. */
const resizeSettlesMs = 350;
/** Somebody who types goes on for a moment when the connection is lost: until a pause of so long the keys are not this computer's, whose Ctrl+W closes the window. */
const typesOnMs = 1500;

export type ScreenOptions = {
  /** In which the screen will be: its scale, its focus and its visibility count. */
  window: Window & typeof globalThis;
  platform: KeyboardOptions['platform'];
  /** The screens of the same console: a pointer that is dragged from this one goes on there. This one is among them while it lives. */
  together: Set<ConsoleScreen>;
  /** Keyboard and pointer went to the guest, or came back. */
  onGrab(grabbed: boolean): void;
  /** Ctrl+Alt was pressed: the focus must go elsewhere. */
  onRelease(): void;
  /** The picture is drawn at another scale. */
  onScale(scale: number): void;
  /** Ctrl and the wheel ask for another zoom. */
  onZoom(zoom: number): void;
};

export class ConsoleScreen {
  /** Takes the focus; while it has it, the guest has the keyboard. */
  readonly element: HTMLDivElement;
  readonly #stage: PictureStage;
  readonly #options: ScreenOptions;
  readonly #window: Window & typeof globalThis;
  readonly #document: Document;
  readonly #keyboard: Keyboard;
  readonly #wheel = new Wheel();
  readonly #zoomWheel = new Wheel();
  readonly #touch = new Touch({
    isTouchpad: () => this.#relative,
    point: (at) => this.#pointAt(at),
    move: (by) => this.#moveBy(by),
    button: (button, down) => this.#button(button, down),
    scroll: (deltaY) => this.#scroll({ deltaY, deltaMode: 0 }),
  });
  readonly #abort = new AbortController();
  readonly #observer: ResizeObserver;
  readonly #viewObserver: IntersectionObserver;
  /** A screen in a tab that is not shown has no box. */
  #inView = true;
  #console: Console | null = null;
  #stopListening = () => {};
  #mayResizeGuest = false;
  #resizeTimer: ReturnType<typeof setTimeout> | undefined;
  #cursor: ConsoleCursor = { kind: 'default' };
  #guestPointer = { xPx: 0, yPx: 0 };
  #grabbed = false;
  /** Runs while the keyboard is held for a guest that there is no connection to. */
  #typesOn: ReturnType<typeof setTimeout> | undefined;
  #wasLive = false;
  #heldButtons = new Set<PointerButton>();
  /** Where the pointer is that was pressed on this one, and the other way round. */
  #draggedOver: ConsoleScreen | null = null;
  #draggedFrom: ConsoleScreen | null = null;
  #motionRest = { x: 0, y: 0 };
  #stopWatchingRatio = () => {};

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#window = options.window;
    this.#document = options.window.document;
    this.element = this.#document.createElement('div');
    this.#stage = new PictureStage(this.element, options.window);
    // Those of another window would not look while that is hidden.
    this.#observer = new options.window.ResizeObserver(() => this.#boxChanged());
    this.#viewObserver = new options.window.IntersectionObserver((entries) => {
      this.#inView = entries.at(-1)?.isIntersecting ?? this.#inView;
      this.#tellSeen();
    });
    this.#keyboard = new Keyboard({
      platform: options.platform,
      send: (input) => this.#send(input),
      release: () => this.release(),
    });
    this.element.tabIndex = 0;
    this.element.className = 'console-screen';
    this.#listen();
    // Told of in the display's own pixels: at a fractional scale those change where CSS pixels do not.
    this.#observer.observe(this.element, { box: 'device-pixel-content-box' });
    this.#viewObserver.observe(this.element);
    this.#watchRatio();
    options.together.add(this);
  }

  get grabbed(): boolean {
    return this.#grabbed;
  }

  /** Shows a live console, or the last picture of one that is gone, or nothing. */
  show(live: Console | null, frame: HTMLCanvasElement | null): void {
    if (live !== this.#console) {
      this.#letGo();
      this.#stopListening();
      this.#console?.setSeen(false);
      this.#console = live;
      this.#tellSeen();
      this.#cursor = { kind: 'default' };
      this.#keyboard.guestLocks(null);
      this.#keyboard.forgetLocks();
      this.#stopListening = live?.listen((event) => this.#hear(event)) ?? (() => {});
    }
    const isLive = live?.state.phase === 'connected';
    // What was pressed meanwhile is not the guest's, and neither is what is still held: it comes again.
    if (isLive && !this.#wasLive) this.#letGo();
    this.#wasLive = isLive;
    if (live?.state.phase === 'connected') this.#stage.show(live, live.state.size);
    else this.#stage.showFrame(frame);
    this.#layout();
    this.#updateGrab();
  }

  setView(choice: ViewChoice): void {
    this.#stage.choice = choice;
    const { classList } = this.element;
    classList.toggle('console-screen-exact', choice.mode !== 'fit' && choice.zoom === 1);
    classList.toggle('console-screen-zoomed', choice.zoom !== 1);
    this.#layout();
    this.#askForSize();
  }

  /** Whether the guest is asked to take on the size of the box. */
  setResizeGuest(on: boolean): void {
    const began = on && !this.#mayResizeGuest;
    this.#mayResizeGuest = on;
    if (began) this.#askForSize();
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  /** Gives keyboard and pointer back. */
  release(): void {
    this.#letGo();
    if (this.#pointerIsLocked) this.#document.exitPointerLock();
    this.#options.onRelease();
  }

  /** Presses keys together, by their physical names: ["ControlLeft", "AltLeft", "Delete"]. */
  chord(codes: readonly string[]): void {
    this.#keyboard.chord(codes);
  }

  /** Combinations that are this computer's although the guest has the keyboard. */
  setLocalKeys(combinations: readonly string[]): void {
    this.#keyboard.setLocalKeys(combinations);
  }

  destroy(): void {
    this.show(null, null);
    this.#updateGrab(true);
    this.#options.together.delete(this);
    if (this.#draggedFrom) this.#draggedFrom.#dragOver(null);
    this.#abort.abort();
    this.#observer.disconnect();
    this.#viewObserver.disconnect();
    this.#stopWatchingRatio();
    clearTimeout(this.#resizeTimer);
    this.element.remove();
  }

  #listen(): void {
    const { signal } = this.#abort;
    const { element } = this;
    const on = <Name extends keyof HTMLElementEventMap>(
      name: Name,
      handler: (event: HTMLElementEventMap[Name]) => void,
      passive?: boolean,
    ) => element.addEventListener(name, handler, { signal, ...(passive === undefined ? {} : { passive }) });
    // Native listeners on the element itself: what the guest gets, neither the page nor the menu must see.
    on('keydown', (event) => this.#key(event, true));
    on('keyup', (event) => this.#key(event, false));
    on('focus', () => this.#updateGrab());
    on('blur', () => this.#updateGrab());
    on('pointerdown', (event) => this.#pointerDown(event));
    on('pointerup', (event) => this.#pointerUp(event));
    on('pointercancel', (event) => {
      if (event.pointerType === 'touch') this.#touch.cancel();
      this.#letGo();
    });
    on('pointermove', (event) => this.#pointerMoved(event));
    on('contextmenu', (event) => event.preventDefault());
    on('wheel', (event) => this.#wheelTurned(event), false);
    on('dragstart', (event) => event.preventDefault());
    this.#window.addEventListener('blur', () => this.#letGo(), { signal });
    this.#document.addEventListener(
      'visibilitychange',
      () => {
        if (this.#document.hidden) this.#letGo();
        this.#tellSeen();
      },
      { signal },
    );
    // Where the pointer went when the lock was lost, its buttons are let go unseen.
    this.#document.addEventListener('pointerlockchange', () => !this.#pointerIsLocked && this.#releaseButtons(), { signal });
  }

  #hear(event: ConsoleEvent): void {
    if (event.kind === 'cursor') {
      this.#cursor = event.cursor;
      this.#showCursor();
    } else if (event.kind === 'cursorMoved') {
      this.#guestPointer = { xPx: event.xPx, yPx: event.yPx };
      this.#followPointer();
      this.#placePointer();
    } else if (event.kind === 'locks') this.#keyboard.guestLocks(event.locks);
    else if (event.kind === 'capabilities') {
      if (event.capabilities.resizeGuest.possible) this.#askForSize();
      // A guest that has found its tablet takes positions from then on.
      if (!this.#relative && this.#pointerIsLocked) this.#document.exitPointerLock();
      this.#showCursor();
    }
  }

  #tellSeen(): void {
    this.#console?.setSeen(this.#inView && !this.#document.hidden);
  }

  get #pointerIsLocked(): boolean {
    return this.#document.pointerLockElement === this.element;
  }

  #send(input: ConsoleInput): void {
    this.#console?.input(input);
  }

  #key(event: KeyboardEvent, down: boolean): void {
    if (!this.#grabbed) return;
    if (this.#typesOn) this.#typeOn();
    const isGuests = down ? this.#keyboard.keyDown(event) : this.#keyboard.keyUp(event);
    if (!isGuests) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #typeOn(): void {
    clearTimeout(this.#typesOn);
    this.#typesOn = setTimeout(() => this.#updateGrab(true), typesOnMs);
  }

  /** `paused`: nobody has typed for a while. */
  #updateGrab(paused = false): void {
    const focused = this.#document.activeElement === this.element;
    const grabbed = focused && this.#console?.state.phase === 'connected';
    if (this.#grabbed && focused && !grabbed && !paused) {
      if (!this.#typesOn) this.#typeOn();
      return;
    }
    clearTimeout(this.#typesOn);
    this.#typesOn = undefined;
    if (grabbed === this.#grabbed) return;
    this.#grabbed = grabbed;
    if (!grabbed) this.#letGo();
    else this.#keyboard.forgetLocks();
    this.#options.onGrab(grabbed);
  }

  /** INVARIANT: nothing stays pressed in a guest that has lost keyboard and pointer (tests/e2e/console.test.ts). */
  #letGo(): void {
    this.#keyboard.releaseAll();
    this.#touch.cancel();
    this.#releaseButtons();
  }

  #releaseButtons(): void {
    for (const button of this.#heldButtons) this.#send({ kind: 'button', button, down: false });
    this.#heldButtons.clear();
    this.#dragOver(null);
  }

  #button(button: PointerButton, down: boolean): void {
    if (down === this.#heldButtons.has(button)) return;
    if (down) this.#heldButtons.add(button);
    else this.#heldButtons.delete(button);
    this.#send({ kind: 'button', button, down });
  }

  /** Movements as the hand made them, where the system tells: the guest accelerates them itself. */
  async #lockPointer(): Promise<void> {
    try {
      await this.element.requestPointerLock({ unadjustedMovement: true });
    } catch {
      // Refused right after the lock was left by Esc, and then by the next click not.
      await this.element.requestPointerLock().then(undefined, () => undefined);
    }
  }

  get #relative(): boolean {
    return this.#console?.capabilities.pointer === 'relative';
  }

  #pointerDown(event: PointerEvent): void {
    if (this.#console?.state.phase !== 'connected') return;
    event.preventDefault();
    this.focus();
    this.#keyboard.syncLocks(event);
    if (event.pointerType === 'touch') {
      this.element.setPointerCapture(event.pointerId);
      this.#touch.down(event.pointerId, { x: event.clientX, y: event.clientY });
      return;
    }
    if (this.#relative && !this.#pointerIsLocked) {
      // This click only asks for the pointer; the guest would get it where its own pointer happens to be.
      void this.#lockPointer();
      return;
    }
    const button = buttons[event.button];
    if (!button) return;
    // A locked pointer goes nowhere else, and browsers refuse to capture it.
    if (!this.#pointerIsLocked) this.element.setPointerCapture(event.pointerId);
    this.#pointerMoved(event);
    this.#button(button, true);
  }

  #pointerUp(event: PointerEvent): void {
    if (event.pointerType === 'touch') {
      this.#touch.up(event.pointerId);
      return;
    }
    const button = buttons[event.button];
    if (!button || !this.#heldButtons.has(button)) return;
    event.preventDefault();
    this.#pointerMoved(event);
    this.#button(button, false);
    if (this.#heldButtons.size === 0) this.#dragOver(null);
  }

  #pointerMoved(event: PointerEvent): void {
    const touched = event.pointerType === 'touch';
    // By fingers a zoomed picture is not moved: what is touched is what is meant.
    if (!touched && this.#stage.choice.zoom !== 1 && !this.#pointerIsLocked) this.#panTo(event);
    if (this.#console?.state.phase !== 'connected') return;
    if (touched) {
      this.#touch.moved(event.pointerId, { x: event.clientX, y: event.clientY });
      return;
    }
    // Between pressing and letting go, further buttons come as movements.
    if (event.type === 'pointermove' && event.button >= 0) this.#buttonsChanged(event);
    if (!this.#relative) this.#pointWith(event);
    else if (this.#pointerIsLocked) this.#moveBy({ x: event.movementX, y: event.movementY });
  }

  /** A movement of the guest's pointer, in CSS pixels. */
  #moveBy(by: { x: number; y: number }): void {
    const moved = this.#stage.guestMotion(by);
    this.#motionRest.x += moved.x;
    this.#motionRest.y += moved.y;
    const dxPx = Math.trunc(this.#motionRest.x);
    const dyPx = Math.trunc(this.#motionRest.y);
    this.#motionRest.x -= dxPx;
    this.#motionRest.y -= dyPx;
    if (dxPx !== 0 || dyPx !== 0) this.#send({ kind: 'motion', dxPx, dyPx });
  }

  /** INVARIANT: with a button held the pointer goes on over the guest's other monitors (tests/e2e/monitors.test.ts, tests/e2e/head-windows.test.ts). */
  #pointWith(event: HeldPointer): void {
    const pressed = this.#seenPicture;
    if (this.#heldButtons.size === 0 || !pressed) {
      this.#pointAt({ x: event.clientX, y: event.clientY });
      return;
    }
    const others = [...this.#options.together].flatMap((screen) => (screen !== this && screen.#seenPicture) || []);
    const { over, at } = pictureUnder(event, pressed, others);
    this.#dragOver(over.screen === this ? null : over.screen);
    over.screen.#pointAt(at);
  }

  get #seenPicture(): (SeenPicture & { screen: ConsoleScreen }) | null {
    if (this.#console?.state.phase !== 'connected' || this.#document.hidden) return null;
    const picture = this.#stage.seen;
    return picture && { screen: this, window: this.#window, picture };
  }

  /** The pointer has the shape that the guest gives it there. */
  #dragOver(screen: ConsoleScreen | null): void {
    if (screen === this.#draggedOver) return;
    if (this.#draggedOver) this.#draggedOver.#draggedFrom = null;
    this.#draggedOver = screen;
    if (screen) screen.#draggedFrom = this;
    this.element.style.cursor = screen ? screen.#stage.cursor : '';
  }

  #pointAt(at: { x: number; y: number }): void {
    const pixel = this.#stage.guestPixelAt(at);
    if (pixel) this.#send({ kind: 'position', ...pixel });
  }

  /** Pointer events tell of a second button only by the mask in a movement. */
  #buttonsChanged(event: PointerEvent): void {
    const button = buttons[event.button];
    const masks: Record<string, number> = { left: 1, right: 2, middle: 4, side: 8, extra: 16 };
    const mask = button ? masks[button] : undefined;
    if (!button || mask === undefined) return;
    this.#button(button, (event.buttons & mask) !== 0);
  }

  #wheelTurned(event: WheelEvent): void {
    // Ctrl and the wheel, which is what pinching a touchpad comes as too, are this side's own.
    if (event.ctrlKey) {
      event.preventDefault();
      const turns = this.#zoomWheel.turn(event);
      if (turns === 0) return;
      this.#stage.panTo({ x: event.clientX, y: event.clientY });
      this.#options.onZoom(zoomBy(this.#stage.choice.zoom, -turns));
      return;
    }
    if (this.#console?.state.phase !== 'connected') return;
    // Exact pixels in a small window scroll with Shift, as the guest gets the wheel itself.
    const { mode, zoom } = this.#stage.choice;
    if (mode !== 'fit' && zoom === 1 && event.shiftKey) return;
    event.preventDefault();
    this.#scroll(event);
  }

  #scroll(turned: { deltaY: number; deltaMode: number }): void {
    const notches = this.#wheel.turn(turned);
    const button = notches > 0 ? 'down' : 'up';
    for (let notch = 0; notch < Math.abs(notches); notch++) {
      this.#send({ kind: 'button', button, down: true });
      this.#send({ kind: 'button', button, down: false });
    }
  }

  #boxChanged(): void {
    this.#layout();
    this.#askForSize();
  }

  #layout(): void {
    const before = this.#stage.scale;
    if (!this.#stage.put()) return;
    this.#showCursor();
    const { scale } = this.#stage;
    if (scale !== null && scale !== before) this.#options.onScale(scale);
  }

  /** Shows the part of a zoomed picture that belongs to where somebody points. */
  #panTo({ clientX, clientY }: PointerEvent): void {
    this.#stage.panTo({ x: clientX, y: clientY });
    this.#stage.put();
  }

  /** Of a guest that takes movements the part is shown where it has put its pointer. */
  #followPointer(): void {
    if (this.#stage.choice.zoom === 1 || !this.#relative) return;
    this.#stage.panToGuest(this.#guestPointer);
    this.#stage.put();
  }

  #askForSize(): void {
    clearTimeout(this.#resizeTimer);
    if (!this.#mayResizeGuest || this.#stage.choice.mode !== 'fit' || this.element.clientWidth === 0) return;
    this.#resizeTimer = setTimeout(() => {
      const live = this.#console;
      if (live?.state.phase !== 'connected' || !live.capabilities.resizeGuest.possible) return;
      const wanted = this.#stage.wantedSize;
      const has = live.state.size;
      if (wanted.widthPx !== has.widthPx || wanted.heightPx !== has.heightPx) live.resize(wanted);
    }, resizeSettlesMs);
  }

  #showCursor(): void {
    const live = this.#console?.state.phase === 'connected';
    const style = this.#stage.showCursor(!live || this.#relative ? { kind: 'default' } : this.#cursor);
    if (this.#draggedFrom) this.#draggedFrom.element.style.cursor = style;
    this.#placePointer();
  }

  #placePointer(): void {
    const isDrawn = this.#relative && this.#console?.state.phase === 'connected';
    this.#stage.drawPointer(isDrawn ? { shape: this.#cursor, at: this.#guestPointer } : null);
  }

  /** The window moved to a display with another scale, or was zoomed. */
  #watchRatio(): void {
    const query = this.#window.matchMedia(`(resolution: ${this.#window.devicePixelRatio}dppx)`);
    const changed = () => {
      this.#watchRatio();
      this.#boxChanged();
    };
    query.addEventListener('change', changed, { once: true });
    this.#stopWatchingRatio = () => query.removeEventListener('change', changed);
  }
}
