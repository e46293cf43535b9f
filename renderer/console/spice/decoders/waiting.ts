/** Channels that cannot go on before another channel has brought something. */
import { SpiceError } from '../protocol/spice-error.ts';

type Waiter = { resolve(): void; reject(error: SpiceError): void };

export class Waiting<Key> {
  readonly #waiters = new Map<Key, Waiter[]>();

  wait(key: Key): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(key) ?? [];
      waiters.push({ resolve, reject });
      this.#waiters.set(key, waiters);
    });
  }

  settle(key: Key): void {
    const waiters = this.#waiters.get(key);
    if (waiters === undefined) return;
    this.#waiters.delete(key);
    for (const { resolve } of waiters) resolve();
  }

  /** Nothing will come any more. */
  fail(): void {
    const all = [...this.#waiters.values()].flat();
    this.#waiters.clear();
    for (const { reject } of all) reject(new SpiceError('a picture was waited for that will not come'));
  }
}
