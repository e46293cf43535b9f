/** The dictionary of GLZ: pictures of the whole session, of all display channels, that later ones may refer to. */
import { SpiceError } from '../protocol/spice-error.ts';
import { keptPictureCost } from './picture.ts';
import { Waiting } from './waiting.ts';

export interface GlzPicture {
  readonly id: number;
  /** How many pictures back the server's own dictionary begins. */
  readonly windowDistance: number;
  /** In the order of the stream, which for some pictures is from the bottom. */
  readonly pixels: Int32Array;
  /** Whether alpha is 0xff everywhere. */
  readonly opaque: boolean;
}

/**
 * INVARIANT: holds at most `maxPixels`, of which each picture takes some more than it has, whatever the server sends (`glz.test.ts`).
 *
 * The server numbers pictures in the order in which it encoded them. With several display channels they arrive in another; so nothing is let
 * go that a picture still on its way could refer to: only what lies before the window of the last one up to which all have come.
 */
export class GlzWindow {
  readonly #maxPixels: number;
  readonly #pictures = new Map<number, GlzPicture>();
  #pixels = 0;
  /** The first number that has not come yet; null before the first picture. */
  #nextMissing: number | null = null;
  /** All before it have been let go. */
  #oldest = 0;
  readonly #waiting = new Waiting<number>();

  /**
   * `maxPixels` is more than what was told to the server in DISPLAY_INIT: it counts that for its own dictionary, of which channels that lag
   * behind may need some more.
   */
  constructor(maxPixels: number) {
    this.#maxPixels = maxPixels;
  }

  get pixels(): number {
    return this.#pixels;
  }

  find(id: number): GlzPicture | undefined {
    return this.#pictures.get(id);
  }

  /** Throws unless there is room for a picture of so many pixels. */
  checkRoom(pixels: number): void {
    if (this.#pixels + pixels + (this.#pictures.size + 1) * keptPictureCost > this.#maxPixels)
      throw new SpiceError(`GLZ: the window would hold more than ${this.#maxPixels} pixels`);
  }

  add(picture: GlzPicture): void {
    if (this.#pictures.has(picture.id)) throw new SpiceError(`GLZ: picture ${picture.id} came twice`);
    this.checkRoom(picture.pixels.length);
    this.#pictures.set(picture.id, picture);
    this.#pixels += picture.pixels.length;
    // A session that was handed over by another server goes on with that one's numbers.
    if (this.#nextMissing === null) {
      this.#nextMissing = picture.id - picture.windowDistance;
      this.#oldest = this.#nextMissing;
    }
    let last: GlzPicture | undefined;
    for (;;) {
      const next = this.#pictures.get(this.#nextMissing);
      if (next === undefined) break;
      last = next;
      this.#nextMissing++;
    }
    if (last !== undefined) this.#releaseBefore(last.id - last.windowDistance);
    this.#waiting.settle(picture.id);
  }

  /** Settles when that picture has come; rejects when nothing will come any more. */
  whenAdded(id: number): Promise<void> {
    return this.#pictures.has(id) ? Promise.resolve() : this.#waiting.wait(id);
  }

  /** RESET, and a new connection: numbers begin anew. */
  clear(): void {
    this.#pictures.clear();
    this.#pixels = 0;
    this.#nextMissing = null;
    this.#waiting.fail();
  }

  /** No more steps in all than pictures came: `oldest` is never beyond the last up to which all have come. */
  #releaseBefore(oldest: number): void {
    for (; this.#oldest < oldest; this.#oldest++) {
      const picture = this.#pictures.get(this.#oldest);
      if (picture === undefined) continue;
      this.#pictures.delete(this.#oldest);
      this.#pixels -= picture.pixels.length;
    }
  }
}
