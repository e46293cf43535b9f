/** How many pictures of each kind have come, for whoever wants to know how a server packs them. */

type Count = { type: number; count: number; bytes: number };

export class PictureCounts {
  /** A handful: there are no more types. */
  readonly #counts: Count[] = [];

  /** A picture of SPICE_IMAGE_TYPE_`type`, which came in so many bytes. */
  add(type: number, bytes: number): void {
    for (const known of this.#counts)
      if (known.type === type) {
        known.count++;
        known.bytes += bytes;
        return;
      }
    if (this.#counts.length < maxTypes) this.#counts.push({ type, count: 1, bytes });
  }

  get all(): readonly Readonly<Count>[] {
    return this.#counts;
  }
}

/** A type that there is none of ends the session, but is counted before. */
const maxTypes = 32;
