/**
 * Engines in this process that can die at any of their steps. What a dead one still awaits never comes, as for a process that was killed:
 * no failure is caught and nothing is taken back. To be used with `vi.mock` of `node:fs/promises` and `node:child_process`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import type files from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Database } from '../../main/engine/store/database.ts';

export class Life {
  /** Steps until it dies. */
  stepsLeft = Number.POSITIVE_INFINITY;
  isOver = false;
  readonly over = Promise.withResolvers<void>();
  readonly #children = new Set<ChildProcess>();
  readonly #files = new Set<FileHandle>();

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
    for (const file of this.#files) void file.close();
    this.over.resolve();
  }

  /** Tools end with their engine. */
  own(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
  }

  /** Whatever is done with an open file is a step as well, so that it dies between one write and the next too. Files are closed with their engine. */
  hold(file: FileHandle): FileHandle {
    this.#files.add(file);
    return new Proxy(file, {
      get: (real, name) => {
        const value: unknown = Reflect.get(real, name, real);
        if (typeof value !== 'function') return value;
        const call = value.bind(real);
        if (name === 'close') {
          return (...args: unknown[]) => {
            if (!this.#files.delete(file)) return new Promise(() => {});
            return call(...args);
          };
        }
        return changing.has(String(name)) ? (...args: unknown[]) => (this.step() ? call(...args) : new Promise(() => {})) : call;
      },
    });
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

/** What changes a file that is open. */
const changing: ReadonlySet<string> = new Set(['write', 'writev', 'writeFile', 'appendFile', 'truncate', 'sync', 'datasync', 'chmod']);

const lives = new AsyncLocalStorage<Life>();

/** Lets a call through as long as the engine that makes it lives. */
export const mortal =
  <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
  (...args: Args): Promise<Answer> => {
    const life = lives.getStore();
    return !life || life.step() ? call(...args) : new Promise(() => {});
  };

export const mortalOpen =
  <Args extends unknown[]>(open: (...args: Args) => Promise<FileHandle>) =>
  async (...args: Args): Promise<FileHandle> => {
    const file = await mortal(open)(...args);
    return lives.getStore()?.hold(file) ?? file;
  };

/** `node:fs/promises` in which whatever changes a file or a folder is a step. */
export const mortalFiles = (real: typeof files) => ({
  ...real,
  link: mortal(real.link),
  rename: mortal(real.rename),
  rm: mortal(real.rm),
  chmod: mortal(real.chmod),
  open: mortalOpen(real.open),
  mkdir: mortal(real.mkdir),
  copyFile: mortal(real.copyFile),
  rmdir: mortal(real.rmdir),
});

export const mortalSpawn =
  <Args extends unknown[]>(spawn: (...args: Args) => ChildProcess) =>
  (...args: Args): ChildProcess => {
    const child = spawn(...args);
    lives.getStore()?.own(child);
    return child;
  };
