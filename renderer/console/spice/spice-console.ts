/** A SPICE console as the page sees it. The protocol runs in a worker of its own; this holds the canvas and watches over the worker. */
import type { Result } from '../../../contract/errors.ts';
import type { ClipboardPolicy, FilesPolicy } from '../../../contract/guest-spec.ts';
import type { ClipboardHost, Copied, CopiedKind, Selection } from '../clipboard.ts';
import {
  type Console,
  type ConsoleCapabilities,
  type ConsoleEnd,
  type ConsoleEvent,
  type ConsoleHead,
  type ConsoleInput,
  ConsoleLifecycle,
  type ConsoleState,
  type DesktopLook,
  type MicrophoneState,
  type MixerChoice,
  type MonitorPlace,
  type PixelSize,
  type Possible,
  type SoundChoice,
} from '../console.ts';
import type { FileToSend } from '../files.ts';
import { Microphone } from '../sound/microphone.ts';
import { soundOutput } from '../sound/sound-output.ts';
import { Speaker } from '../sound/speaker.ts';
import type { FilesPossible } from './agent/file-sender.ts';
import type { SoundFormat } from './audio/sound-format.ts';
import type { Head } from './heads.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { takeWorker } from './ready-worker.ts';

/** A server that has drawn nothing by then is taken to be dead. */
const firstPictureDeadlineMs = 20_000;
/** The worker reports every second. One that is silent for so long is stuck in what a server sent. */
const workerSilenceMs = 20_000;
const watchEveryMs = 2_000;
/** A guest that does not play has this computer's sound card made ready so long after its first picture: the processes for it would be on that one's way. */
const soundReadyAfterMs = 1000;

const possible: Possible = { possible: true };
const noClipboard: Possible = { possible: false, reason: 'The guest does not run spice-vdagent, so no clipboard can be shared with it.' };
const noAgent: Possible = {
  possible: false,
  reason: 'The guest does not run spice-vdagent, so it cannot be told the size of the window.',
};

const files: Record<FilesPossible, Possible> = {
  yes: possible,
  'no-agent': { possible: false, reason: 'The guest does not run spice-vdagent, so no files can be sent to it.' },
  disabled: { possible: false, reason: 'The guest’s agent was started to take no files.' },
};

const noVolume: Possible = { possible: false, reason: 'The guest’s agent does not set its volume.' };
const noLook: Possible = { possible: false, reason: 'The guest’s agent does not change how its desktop looks; that of Windows does.' };
const noAgentForSettings = {
  guestVolume: { possible: false, reason: 'The guest does not run spice-vdagent, so its own volume cannot be set from here.' },
  desktopLook: { possible: false, reason: 'The guest does not run spice-vdagent, so it cannot be told how its desktop is to look.' },
} satisfies Partial<ConsoleCapabilities>;
const noSound: Possible = { possible: false, reason: 'The guest has no sound card.' };

/** For tests and measurements: what is kept there under this name makes consoles of spice-html5 instead of our own client. */
const clientKey = 'guesthouse:spice-client';

function makeWorker(): Worker {
  if (localStorage.getItem(clientKey) === 'spice-html5')
    return new Worker(new URL('./reference/reference-worker.ts', import.meta.url), { type: 'module', name: 'spice-html5' });
  return takeWorker();
}

export type SpiceConsoleOptions = {
  /** Opens another byte stream to the guest's SPICE server, where the guest began or where the shell knows that it was moved to. */
  openPort(place: 'home' | 'moved', arriving: boolean): Promise<Result<MessagePort>>;
  /** Opens a byte stream to the folders that the guest shares. */
  openFolders(): Promise<Result<MessagePort>>;
  /** Whether the guest has read all that its keyboard got; null when nobody knows. */
  keysRead(): Promise<boolean | null>;
  /** This computer's clipboard. */
  clipboard: ClipboardHost;
  /** How this computer ends a line. */
  lineEnd: 'lf' | 'crlf';
};

export class SpiceConsole implements Console {
  readonly protocol = 'SPICE';
  readonly canvas = document.createElement('canvas');
  readonly #options: SpiceConsoleOptions;
  readonly #lifecycle = new ConsoleLifecycle();
  #worker: Worker | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  /** By the ids of the heads. */
  readonly #canvases = new Map([[0, this.canvas]]);
  readonly #seen = new Map<number, boolean>();
  #heads: readonly ConsoleHead[] = [];
  /** By display channels. */
  readonly #cursors = new Map<number, ConsoleEvent>();
  #policy: ClipboardPolicy = 'off';
  #filesPolicy: FilesPolicy = 'off';
  #heardAt = 0;
  #usedAt = Number.NEGATIVE_INFINITY;
  #startedAt = 0;
  #speaker: Speaker | null = null;
  #speakerDue: ReturnType<typeof setTimeout> | undefined;
  /** Who else is given what the guest plays, and what takes that back. */
  readonly #soundTargets = new Map<AudioNode, () => void>();
  #soundChoice: SoundChoice = { volume: 1, muted: false };
  #microphone: Microphone | null = null;
  #mayHear = false;
  /** In which the guest records; null while it does not. */
  #recording: SoundFormat | null = null;
  #capabilities: ConsoleCapabilities = {
    resizeGuest: noAgent,
    pointer: 'absolute',
    clipboard: noClipboard,
    files: files['no-agent'],
    audio: noSound,
    ...noAgentForSettings,
  };

  constructor(options: SpiceConsoleOptions) {
    this.#options = options;
  }

  get state(): ConsoleState {
    return this.#lifecycle.state;
  }

  get capabilities(): ConsoleCapabilities {
    return this.#capabilities;
  }

  /** Whoever listens later hears at once what the pointers look like. */
  listen(listener: (event: ConsoleEvent) => void): () => void {
    const stop = this.#lifecycle.listen(listener);
    for (const cursor of this.#cursors.values()) listener(cursor);
    return stop;
  }

  connect(): void {
    if (!this.#lifecycle.advance({ phase: 'connecting' })) return;
    const worker = makeWorker();
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<FromWorker>) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end({ cause: 'protocol', text: 'The console stopped because of an error.', detail: event.message ?? '' });
    };
    const canvas = this.canvas.transferControlToOffscreen();
    this.#tell({ type: 'start', canvas, lineEnd: this.#options.lineEnd }, [canvas]);
    for (const [head, visible] of this.#seen) this.#tell({ type: 'visible', head, visible });
    this.#startedAt = this.#heardAt = performance.now();
    this.#watch = setInterval(() => this.#look(), watchEveryMs);
  }

  get heads(): readonly ConsoleHead[] {
    return this.#heads;
  }

  resize(size: PixelSize, head = 0): void {
    if (this.#capabilities.resizeGuest.possible) this.#tell({ type: 'resize', size, head });
  }

  setMonitors(count: number, places: readonly MonitorPlace[] = []): void {
    if (this.#capabilities.resizeGuest.possible) this.#tell({ type: 'monitors', count, places });
  }

  setSeen(seen: boolean, head = 0): void {
    if (seen === (this.#seen.get(head) ?? true)) return;
    this.#seen.set(head, seen);
    this.#tell({ type: 'visible', head, visible: seen });
  }

  shrinkOnto(canvas: HTMLCanvasElement, head = 0): void {
    const shrunken = canvas.transferControlToOffscreen();
    this.#tell({ type: 'shrunkenCanvas', head, canvas: shrunken }, [shrunken]);
  }

  setShownSize(size: PixelSize | null, head = 0): void {
    this.#tell({ type: 'shownSize', head, size });
  }

  input(input: ConsoleInput): void {
    if (this.state.phase !== 'connected') return;
    this.#usedAt = performance.now();
    this.#tell({ type: 'input', input });
  }

  get usedAt(): number {
    return this.#usedAt;
  }

  setSound(choice: SoundChoice): void {
    this.#soundChoice = choice;
    this.#speaker?.setChoice(choice);
  }

  connectSound(to: AudioNode): () => void {
    this.#soundTargets.set(to, this.#speaker?.connect(to) ?? (() => undefined));
    return () => {
      this.#soundTargets.get(to)?.();
      this.#soundTargets.delete(to);
    };
  }

  setGuestVolume(choice: MixerChoice): void {
    if (this.#capabilities.guestVolume.possible) this.#tell({ type: 'guestVolume', choice });
  }

  setDesktopLook(look: DesktopLook): void {
    this.#tell({ type: 'look', look });
  }

  setMicrophone(allowed: boolean): void {
    if (allowed === this.#mayHear) return;
    this.#mayHear = allowed;
    this.#followRecording();
  }

  setClipboard(policy: ClipboardPolicy, inUse: boolean): void {
    this.#policy = policy;
    this.#tell({ type: 'clipboard', policy, inUse });
  }

  offerCopied(selection: Selection, kinds: readonly CopiedKind[]): void {
    this.#tell({ type: 'offerCopied', selection, kinds });
  }

  setFiles(policy: FilesPolicy): void {
    this.#filesPolicy = policy;
    this.#tell({ type: 'files', policy });
  }

  /** The policy is looked at on this side as well: a worker that a server took over gets no file that it does not allow. */
  sendFile(file: FileToSend): void {
    if (this.#filesPolicy === 'off') this.#lifecycle.emit({ kind: 'file', id: file.id, progress: { state: 'cancelled' } });
    else this.#tell({ type: 'sendFile', file });
  }

  cancelFile(id: number): void {
    this.#tell({ type: 'cancelFile', id });
  }

  close(): void {
    this.#end({ cause: 'asked', text: 'The console was closed.', detail: '' });
  }

  #tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    this.#heardAt = performance.now();
    switch (message.type) {
      case 'needPort':
        void this.#givePort(message.id, message.place, message.arriving);
        break;
      case 'size':
        this.#lifecycle.advance({ phase: 'connected', size: message.size });
        if (this.#capabilities.audio.possible) this.#makeSpeakerSoon();
        break;
      case 'heads':
        this.#heads = message.heads.map((head) => this.#headOf(head));
        this.#lifecycle.emit({ kind: 'heads', heads: this.#heads });
        break;
      case 'pointer':
        this.#change({ pointer: message.pointer });
        break;
      case 'moved':
        this.#lifecycle.emit({ kind: 'moved' });
        break;
      case 'agent':
        this.#change(message.connected ? { resizeGuest: possible } : { resizeGuest: noAgent, ...noAgentForSettings });
        break;
      case 'recording':
        this.#recording = message.format;
        this.#followRecording();
        break;
      case 'sound':
        this.#followSound(message.sound.playing);
        this.#lifecycle.emit({ kind: 'sound', sound: message.sound });
        break;
      case 'clipboardPossible':
        this.#change({ clipboard: message.possible ? possible : noClipboard });
        break;
      case 'settingsPossible': {
        const { volume, look } = message.possible;
        this.#change({ guestVolume: volume ? possible : noVolume, desktopLook: look ? possible : noLook });
        break;
      }
      case 'filesPossible':
        this.#change({ files: files[message.possible] });
        break;
      case 'needFolders':
        void this.#giveFolders();
        break;
      case 'foldersUsed':
        this.#lifecycle.emit({ kind: 'folders', used: message.used });
        break;
      case 'writeCopied':
        void this.#answer(message.id, this.#write(message.selection, message.copied));
        break;
      case 'readCopied':
        void this.#answer(message.id, this.#read(message.selection, message.kind));
        break;
      case 'lookAtKeys':
        void this.#lookAtKeys(message.id);
        break;
      case 'cursor':
      case 'cursorMoved':
      case 'locks':
      case 'file':
      case 'stats':
      case 'details': {
        const { type, ...rest } = message;
        const told = { kind: type, ...rest } as ConsoleEvent;
        if (told.kind === 'cursor') this.#cursors.set(told.display ?? 0, told);
        this.#lifecycle.emit(told);
        break;
      }
      case 'ended':
        this.#end(message.end);
        break;
    }
  }

  /** One that is as it was stays the same object. */
  #headOf(head: Head): ConsoleHead {
    const { id, display, xPx, yPx, widthPx, heightPx } = head;
    const same = this.#heads.find(
      (known) =>
        known.id === id &&
        known.display === display &&
        known.xPx === xPx &&
        known.yPx === yPx &&
        known.widthPx === widthPx &&
        known.heightPx === heightPx,
    );
    return same ?? { ...head, canvas: this.#canvasOf(id) };
  }

  /** A monitor keeps its canvas for as long as the connection lasts. */
  #canvasOf(head: number): HTMLCanvasElement {
    const known = this.#canvases.get(head);
    if (known) return known;
    const made = document.createElement('canvas');
    this.#canvases.set(head, made);
    const canvas = made.transferControlToOffscreen();
    this.#tell({ type: 'canvas', head, canvas }, [canvas]);
    // Nobody shows it yet.
    this.setSeen(false, head);
    return made;
  }

  async #givePort(id: number, place: 'home' | 'moved', arriving: boolean): Promise<void> {
    const answer = await this.#options.openPort(place, arriving);
    if (this.state.phase === 'closed') {
      if (answer.ok) answer.value.close();
      return;
    }
    if (answer.ok) this.#tell({ type: 'port', id, port: answer.value }, [answer.value]);
    else this.#tell({ type: 'noPort', id, text: answer.error.message });
  }

  async #giveFolders(): Promise<void> {
    const answer = await this.#options.openFolders();
    if (this.state.phase === 'closed') {
      if (answer.ok) answer.value.close();
      return;
    }
    if (answer.ok) this.#tell({ type: 'folders', port: answer.value }, [answer.value]);
    else this.#tell({ type: 'noFolders' });
  }

  /** INVARIANT: the microphone is open only while the guest records and the user wants it to hear (tests/e2e/sound.test.ts). */
  #followRecording(): void {
    this.#microphone?.close();
    this.#microphone = null;
    const format = this.#recording;
    const tell = (microphone: MicrophoneState) => this.#lifecycle.emit({ kind: 'microphone', microphone });
    if (!format || !this.#mayHear) {
      tell(this.#mayHear ? 'idle' : format ? 'wanted' : 'off');
      return;
    }
    this.#microphone = new Microphone(
      format,
      (port) => {
        this.#tell({ type: 'microphone', port }, [port]);
        tell('heard');
      },
      tell,
    );
  }

  #followSound(playing: boolean): void {
    this.#change({ audio: possible });
    if (playing) this.#speaker ??= this.#makeSpeaker();
    else if (this.state.phase === 'connected') this.#makeSpeakerSoon();
    this.#speaker?.setPlaying(playing);
  }

  #makeSpeakerSoon(): void {
    if (this.#speaker) return;
    this.#speakerDue ??= setTimeout(() => {
      this.#speaker ??= this.#makeSpeaker();
    }, soundReadyAfterMs);
  }

  #makeSpeaker(): Speaker {
    clearTimeout(this.#speakerDue);
    const speaker = new Speaker(soundOutput(), (port) => this.#tell({ type: 'speaker', port }, [port]));
    speaker.setChoice(this.#soundChoice);
    for (const to of this.#soundTargets.keys()) this.#soundTargets.set(to, speaker.connect(to));
    return speaker;
  }

  /** The policy is looked at on this side as well: a worker that a server took over gets and leaves nothing that it does not allow. */
  async #write(selection: Selection, copied: Copied): Promise<null> {
    if (this.#policy === 'both' || this.#policy === 'to-computer') await this.#options.clipboard.write(selection, copied);
    return null;
  }

  async #read(selection: Selection, kind: CopiedKind): Promise<Copied | null> {
    const may = this.#policy === 'both' || this.#policy === 'to-guest';
    return may ? this.#options.clipboard.read(selection, kind) : null;
  }

  async #answer(id: number, answer: Promise<Copied | null>): Promise<void> {
    this.#tell({ type: 'clipboardAnswer', id, copied: await answer.catch(() => null) });
  }

  async #lookAtKeys(id: number): Promise<void> {
    this.#tell({ type: 'keysRead', id, read: await this.#options.keysRead().catch(() => null) });
  }

  #change(change: Partial<ConsoleCapabilities>): void {
    const names = Object.keys(change) as (keyof ConsoleCapabilities)[];
    if (names.every((name) => this.#capabilities[name] === change[name])) return;
    this.#capabilities = { ...this.#capabilities, ...change };
    this.#lifecycle.emit({ kind: 'capabilities', capabilities: this.#capabilities });
  }

  #look(): void {
    const now = performance.now();
    if (this.state.phase === 'connecting' && now - this.#startedAt > firstPictureDeadlineMs)
      this.#end({
        cause: 'silence',
        text: `The console server showed no picture within ${firstPictureDeadlineMs / 1000} seconds.`,
        detail: '',
      });
    else if (now - this.#heardAt > workerSilenceMs)
      this.#end({
        cause: 'protocol',
        text: 'The console did not cope with what its server sent, so the connection was ended.',
        detail: '',
      });
  }

  /** INVARIANT: with the end of a console ends its worker, and with the worker everything that the protocol left behind. */
  #end(end: ConsoleEnd): void {
    if (this.state.phase === 'closed') return;
    clearInterval(this.#watch);
    clearTimeout(this.#speakerDue);
    this.#speaker?.close();
    this.#microphone?.close();
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker) {
      worker.onmessage = null;
      // The worker says goodbye to the server; one that is stuck is ended all the same.
      worker.postMessage({ type: 'stop' } satisfies ToWorker);
      setTimeout(() => worker.terminate(), 250);
    }
    this.#lifecycle.advance({ phase: 'closed', end });
  }
}
