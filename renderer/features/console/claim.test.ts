import { expect, onTestFinished, test } from 'vitest';
import { guestId } from '../../../contract/ids.ts';
import { until } from '../../../tests/support/until.ts';
import { type Claim, claimConsole } from './claim.ts';

/** A window that wants the console: whether it has it. */
function openWindow(): { claim: Claim; has: () => boolean } {
  let held = false;
  const claim = claimConsole(guestId.parse('g0a1b2c3d4'), (now) => {
    held = now;
  });
  onTestFinished(() => claim.release());
  return { claim, has: () => held };
}

/** Settles when whatever was asked of the locks has been answered: they answer in order. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await navigator.locks.query();
}

test('one window has the console; it goes to the one that takes it, and back when that one is closed', async () => {
  const first = openWindow();
  await until('the first has it', first.has);
  const second = openWindow();
  await settled();
  expect(second.has()).toBe(false);
  second.claim.takeOver();
  await until('the second has it', () => second.has() && !first.has());
  second.claim.release();
  await until('the first has it again', first.has);
});

test('a window that takes the console twice in a row keeps it', async () => {
  const first = openWindow();
  await until('the first has it', first.has);
  const second = openWindow();
  for (const taking of [second, first, second]) {
    taking.claim.takeOver();
    taking.claim.takeOver();
    await until('it has it', taking.has);
    await settled();
    expect([first.has(), second.has()]).toEqual([taking === first, taking === second]);
  }
});
