/** The worker of one SPICE console: our session between the shell's byte streams and the page's canvas. */
import type { Copied } from '../../clipboard.ts';
import { type ConsoleStats, noStats } from '../../console.ts';
import { systemClock } from '../../reconnect.ts';
import { ByteStream } from '../../transport.ts';
import type { FromWorker, ToWorker } from '../messages.ts';
import { SpiceSession } from '../session.ts';
import type { SessionHost } from '../session-host.ts';
import type { PlatformVideo } from '../streams/video-decoder.ts';
import { FolderEnd } from './folder-end.ts';
import { Monitors } from './monitors.ts';
import { decodeWithPlatform } from './platform-jpeg.ts';
import { readPictureWithPlatform } from './platform-picture.ts';
import { findPlatformVideo } from './platform-video.ts';
import { SoundEnds } from './sound-ends.ts';

/** The part of `DedicatedWorkerGlobalScope` that is used. */
type Scope = {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  addEventListener(
    type: 'error' | 'unhandledrejection',
    listener: (event: { message?: string; reason?: unknown; preventDefault(): void }) => void,
  ): void;
};
const scope = globalThis as unknown as Scope;

const statsEveryMs = 1000;
const trimEveryMs = 10_000;
const mostUnderWayBytes = 256 * 1024;

class WorkerConsole {
  readonly #streams: (ByteStream | undefined)[] = [];
  /** Streams that nobody wants any more, some of which have no port yet. */
  readonly #left = new Set<number>();
  readonly #monitors: Monitors;
  readonly #sound = new SoundEnds({
    sound: (sound) => scope.postMessage({ type: 'sound', sound }),
    recording: (format) => scope.postMessage({ type: 'recording', format }),
    speak: (samples) => {
      // A server that does not read is not talked to: what it hears would be old, and a window too much of it.
      if (this.#streams.every((stream) => (stream?.bytesUnderWay ?? 0) < mostUnderWayBytes)) this.#session.speak(samples);
    },
  });
  readonly #session: SpiceSession;
  readonly #folders = new FolderEnd({
    needed: () => scope.postMessage({ type: 'needFolders' }),
    used: (used) => scope.postMessage({ type: 'foldersUsed', used }),
    after: systemClock.after,
    send: (bytes) => {
      this.#session.sendToFolders(bytes);
      const stream = this.#session.foldersStream;
      return stream === null ? undefined : this.#streams[stream]?.room(mostUnderWayBytes);
    },
  });
  #busyMs = 0;
  #statsBefore = { at: performance.now(), bytesIn: 0, bytesOut: 0 };

  /** Who waits for the page's answer about its clipboard, and about the guest's keyboard. */
  readonly #asked = new Map<number, (copied: Copied | null) => void>();
  readonly #looking = new Map<number, (read: boolean | null) => void>();
  #askedLast = 0;

  constructor(canvas: OffscreenCanvas, lineEnd: 'lf' | 'crlf', video: PlatformVideo) {
    const monitors = new Monitors(systemClock);
    monitors.addCanvas(0, canvas);
    this.#monitors = monitors;
    const host: SessionHost = {
      now: () => performance.now(),
      openStream: (stream, place, arriving) => scope.postMessage({ type: 'needPort', id: stream, place, arriving }),
      send: (stream, bytes) => this.#streams[stream]?.send(bytes),
      closeStream: (stream) => {
        this.#left.add(stream);
        this.#streams[stream]?.close();
      },
      after: systemClock.after,
      jpeg: decodeWithPlatform,
      video,
      settled: () => monitors.settle(),
      primary: (surface, display) => monitors.setSurface(surface, display),
      damaged: (left, top, right, bottom, display) => monitors.damaged(left, top, right, bottom, display),
      heads: (heads) => {
        monitors.setHeads(heads);
        scope.postMessage({ type: 'heads', heads });
      },
      picture: (size) => scope.postMessage({ type: 'size', size }),
      pointer: (pointer) => scope.postMessage({ type: 'pointer', pointer }),
      moved: () => scope.postMessage({ type: 'moved' }),
      agent: (connected) => scope.postMessage({ type: 'agent', connected }),
      clipboardPossible: (possible) => scope.postMessage({ type: 'clipboardPossible', possible }),
      clipboard: {
        read: (selection, kind) => this.#ask((id) => ({ type: 'readCopied', id, selection, kind })),
        write: async (selection, copied) => void (await this.#ask((id) => ({ type: 'writeCopied', id, selection, copied }))),
      },
      filesPossible: (possible) => scope.postMessage({ type: 'filesPossible', possible }),
      file: (id, progress) => scope.postMessage({ type: 'file', id, progress }),
      settingsPossible: (possible) => scope.postMessage({ type: 'settingsPossible', possible }),
      underWayBytes: (stream) => this.#streams[stream]?.bytesUnderWay ?? 0,
      readPicture: readPictureWithPlatform,
      lineEnd,
      keysRead: () =>
        new Promise((resolve) => {
          const id = ++this.#askedLast;
          this.#looking.set(id, resolve);
          scope.postMessage({ type: 'lookAtKeys', id });
        }),
      locks: (locks) => scope.postMessage({ type: 'locks', locks }),
      cursor: (cursor, display) => scope.postMessage({ type: 'cursor', cursor, display }),
      cursorMoved: (xPx, yPx, display) => scope.postMessage({ type: 'cursorMoved', xPx, yPx, display }),
      sound: this.#sound,
      folders: this.#folders,
      ended: (end) => {
        // What was drawn last is what is kept.
        monitors.flush();
        scope.postMessage({ type: 'ended', end });
      },
    };
    this.#session = new SpiceSession(host);
    setInterval(() => this.#report(), statsEveryMs);
    setInterval(() => this.#session.trim(), trimEveryMs);
  }

  receive(message: Exclude<ToWorker, { type: 'start' }>): void {
    switch (message.type) {
      case 'port':
        this.#attach(message.id, message.port);
        break;
      case 'noPort':
        this.#session.streamRefused(message.id, message.text);
        break;
      case 'input':
        this.#together(() => this.#session.input(message.input));
        break;
      case 'canvas':
        this.#monitors.addCanvas(message.head, message.canvas);
        break;
      case 'shrunkenCanvas':
        this.#monitors.setShrunkenCanvas(message.head, message.canvas);
        break;
      case 'shownSize':
        this.#monitors.setShownSize(message.head, message.size);
        break;
      case 'monitors':
        this.#session.setMonitors(message.count, message.places);
        break;
      case 'resize':
        this.#session.resize(message.size, message.head);
        break;
      case 'visible':
        this.#monitors.setVisible(message.head, message.visible);
        break;
      case 'speaker':
        this.#sound.attachSpeaker(message.port);
        break;
      case 'microphone':
        this.#sound.attachMicrophone(message.port);
        break;
      case 'folders':
        this.#folders.attach(message.port);
        break;
      case 'noFolders':
        this.#folders.refused();
        break;
      case 'clipboard':
        this.#session.setClipboardPolicy(message.policy);
        this.#session.setInUse(message.inUse);
        break;
      case 'offerCopied':
        this.#session.offerCopied(message.selection, message.kinds);
        break;
      case 'clipboardAnswer':
        this.#asked.get(message.id)?.(message.copied);
        this.#asked.delete(message.id);
        break;
      case 'keysRead':
        this.#looking.get(message.id)?.(message.read);
        this.#looking.delete(message.id);
        break;
      case 'files':
        this.#session.setFilesPolicy(message.policy);
        break;
      case 'sendFile':
        this.#session.sendFile(message.file);
        break;
      case 'cancelFile':
        this.#session.cancelFile(message.id);
        break;
      case 'guestVolume':
        this.#session.setGuestVolume(message.choice);
        break;
      case 'look':
        this.#session.setDesktopLook(message.look);
        break;
      case 'stop':
        this.#folders.close();
        this.#session.close();
        break;
    }
  }

  crashed(error: unknown): void {
    this.#session.fail(error);
  }

  /** A key and what asks the server for an answer to it are two messages of the protocol, and one to the shell. */
  #together(run: () => void): void {
    this.#streams.reduceRight<() => void>((inner, stream) => (stream ? () => stream.together(inner) : inner), run)();
  }

  #ask(message: (id: number) => FromWorker): Promise<Copied | null> {
    const id = ++this.#askedLast;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      scope.postMessage(message(id));
    });
  }

  #attach(stream: number, port: MessagePort): void {
    this.#streams[stream] = new ByteStream(port, {
      open: () => this.#session.streamOpen(stream),
      data: (bytes) => {
        const began = performance.now();
        const waiting = this.#session.receive(stream, bytes);
        if (waiting) return waiting.then(() => this.#monitors.settle());
        // They were copied for this side: memory that is given back at once is used again while it is warm.
        bytes.buffer.transfer(0);
        this.#monitors.settle(this.#session.isInside(stream));
        this.#busyMs += performance.now() - began;
        return undefined;
      },
      closed: (reason, clean) => this.#session.streamClosed(stream, reason, clean),
    });
    if (this.#left.has(stream)) this.#streams[stream]?.close();
  }

  #report(): void {
    const before = this.#statsBefore.at;
    const stats = this.#measure();
    const busy = Math.min(1, this.#busyMs / Math.max(1, this.#statsBefore.at - before));
    this.#busyMs = 0;
    scope.postMessage({ type: 'stats', stats });
    scope.postMessage({ type: 'details', details: { ...this.#session.details, busy } });
  }

  #measure(): ConsoleStats {
    const now = performance.now();
    const total = (of: 'bytesIn' | 'bytesOut') => this.#streams.reduce((sum, stream) => sum + (stream?.[of] ?? 0), 0);
    const totals = { at: now, bytesIn: total('bytesIn'), bytesOut: total('bytesOut') };
    const before = this.#statsBefore;
    const seconds = (now - before.at) / 1000;
    this.#statsBefore = totals;
    const frames = this.#monitors.takeFrames();
    if (seconds <= 0) return noStats;
    return {
      framesPerSecond: frames / seconds,
      bytesInPerSecond: (totals.bytesIn - before.bytesIn) / seconds,
      bytesOutPerSecond: (totals.bytesOut - before.bytesOut) / seconds,
      latencyMs: this.#session.latencyMs,
    };
  }
}

let shown: WorkerConsole | undefined;
scope.addEventListener('error', (event) => {
  event.preventDefault();
  shown?.crashed(event.message ?? 'unknown');
});
scope.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  shown?.crashed(event.reason);
});
/** Asked before there is a console, which may be long after. */
const videoFound = findPlatformVideo();
/** What came before the platform said which videos it decodes. */
const early: Exclude<ToWorker, { type: 'start' }>[] = [];
scope.onmessage = ({ data: message }) => {
  if (message.type === 'start')
    void videoFound.then((video) => {
      shown = new WorkerConsole(message.canvas, message.lineEnd, video);
      for (const each of early.splice(0)) shown.receive(each);
    });
  else if (shown) shown.receive(message);
  else early.push(message);
};
