/**
 * What a guest says on an emulated serial port. Linux 6.1 (6.1.192 of Debian) now and then writes a character twice there when the computer is
 * busy, so that what it says is never compared letter by letter: whoever waits for words does it by {@link SerialText}, and whoever needs
 * exact data has it from a guest's agent or disk.
 */
import { until } from './until.ts';

/** A text without repeated characters. */
export function withoutRepeats(text: string): string {
  return text.replace(/(.)\1+/gs, '$1');
}

/** Whether a guest said these words, whatever it said twice. */
export function says(text: string, wanted: string): boolean {
  return withoutRepeats(text.replaceAll('\r', '')).includes(withoutRepeats(wanted));
}

export class SerialText {
  readonly #read: () => string;

  /** `read` gives all that was said so far, as it came. */
  constructor(read: () => string) {
    this.#read = read;
  }

  says(wanted: string): boolean {
    return says(this.#read(), wanted);
  }

  /** @throws Error with the last words when these did not come within `deadlineMs` */
  async until(wanted: string, deadlineMs = 60_000): Promise<void> {
    try {
      await until(`the guest says ${JSON.stringify(wanted)}`, () => this.says(wanted), deadlineMs);
    } catch (thrown) {
      throw new Error(`The guest got as far as this: ${JSON.stringify(this.#read().slice(-1000))}`, { cause: thrown });
    }
  }
}
