/** One of several monitors as a console of its own, for a screen to show: the connection is that of the whole. */
import type { ClipboardPolicy, FilesPolicy } from '../../contract/guest-spec.ts';
import type { CopiedKind, Selection } from './clipboard.ts';
import type {
  Console,
  ConsoleCapabilities,
  ConsoleEvent,
  ConsoleHead,
  ConsoleInput,
  ConsoleState,
  DesktopLook,
  MixerChoice,
  MonitorPlace,
  PixelSize,
  SoundChoice,
} from './console.ts';
import type { FileToSend } from './files.ts';

/** INVARIANT: positions over a monitor mean that monitor, wherever it lies in its display's picture (`head-console.test.ts`). */
export class HeadConsole implements Console {
  readonly #whole: Console;
  readonly #head: ConsoleHead;

  /** `head` as it is now: one that has another size or place is another console. */
  constructor(whole: Console, head: ConsoleHead) {
    this.#whole = whole;
    this.#head = head;
  }

  get protocol(): string {
    return this.#whole.protocol;
  }

  get canvas(): HTMLCanvasElement {
    return this.#head.canvas;
  }

  get state(): ConsoleState {
    const { state } = this.#whole;
    return state.phase === 'connected' ? { phase: 'connected', size: sizeOf(this.#head) } : state;
  }

  get capabilities(): ConsoleCapabilities {
    return this.#whole.capabilities;
  }

  get heads(): readonly ConsoleHead[] {
    return [this.#head];
  }

  connect(): void {
    this.#whole.connect();
  }

  resize(size: PixelSize): void {
    this.#whole.resize(size, this.#head.id);
  }

  setMonitors(count: number, places?: readonly MonitorPlace[]): void {
    this.#whole.setMonitors(count, places);
  }

  setSeen(seen: boolean): void {
    this.#whole.setSeen(seen, this.#head.id);
  }

  shrinkOnto(canvas: HTMLCanvasElement): void {
    this.#whole.shrinkOnto(canvas, this.#head.id);
  }

  setShownSize(size: PixelSize | null): void {
    this.#whole.setShownSize(size, this.#head.id);
  }

  input(input: ConsoleInput): void {
    const { xPx, yPx, display } = this.#head;
    this.#whole.input(input.kind === 'position' ? { ...input, xPx: input.xPx + xPx, yPx: input.yPx + yPx, display } : input);
  }

  get usedAt(): number {
    return this.#whole.usedAt;
  }

  setSound(choice: SoundChoice): void {
    this.#whole.setSound(choice);
  }

  connectSound(to: AudioNode): () => void {
    return this.#whole.connectSound(to);
  }

  setGuestVolume(choice: MixerChoice): void {
    this.#whole.setGuestVolume(choice);
  }

  setDesktopLook(look: DesktopLook): void {
    this.#whole.setDesktopLook(look);
  }

  setMicrophone(allowed: boolean): void {
    this.#whole.setMicrophone(allowed);
  }

  setClipboard(policy: ClipboardPolicy, inUse: boolean): void {
    this.#whole.setClipboard(policy, inUse);
  }

  offerCopied(selection: Selection, kinds: readonly CopiedKind[]): void {
    this.#whole.offerCopied(selection, kinds);
  }

  setFiles(policy: FilesPolicy): void {
    this.#whole.setFiles(policy);
  }

  sendFile(file: FileToSend): void {
    this.#whole.sendFile(file);
  }

  cancelFile(id: number): void {
    this.#whole.cancelFile(id);
  }

  close(): void {
    this.#whole.close();
  }

  listen(listener: (event: ConsoleEvent) => void): () => void {
    const { xPx, yPx, display } = this.#head;
    return this.#whole.listen((event) => {
      if ((event.kind === 'cursor' || event.kind === 'cursorMoved') && (event.display ?? display) !== display) return;
      if (event.kind === 'cursorMoved') listener({ ...event, xPx: event.xPx - xPx, yPx: event.yPx - yPx });
      else if (event.kind === 'state' && event.state.phase === 'connected') listener({ kind: 'state', state: this.state });
      else listener(event);
    });
  }
}

function sizeOf({ widthPx, heightPx }: ConsoleHead): PixelSize {
  return { widthPx, heightPx };
}
