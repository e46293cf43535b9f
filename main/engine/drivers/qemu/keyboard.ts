/** Keys that are pressed in a guest from outside of its console. */
import type { QmpArguments } from '../../qmp/qmp-commands.ts';

/** A PS/2 keyboard holds 16 bytes until the guest reads them; an emulated guest is slow to. */
const keyHoldMs = 12;
const keyGapMs = 8;

export class Keyboard {
  readonly #send: (events: QmpArguments<'input-send-event'>) => Promise<unknown>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(send: (events: QmpArguments<'input-send-event'>) => Promise<unknown>) {
    this.#send = send;
  }

  /** Presses chords, one after the other; keys are QEMU's qcodes. */
  press(chords: readonly (readonly string[])[]): Promise<void> {
    const mine = this.#last.then(async () => {
      for (const chord of chords) {
        const key = (data: string, down: boolean) => ({ type: 'key' as const, data: { key: { type: 'qcode' as const, data }, down } });
        await this.#send({ events: chord.map((one) => key(one, true)) });
        await new Promise((done) => setTimeout(done, keyHoldMs));
        await this.#send({ events: chord.toReversed().map((one) => key(one, false)) });
        await new Promise((done) => setTimeout(done, keyGapMs));
      }
    });
    this.#last = mine.catch(() => {});
    return mine;
  }
}
