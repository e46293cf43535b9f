/** A guest's way to the trash and back: its row says where its folder belongs, and an engine that finds it elsewhere moves it there. */
import { rm } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import type { GuestFiles } from '../files/layout.ts';
import { moveFolder } from './guest-folders.ts';
import type { GuestRecord } from './guest-record.ts';
import type { StoredGuest } from './store.ts';

export const inTrash = (name: string): Failure => new Failure('guest/denied', `${name} is in the trash.`, { hint: 'Restore it first.' });

export class GuestTrash {
  readonly #record: GuestRecord;
  readonly #files: GuestFiles;
  /** The folder is on its way to or from the trash. */
  #moving: Promise<void> = Promise.resolve();

  constructor(record: GuestRecord, files: GuestFiles) {
    this.#record = record;
    this.#files = files;
  }

  async put(): Promise<void> {
    this.#record.save({ trashedAt: new Date().toISOString() });
    await this.#move(this.#files.folder, this.#files.trashFolder, 'moved to the trash', { trashedAt: null });
    await rm(this.#files.run, { recursive: true, force: true });
  }

  /** Under a name that is free. False when the guest was not there. */
  async bringBack(freeName: (name: string) => string): Promise<boolean> {
    await this.#moving;
    const { trashedAt, spec } = this.#record.now;
    if (trashedAt === null) return false;
    this.#record.save({ trashedAt: null, spec: { ...spec, name: freeName(spec.name) } });
    await this.#move(this.#files.trashFolder, this.#files.folder, 'brought back from the trash', { trashedAt, spec });
    return true;
  }

  /** Moves the guest's folder; what was written down before is `taken` back when that fails. */
  async #move(from: string, to: string, what: string, taken: Partial<StoredGuest>): Promise<void> {
    const moved = moveFolder(from, to);
    this.#moving = moved.catch(() => {});
    try {
      await moved;
    } catch (thrown) {
      this.#record.note(taken);
      throw new Failure('store/not-writable', `${this.#record.now.spec.name} could not be ${what}.`, {
        detail: thrown instanceof Error ? thrown.message : String(thrown),
      });
    }
  }
}
