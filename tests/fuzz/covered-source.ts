/** Which characters of our sources have run, asked of V8 itself: what a coverage-guided fuzzer steers by. */
import { Session } from 'node:inspector';

type Range = { startOffset: number; endOffset: number; count: number };
type Script = { url: string; functions: { ranges: Range[] }[] };

export class CoveredSource {
  readonly #session = new Session();
  readonly #isWatched: (url: string) => boolean;
  /** By script: 1 where something has run. */
  readonly #seen = new Map<string, Uint8Array>();

  /** Watches the scripts whose address is wanted. One thread can have one at a time. */
  constructor(isWatched: (url: string) => boolean) {
    this.#isWatched = isWatched;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Forgets what ran since the last look. */
  skip(): void {
    this.#take();
  }

  /** Whether something has run since the last look that never did before. With `learn` it counts as seen from now on. */
  hasNew(learn: boolean): boolean {
    let found = false;
    for (const { url, functions } of this.#take()) {
      const end = Math.max(...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
      const ran = new Uint8Array(end);
      // Outer ranges come before those inside them, which say it more exactly.
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      let seen = this.#seen.get(url) ?? new Uint8Array(0);
      if (seen.length < end) {
        const longer = new Uint8Array(end);
        longer.set(seen);
        seen = longer;
        if (learn) this.#seen.set(url, seen);
      }
      for (let at = 0; at < end; at++)
        if (ran[at] === 1 && seen[at] === 0) {
          found = true;
          if (!learn) return true;
          seen[at] = 1;
        }
    }
    return found;
  }

  /** Characters that have run, of all that were asked about. */
  get size(): number {
    let sum = 0;
    for (const seen of this.#seen.values()) for (const one of seen) sum += one;
    return sum;
  }

  close(): void {
    this.#session.disconnect();
  }

  #take(): Script[] {
    let scripts: Script[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      scripts = result.filter(({ url }) => this.#isWatched(url));
    });
    return scripts;
  }
}
