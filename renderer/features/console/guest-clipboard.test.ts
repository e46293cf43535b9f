import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ShellCallOutput } from '../../../contract/shell.ts';
import type { CopiedKind, Selection } from '../../console/clipboard.ts';
import type { shell } from '../../state/bridge.ts';
import { GuestClipboard } from './guest-clipboard.ts';

type Kinds = ShellCallOutput<'shell.copiedKinds'>;

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

/** A shell whose clipboard holds a text, and that answers when a test lets it. */
class SlowShell {
  text = '';
  readonly looks: (() => void)[] = [];
  readonly writes: (() => void)[] = [];

  /** As much of the bridge as this asks. */
  readonly ask = ((name: string, input: { copied?: { text: string } }) =>
    new Promise<unknown>((settle) => {
      if (name === 'shell.copiedKinds') {
        const clipboard: Kinds['clipboard'] = { stamp: this.text, kinds: ['text'] };
        this.looks.push(() => settle({ ok: true, value: { clipboard, primary: null } satisfies Kinds }));
        return;
      }
      this.writes.push(() => {
        this.text = input.copied?.text ?? '';
        settle({ ok: true, value: this.text });
      });
    })) as typeof shell;
}

/** A console that says what its guest was told. */
function listener() {
  const told: string[] = [];
  const offerCopied = (selection: Selection, kinds: readonly CopiedKind[]) => void told.push(`${selection} ${kinds}`);
  return { told, offerCopied, usedAt: Number.NEGATIVE_INFINITY };
}

/** Lets the oldest question be answered, and what waits for the answer go on. */
async function answer(questions: (() => void)[]): Promise<void> {
  questions.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
}

/** A console that is used, whose guest has heard of what there was at first. */
async function offering() {
  const here = new SlowShell();
  const board = new GuestClipboard(here.ask);
  const live = listener();
  const leave = board.keepOffering(live);
  await answer(here.looks);
  live.told.length = 0;
  return { here, board, live, leave };
}

test('what was seen only when a console had been left is told to its guest once it is used again', async () => {
  const here = new SlowShell();
  const board = new GuestClipboard(here.ask);
  const live = listener();
  here.text = 'copied here';
  const leave = board.keepOffering(live);
  leave();
  await answer(here.looks);
  expect(live.told).toEqual([]);

  board.keepOffering(live);
  await answer(here.looks);
  expect(live.told).toEqual(['clipboard text']);
});

test('what was seen before the guest’s clipboard was shut is not taken for told when it is opened again', async () => {
  const here = new SlowShell();
  const board = new GuestClipboard(here.ask);
  const live = listener();
  here.text = 'copied here';
  const shut = board.keepOffering(live);
  shut();
  board.withdrawn();
  await answer(here.looks);
  board.keepOffering(live);
  await answer(here.looks);
  expect(live.told).toEqual(['clipboard text']);
});

test('a guest is told once of what is copied here, again when that changes, and never of its own', async () => {
  const here = new SlowShell();
  const board = new GuestClipboard(here.ask);
  const live = listener();
  here.text = 'one';
  const leave = board.keepOffering(live);
  for (const text of ['one', 'one', 'two', 'two']) {
    here.text = text;
    await answer(here.looks);
    await vi.advanceTimersByTimeAsync(1000);
  }
  // The look before the last change saw what was there when it was asked.
  await answer(here.looks);
  expect(live.told).toEqual(['clipboard text', 'clipboard text']);

  const written = board.write('clipboard', { kind: 'text', text: 'the guest’s' });
  await answer(here.writes);
  await written;
  for (let look = 0; look < 3; look++) {
    await vi.advanceTimersByTimeAsync(1000);
    await answer(here.looks);
  }
  expect(live.told).toEqual(['clipboard text', 'clipboard text']);
  leave();
});

test('a look that a write of the guest’s overtook does not tell the guest of its own', async () => {
  const { here, board, live, leave } = await offering();
  here.text = 'copied before';
  await vi.advanceTimersByTimeAsync(1000);
  // It is looked at, and only then written; and the other way about, with the answer of the write still on its way.
  const written = board.write('clipboard', { kind: 'text', text: 'the guest’s' });
  await answer(here.looks);
  here.text = 'the guest’s';
  await vi.advanceTimersByTimeAsync(1000);
  await answer(here.looks);
  await answer(here.writes);
  await written;
  await vi.advanceTimersByTimeAsync(1000);
  await answer(here.looks);
  expect(live.told).toEqual([]);

  here.text = 'copied here';
  await vi.advanceTimersByTimeAsync(1000);
  await answer(here.looks);
  expect(live.told).toEqual(['clipboard text']);
  leave();
});

test('a look that took long is followed by a pause, and by none in which copies are missed', async () => {
  const here = new SlowShell();
  const board = new GuestClipboard(here.ask);
  const live = listener();
  const leave = board.keepOffering(live);
  await vi.advanceTimersByTimeAsync(200);
  await answer(here.looks);
  await vi.advanceTimersByTimeAsync(3999);
  expect(here.looks).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(here.looks).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5000);
  await answer(here.looks);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(here.looks).toHaveLength(1);
  leave();
});

test('whoever types is hardly disturbed, and what a program copied meanwhile is told all the same', async () => {
  const { here, live, leave } = await offering();
  here.text = 'copied by a program';
  const type = async (forMs: number) => {
    for (let ms = 0; ms < forMs; ms += 100) {
      live.usedAt = performance.now();
      await vi.advanceTimersByTimeAsync(100);
    }
  };
  await type(4900);
  expect(here.looks).toEqual([]);
  await type(200);
  expect(here.looks).toHaveLength(1);
  await answer(here.looks);
  expect(live.told).toEqual(['clipboard text']);

  // A pause in typing is enough.
  here.text = 'copied by another';
  await type(1500);
  expect(here.looks).toEqual([]);
  await vi.advanceTimersByTimeAsync(500);
  await answer(here.looks);
  expect(live.told).toEqual(['clipboard text', 'clipboard text']);
  leave();
});
