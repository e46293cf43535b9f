/** Pictures of one guest's screen: a fresh one when somebody looks, and the last one for when the guest is off. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Screenshot } from '../drivers/driver.ts';

/** A guest that hangs must not hold up the verb that wanted to keep its last picture. */
const keepTimeoutMs = 2_000;

export class ScreenFrames {
  readonly #path: string;
  readonly #shoot: () => Promise<Screenshot>;
  #frame: { png: Buffer; atMs: number } | null = null;
  #underWay: Promise<Screenshot> | null = null;

  constructor(path: string, shoot: () => Promise<Screenshot>) {
    this.#path = path;
    this.#shoot = shoot;
  }

  /** A picture taken now; several who ask at once share one. */
  take(): Promise<Screenshot> {
    this.#underWay ??= this.#shoot()
      .then((shot) => {
        this.#frame = { png: shot.png, atMs: Date.now() };
        return shot;
      })
      .finally(() => {
        this.#underWay = null;
      });
    return this.#underWay;
  }

  /** A picture no older than `maxAgeMs`, or when none can be taken the last one there is. */
  async recent(maxAgeMs: number): Promise<Buffer | null> {
    if (this.#frame && Date.now() - this.#frame.atMs <= maxAgeMs) return this.#frame.png;
    try {
      return (await this.take()).png;
    } catch {
      return this.#frame?.png ?? this.last();
    }
  }

  /** The picture that was kept; null when there is none. */
  async last(): Promise<Buffer | null> {
    return readFile(this.#path).catch(() => null);
  }

  /** Keeps a picture for when the guest is off. Never fails: a verb does not depend on it. */
  async keep(): Promise<void> {
    const timeout = new Promise<null>((done) => setTimeout(done, keepTimeoutMs, null).unref());
    const shot = await Promise.race([this.take().catch(() => null), timeout]);
    if (!shot) return;
    try {
      await writeFile(`${this.#path}.new`, shot.png, { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk costs the picture, not the verb.
    }
  }

  /** The run ended: the picture in memory is of a screen that is gone. */
  forget(): void {
    this.#frame = null;
  }
}
