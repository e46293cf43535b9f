/**
 * This computer's sound card, as all consoles and recordings of a page share it: one `AudioContext`, which runs while somebody holds it and for a
 * little longer. Where there is no sound card, or it went away, it runs on without one, so that nothing waits for it and recordings go on; when
 * one comes, that one is heard.
 *
 * ```
 *   resting ─ hold ─► heard ─ error, or stands still ─► unheard ─ a device comes ─► heard
 *      ▲                │                                  │
 *      └── nobody holds it ────────────────────────────────┘
 * ```
 */
import speakerModule from './speaker-worklet.ts?worker&url';

/** Guests open and close their sound card for every little noise. */
const lingerMs = 4000;
const watchEveryMs = 1000;
/** A sound card that has not moved for so long is not going to. */
const stuckAfterMs = 3000;

/** `setSinkId` is newer than the types: Chromium has it since version 110. */
type Sunk = AudioContext & { setSinkId?(sink: { type: 'none' } | ''): Promise<void> };

export class SoundOutput {
  readonly #context: Sunk = new AudioContext({ latencyHint: 'interactive', sampleRate: 48_000 });
  readonly #holders = new Set<symbol>();
  readonly #listeners = new Set<() => void>();
  #ready: Promise<void> | null = null;
  #unheard = false;
  #resting: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #movedAt = 0;
  #position = 0;

  constructor() {
    void this.#context.suspend();
    this.#context.addEventListener('error', () => this.#playIntoNothing());
    navigator.mediaDevices.addEventListener('devicechange', () => void this.#lookForDevices());
    void this.#lookForDevices();
  }

  get context(): AudioContext {
    return this.#context;
  }

  /** How long after it was mixed something is heard, as far as the system says. */
  get delayMs(): number {
    return ((this.#context.baseLatency || 0) + (this.#context.outputLatency || 0)) * 1000;
  }

  /** Nobody can hear anything: this computer has no sound card that plays. */
  get unheard(): boolean {
    return this.#unheard;
  }

  /** For React's `useSyncExternalStore`: tells of changes of `unheard`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Settles when nodes of the kind `speaker` can be made. */
  ready(): Promise<void> {
    this.#ready ??= this.#context.audioWorklet.addModule(speakerModule);
    return this.#ready;
  }

  /** Whether it runs, at the latest so many milliseconds after it was held. */
  running(deadlineMs: number): Promise<boolean> {
    const context = this.#context;
    if (context.state === 'running') return Promise.resolve(true);
    return new Promise((settle) => {
      const done = () => {
        if (context.state === 'suspended' && performance.now() < deadline) return;
        context.removeEventListener('statechange', done);
        clearTimeout(timer);
        settle(context.state === 'running');
      };
      const deadline = performance.now() + deadlineMs;
      const timer = setTimeout(done, deadlineMs + 1);
      context.addEventListener('statechange', done);
    });
  }

  /** The sound card is wanted until the answer is called. */
  hold(): () => void {
    const holder = Symbol();
    this.#holders.add(holder);
    clearTimeout(this.#resting);
    // A page that may not play before it was clicked upon goes on by itself then.
    void this.#context.resume();
    this.#movedAt = performance.now();
    this.#watch ??= setInterval(() => this.#look(), watchEveryMs);
    return () => {
      this.#holders.delete(holder);
      if (this.#holders.size > 0) return;
      clearTimeout(this.#resting);
      this.#resting = setTimeout(() => this.#rest(), lingerMs);
    };
  }

  #rest(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    void this.#context.suspend();
  }

  #look(): void {
    const position = this.#context.currentTime;
    const now = performance.now();
    if (position !== this.#position) this.#movedAt = now;
    this.#position = position;
    if (now - this.#movedAt < stuckAfterMs || !navigator.userActivation.hasBeenActive) return;
    this.#movedAt = now;
    this.#playIntoNothing();
  }

  #playIntoNothing(): void {
    this.#setUnheard(true);
    void this.#context.setSinkId?.({ type: 'none' }).then(
      () => this.#goOn(),
      () => undefined,
    );
  }

  async #lookForDevices(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices().catch(() => null);
    if (!devices) return;
    if (!devices.some(({ kind }) => kind === 'audiooutput')) return this.#setUnheard(true);
    if (!this.#unheard) return;
    this.#setUnheard(false);
    await this.#context.setSinkId?.('').catch(() => this.#playIntoNothing());
    this.#goOn();
  }

  #goOn(): void {
    if (this.#watch !== undefined) void this.#context.resume();
  }

  #setUnheard(unheard: boolean): void {
    if (unheard === this.#unheard) return;
    this.#unheard = unheard;
    for (const listener of [...this.#listeners]) listener();
  }
}

let output: SoundOutput | null = null;

/** The one of this page, made when it is first needed. */
export function soundOutput(): SoundOutput {
  output ??= new SoundOutput();
  return output;
}
