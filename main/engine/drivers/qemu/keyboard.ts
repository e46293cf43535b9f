/** Keys that are pressed in a guest from outside of its console. */
import { setTimeout as pause } from 'node:timers/promises';
import type { QmpArguments } from '../../qmp/qmp-commands.ts';

const keyHoldMs = 12;
const keyGapMs = 8;
/** A guest that has not read its keyboard for so long has no use for it, or stands still. */
const readPatienceMs = 5_000;

/** Whether QEMU's answer to `i /b 0x64` says that the keyboard controller holds nothing for the guest; of a machine without one it reads 0xff. */
export function controllerIsEmpty(answer: string): boolean {
  const status = Number.parseInt(/= 0x([0-9a-f]{2})/.exec(answer)?.[1] ?? 'ff', 16);
  return status === 0xff || (status & 1) === 0;
}

type KeyboardOptions = {
  send(events: QmpArguments<'input-send-event'>): Promise<unknown>;
  /** Whether the guest has read every key that was sent. */
  hasRead(): Promise<boolean>;
  readPatienceMs?: number;
};

export class Keyboard {
  readonly #options: KeyboardOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: KeyboardOptions) {
    this.#options = options;
  }

  /**
   * Presses chords, one after the other; keys are QEMU's qcodes. A PS/2 keyboard holds 16 bytes until the guest reads them, and QEMU drops what
   * comes beside those: the next chord waits until the one before was read. Of a guest that reads nothing no more is waited for.
   */
  press(chords: readonly (readonly string[])[]): Promise<void> {
    const mine = this.#last.then(async () => {
      let patient = true;
      for (const [index, chord] of chords.entries()) {
        if (index > 0 && patient) patient = await this.#untilRead();
        const key = (data: string, down: boolean) => ({ type: 'key' as const, data: { key: { type: 'qcode' as const, data }, down } });
        await this.#options.send({ events: chord.map((one) => key(one, true)) });
        await pause(keyHoldMs);
        await this.#options.send({ events: chord.toReversed().map((one) => key(one, false)) });
        await pause(keyGapMs);
      }
    });
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** False when the guest did not read in time. */
  async #untilRead(): Promise<boolean> {
    const deadline = performance.now() + (this.#options.readPatienceMs ?? readPatienceMs);
    while (!(await this.#options.hasRead())) {
      if (performance.now() > deadline) return false;
      await pause(keyGapMs);
    }
    return true;
  }
}
