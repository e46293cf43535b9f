/**
 * The files that a page sends to one guest: what waits, what is on its way, what got there and what did not. Outlives consoles: what a
 * connection that ended had begun is sent anew by the next.
 */
import type { Console } from './console.ts';
import type { FileProblem, FileProgress } from './files.ts';

/** A file as it was dropped or chosen, with the folders that it lay in: "Photos/2024/a.jpg". */
export type ChosenFile = { name: string; content: Blob };

export type OutgoingFile = {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly sentBytes: number;
  readonly state: 'waiting' | 'sending' | 'failed';
  readonly problem: FileProblem | null;
};

/** How all of them stand. Those that got there or were cancelled are only counted. */
export type OutgoingView = {
  /** On its way or waiting, the next ones first; of many only those. */
  readonly pending: readonly OutgoingFile[];
  readonly pendingCount: number;
  readonly failed: readonly OutgoingFile[];
  readonly failedCount: number;
  /** Since there was last nothing to be done. */
  readonly sentCount: number;
  readonly cancelledCount: number;
  readonly totalCount: number;
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds; null before there is something to say. */
  readonly bytesPerSecond: number | null;
};

const nothing: OutgoingView = {
  pending: [],
  pendingCount: 0,
  failed: [],
  failedCount: 0,
  sentCount: 0,
  cancelledCount: 0,
  totalCount: 0,
  sentBytes: 0,
  totalBytes: 0,
  bytesPerSecond: null,
};

type Item = { id: number; file: ChosenFile; number: number; of: number; sentBytes: number; problem: FileProblem | null };

const rateOverMs = 3000;
/** As many as somebody looks through one by one. */
const mostShown = 50;

export class OutgoingFiles {
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  /** In the order in which they are sent. */
  #pending: Item[] = [];
  #failed: Item[] = [];
  /** The one that the console was given; whether it is not to get there any more. */
  #given: Item | null = null;
  #unwanted = false;
  #console: Console | null = null;
  #stopListening = () => {};
  #lastId = 0;
  #sentCount = 0;
  #cancelledCount = 0;
  /** Of files that got there, and of those that are still to. */
  #doneBytes = 0;
  #pendingBytes = 0;
  #samples: { at: number; bytes: number }[] = [];
  #view = nothing;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get view(): OutgoingView {
    return this.#view;
  }

  /** For React's `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly getView = (): OutgoingView => this.#view;

  /** The console that they go through now; null while there is none. */
  attach(live: Console | null): void {
    if (live === this.#console) return;
    this.#stopListening();
    this.#console = live;
    this.#takeBack();
    this.#stopListening = live
      ? live.listen((event) => {
          if (event.kind === 'capabilities') this.#next();
          else if (event.kind === 'state' && event.state.phase === 'closed') this.attach(null);
          else if (event.kind === 'file' && event.id === this.#given?.id) this.#hear(this.#given, event.progress);
        })
      : () => {};
    this.#next();
    this.#changed();
  }

  /** Sends them after those that wait. */
  send(chosen: readonly ChosenFile[]): void {
    for (const [index, file] of chosen.entries())
      this.#add({ id: ++this.#lastId, file, number: index + 1, of: chosen.length, sentBytes: 0, problem: null });
    this.#next();
    this.#changed();
  }

  cancel(id: number): void {
    if (this.#given?.id === id) {
      this.#cancelGiven();
      return;
    }
    const item = this.#pending.find((each) => each.id === id);
    if (!item) return;
    this.#cancelledCount++;
    this.#drop(item);
    this.#changed();
  }

  cancelAll(): void {
    const given = this.#given;
    this.#cancelledCount += this.#pending.length - (given ? 1 : 0);
    this.#pending = given ? [given] : [];
    this.#pendingBytes = given?.file.content.size ?? 0;
    if (given) this.#cancelGiven();
    this.#changed();
  }

  /** Sends again what failed: that one, or all. */
  retry(id?: number): void {
    const again = this.#failed.filter((item) => id === undefined || item.id === id);
    this.#failed = this.#failed.filter((item) => !again.includes(item));
    for (const item of again) this.#add({ ...item, sentBytes: 0, problem: null, number: 1, of: 1 });
    this.#next();
    this.#changed();
  }

  /** Forgets what failed. */
  dismiss(): void {
    this.#failed = [];
    this.#changed();
  }

  /** The console says so once the agent was told. */
  #cancelGiven(): void {
    if (!this.#given || this.#unwanted) return;
    this.#unwanted = true;
    this.#console?.cancelFile(this.#given.id);
  }

  #next(): void {
    const item = this.#pending[0];
    if (this.#given || !item || !this.#console || !this.#console.capabilities.files.possible) return;
    this.#given = item;
    this.#unwanted = false;
    const { id, number, of, file } = item;
    this.#console.sendFile({ id, name: file.name, content: file.content, number, of });
  }

  /** What was on its way begins anew, unless somebody had taken it back before it was interrupted. */
  #takeBack(): void {
    const item = this.#given;
    if (!item) return;
    this.#given = null;
    item.sentBytes = 0;
    if (!this.#unwanted) return;
    this.#cancelledCount++;
    this.#remove(item);
  }

  #hear(item: Item, progress: FileProgress): void {
    switch (progress.state) {
      case 'sending':
        item.sentBytes = progress.sentBytes;
        break;
      case 'interrupted':
        this.#takeBack();
        break;
      case 'sent':
        this.#sentCount++;
        this.#doneBytes += item.file.content.size;
        this.#drop(item);
        break;
      case 'cancelled':
        this.#cancelledCount++;
        this.#drop(item);
        break;
      case 'failed':
        item.problem = progress.problem;
        this.#failed.push(item);
        this.#drop(item);
        break;
    }
    this.#changed();
  }

  #add(item: Item): void {
    this.#pending.push(item);
    this.#pendingBytes += item.file.content.size;
  }

  #drop(item: Item): void {
    if (item === this.#given) this.#given = null;
    this.#remove(item);
    this.#next();
  }

  #remove(item: Item): void {
    this.#pending.splice(this.#pending.indexOf(item), 1);
    this.#pendingBytes -= item.file.content.size;
  }

  #changed(): void {
    const bytes = this.#doneBytes + (this.#given?.sentBytes ?? 0);
    this.#view = {
      pending: this.#pending.slice(0, mostShown).map((item) => this.#viewOf(item)),
      pendingCount: this.#pending.length,
      failed: this.#failed.slice(0, mostShown).map((item) => this.#viewOf(item)),
      failedCount: this.#failed.length,
      sentCount: this.#sentCount,
      cancelledCount: this.#cancelledCount,
      totalCount: this.#sentCount + this.#pending.length + this.#failed.length,
      sentBytes: bytes,
      totalBytes: this.#doneBytes + this.#pendingBytes,
      bytesPerSecond: this.#rate(bytes),
    };
    if (this.#pending.length === 0) {
      // What comes next is counted anew.
      this.#sentCount = this.#cancelledCount = this.#doneBytes = 0;
      this.#samples = [];
    }
    for (const listener of [...this.#listeners]) listener();
  }

  #viewOf(item: Item): OutgoingFile {
    return {
      id: item.id,
      name: item.file.name,
      bytes: item.file.content.size,
      sentBytes: item.sentBytes,
      state: item.problem ? 'failed' : item === this.#given ? 'sending' : 'waiting',
      problem: item.problem,
    };
  }

  #rate(bytes: number): number | null {
    const now = this.#now();
    const last = this.#samples.at(-1);
    // A file that begins anew takes back what was counted of it.
    if (last && bytes < last.bytes) this.#samples = [];
    if (this.#given) this.#samples.push({ at: now, bytes });
    while ((this.#samples[1]?.at ?? now) < now - rateOverMs) this.#samples.shift();
    const first = this.#samples[0];
    if (!first || now - first.at < 500) return null;
    return ((bytes - first.bytes) * 1000) / (now - first.at);
  }
}
