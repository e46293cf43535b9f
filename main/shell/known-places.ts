/** Which files the shell will show in the file manager: those of the store, and those that the user named. */
import { realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { Failure } from '../../contract/errors.ts';
import type { Guest } from '../../contract/guest-state.ts';

/** What Guesthouse keeps in a location (docs/on-disk-layout.md). */
const locationFolders = ['guesthouse-images', 'guesthouse-store'];

export class KnownPlaces {
  readonly #folders: readonly string[];
  readonly #guests: () => Iterable<Guest>;
  readonly #locations: () => Promise<readonly string[]>;
  readonly #chosen = new Set<string>();

  /**
   * `folders`: the data and log folders. `guests`: whose disks and CDs may lie elsewhere. `locations`: other folders in which files of the store may
   * really lie.
   */
  constructor(folders: readonly string[], guests: () => Iterable<Guest>, locations: () => Promise<readonly string[]>) {
    this.#folders = folders;
    this.#guests = guests;
    this.#locations = locations;
  }

  /** The user chose this file in a dialog. */
  chose(path: string): void {
    this.#chosen.add(path);
  }

  /**
   * The file that `path` really is.
   * @throws Failure `image/file-missing`, or `call/forbidden-origin` when a page has no business with it
   */
  async resolve(path: string): Promise<string> {
    const real = await realpath(path).catch(() => null);
    if (real === null) throw new Failure('image/file-missing', `${path} does not exist any more.`);
    if (this.#chosen.has(path) || this.#usedInPlace(path)) return real;
    for (const folder of this.#folders) {
      const root = await realpath(folder).catch(() => folder);
      if (real === root || real.startsWith(root + sep)) return real;
    }
    if (await this.#movedElsewhere(path, real)) return real;
    throw new Failure('call/forbidden-origin', `${path} is not a file that Guesthouse knows.`);
  }

  /** A name in the store whose file lies in a folder of ours in a storage location. */
  async #movedElsewhere(path: string, real: string): Promise<boolean> {
    if (!this.#folders.some((folder) => resolve(path).startsWith(folder + sep))) return false;
    for (const location of await this.#locations()) {
      const root = await realpath(location).catch(() => location);
      if (locationFolders.some((name) => real.startsWith(join(root, name) + sep))) return true;
    }
    return false;
  }

  #usedInPlace(path: string): boolean {
    for (const { spec } of this.#guests()) {
      if (spec.disks.some(({ location }) => location.kind === 'in-place' && location.path === path)) return true;
      if (spec.cdDrives.some(({ medium }) => medium?.kind === 'in-place' && medium.path === path)) return true;
    }
    return false;
  }
}
