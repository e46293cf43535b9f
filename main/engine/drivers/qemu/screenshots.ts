/** Pictures of a guest's screen as QEMU's own `screendump` writes them. */
import { readFile, rm, stat } from 'node:fs/promises';
import { Failure } from '../../../../contract/errors.ts';
import type { Screenshot } from '../driver.ts';
import { pngSize } from './png.ts';

const screenshotMaxBytes = 64 * 1024 * 1024;

export type ScreenshotsParts = {
  /** Where each picture lies for a moment. */
  file: string;
  guestName(): string;
  /** Has QEMU write the picture of the first display to `file`, as PNG. */
  dump(file: string): Promise<unknown>;
  /** The screen has a size that was not told before. */
  resolution(size: { widthPx: number; heightPx: number }): void;
};

export class Screenshots {
  readonly #parts: ScreenshotsParts;
  #last: Promise<unknown> = Promise.resolve();
  #resolution = '';

  constructor(parts: ScreenshotsParts) {
    this.#parts = parts;
  }

  /** @throws Failure `console/unavailable`, and what `dump` throws */
  take(): Promise<Screenshot> {
    // One after the other: they share a file, and two at once would tell no more than one.
    const mine = this.#last.then(() => this.#takeNow());
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #takeNow(): Promise<Screenshot> {
    const { file, guestName, dump } = this.#parts;
    try {
      await dump(file);
      if ((await stat(file)).size > screenshotMaxBytes)
        throw new Failure('console/unavailable', `The screen of ${guestName()} is too large.`);
      const png = await readFile(file);
      const size = pngSize(png);
      if (!size) throw new Failure('console/unavailable', `QEMU gave no picture of ${guestName()}.`);
      this.#tellResolution(size);
      return { png, ...size };
    } finally {
      await rm(file, { force: true });
    }
  }

  #tellResolution(size: { widthPx: number; heightPx: number }): void {
    const text = `${size.widthPx}x${size.heightPx}`;
    if (text === this.#resolution) return;
    this.#resolution = text;
    this.#parts.resolution(size);
  }
}
