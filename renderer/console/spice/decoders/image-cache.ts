/** The pictures that the server told the session to keep. It knows what is in here as well as we do, and throws out what it likes. */
import { SpiceError } from '../protocol/spice-error.ts';
import { keptPictureCost, type Picture } from './picture.ts';
import { Waiting } from './waiting.ts';

interface Entry {
  picture: Picture;
  /** That a JPEG was kept, which the server may want to replace by the real pixels. */
  lossy: boolean;
  /** Channels that put it here, or one that did so again: it goes when all have let it go. */
  uses: number;
}

/**
 * INVARIANT: holds at most `maxPixels`, of which each picture takes some more than it has, whatever the server sends (`image-cache.test.ts`).
 *
 * One for all display channels of a session. Ids are the server's.
 */
export class ImageCache {
  readonly #maxPixels: number;
  readonly #entries = new Map<bigint, Entry>();
  #pixels = 0;
  readonly #waiting = new Waiting<bigint>();

  /** `maxPixels` is more than what DISPLAY_INIT announced, since channels that lag behind still hold what another let go. */
  constructor(maxPixels: number) {
    this.#maxPixels = maxPixels;
  }

  get pixels(): number {
    return this.#pixels;
  }

  /** CACHE_ME. */
  put(id: bigint, picture: Picture, lossy: boolean): void {
    this.#store(id, picture, lossy, (this.#entries.get(id)?.uses ?? 0) + 1);
  }

  /** CACHE_REPLACE_ME: real pixels in place of a JPEG. */
  replace(id: bigint, picture: Picture): void {
    this.#store(id, picture, false, this.#entries.get(id)?.uses ?? 1);
  }

  /** The picture; null when it is not there yet, or not without loss when that is asked for. */
  find(id: bigint, lossless: boolean): Picture | null {
    const entry = this.#entries.get(id);
    return entry === undefined || (lossless && entry.lossy) ? null : entry.picture;
  }

  /** One of INVAL_LIST. Nothing happens when it is not here. */
  remove(id: bigint): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || --entry.uses > 0) return;
    this.#entries.delete(id);
    this.#pixels -= entry.picture.pixels.length;
  }

  /** INVAL_ALL_PIXMAPS. */
  clear(): void {
    this.#entries.clear();
    this.#pixels = 0;
  }

  /** Settles when that picture is put here or replaced; rejects when nothing will come any more. */
  whenPut(id: bigint): Promise<void> {
    return this.#waiting.wait(id);
  }

  /** The session has ended. */
  close(): void {
    this.clear();
    this.#waiting.fail();
  }

  #store(id: bigint, picture: Picture, lossy: boolean, uses: number): void {
    const before = this.#entries.get(id);
    const pixels = this.#pixels - (before?.picture.pixels.length ?? 0) + picture.pixels.length;
    const count = this.#entries.size + (before === undefined ? 1 : 0);
    if (pixels + count * keptPictureCost > this.#maxPixels) throw new SpiceError(`more than ${this.#maxPixels} pixels are to be kept`);
    this.#entries.set(id, { picture, lossy, uses });
    this.#pixels = pixels;
    this.#waiting.settle(id);
  }
}
