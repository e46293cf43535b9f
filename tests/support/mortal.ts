/**
 * Engines in this process that can die at any of their steps. What a dead one still awaits never comes, as for a process that was killed:
 * no failure is caught and nothing is taken back. To be used with `vi.mock` of `node:fs/promises` and `node:child_process`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import type { Database } from '../../main/engine/store/database.ts';

export class Life {
  /** Steps until it dies. */
  stepsLeft = Number.POSITIVE_INFINITY;
  isOver = false;
  readonly over = Promise.withResolvers<void>();
  readonly #children = new Set<ChildProcess>();

  /** Counts a step; false when the engine is dead. */
  step(): boolean {
    if (this.isOver) return false;
    if (this.stepsLeft-- > 0) return true;
    this.end();
    return false;
  }

  end(): void {
    this.isOver = true;
    for (const child of this.#children) child.kill('SIGKILL');
    this.over.resolve();
  }

  /** Tools end with their engine. */
  own(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
  }

  /** Does `work` as a part of this life; null when the engine died over it. */
  async live<T>(work: () => Promise<T>): Promise<T | null> {
    return lives.run(this, () => Promise.race([work(), this.over.promise.then(() => null)]));
  }

  /** The database as a dead engine reaches it no more. */
  readonly database = (real: Database): Database => {
    const alive =
      <Args extends unknown[], Answer>(call: (...args: Args) => Answer) =>
      (...args: Args): Answer => {
        if (!this.step()) throw new Error('The engine is dead.');
        return call(...args);
      };
    return {
      ...real,
      prepare(name, sql) {
        const { get, all, run } = real.prepare<never>(name, sql);
        return { get, all, run: alive(run) };
      },
      transaction: (work) => alive(real.transaction<ReturnType<typeof work>>)(work),
    };
  };
}

const lives = new AsyncLocalStorage<Life>();

/** Lets a call through as long as the engine that makes it lives. */
export const mortal =
  <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
  (...args: Args): Promise<Answer> => {
    const life = lives.getStore();
    return !life || life.step() ? call(...args) : new Promise(() => {});
  };

export const mortalSpawn =
  <Args extends unknown[]>(spawn: (...args: Args) => ChildProcess) =>
  (...args: Args): ChildProcess => {
    const child = spawn(...args);
    lives.getStore()?.own(child);
    return child;
  };
