import { expect, test } from 'vitest';
import type { ConsoleInput } from '../../console.ts';
import { KeyPacing, mostUnreadBytes, patienceMs } from './key-pacing.ts';

const key = (code: number | readonly number[], down: boolean): ConsoleInput => ({
  kind: 'key',
  scancode: typeof code === 'number' ? [code] : code,
  down,
});

function written(input: ConsoleInput): string {
  if (input.kind === 'key') return `${input.down ? '+' : '-'}${input.scancode.map((byte) => byte.toString(16)).join('')}`;
  if (input.kind === 'button') return `${input.down ? '+' : '-'}${input.button}`;
  if (input.kind === 'position') return `@${input.xPx},${input.yPx}`;
  return input.kind === 'motion' ? `>${input.dxPx},${input.dyPx}` : 'locks';
}

/** A pacing whose clock is turned by hand, and what it has sent since it was last asked. `hasRead` is as of {@link KeyPacingOptions}. */
function startPacing(hasRead?: () => Promise<boolean | null>) {
  let now = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  const sent: string[] = [];
  let asked = 0;
  const pacing = new KeyPacing({
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    send: (input) => void sent.push(written(input)),
    ask: () => void asked++,
    ...(hasRead ? { hasRead } : {}),
  });
  const pass = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const next = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (!next) break;
      timers.delete(next);
      now = next.at;
      next.run();
    }
    now = end;
  };
  const took = () => sent.splice(0).join(' ');
  /** Types so many keys, of codes from 0x10 on. */
  const type = (count: number, from = 0) => {
    for (let at = from; at < from + count; at++) for (const down of [true, false]) pacing.input(key(0x10 + at, down));
  };
  return { pacing, pass, took, type, asked: () => asked, timers };
}

test('by hand, every key goes out at once, and the server is asked about one thing at a time', () => {
  const { pacing, pass, took, asked, timers } = startPacing();
  for (let count = 0; count < 40; count++) {
    for (const down of [true, false]) {
      pacing.input(key(0x1e, down));
      expect(took()).toBe(down ? '+1e' : '-1e');
      pass(1);
      pacing.answered();
      pass(29);
    }
  }
  expect(asked()).toBe(40);
  pacing.answered();
  expect(timers.size).toBe(0);
  // Ctrl+Alt+Delete, which is nearly all that a keyboard holds.
  const chord = [0x1d, 0x38, [0xe0, 0x53]];
  for (const code of chord) pacing.input(key(code, true));
  for (const code of chord.toReversed()) pacing.input(key(code, false));
  expect(took()).toBe('+1d +38 +e053 -e053 -38 -1d');
  expect(asked()).toBe(41);
});

test('of a server that stands still no more is asked than a keyboard holds, and the rest follows in order when it goes on', () => {
  const { pacing, pass, took, type, asked } = startPacing();
  type(12);
  expect(took()).toBe('+10 -10 +11 -11 +12 -12 +13 -13 +14 -14');
  pass(2000);
  expect(took()).toBe('');
  expect(asked()).toBe(1);
  // That answer was about the first byte only.
  pacing.answered();
  expect(took()).toBe('');
  expect(asked()).toBe(2);
  pacing.answered();
  // What stood still for so long gets more time to read.
  pass(49);
  expect(took()).toBe('');
  pass(51);
  pacing.answered();
  expect(took().split(' ')).toHaveLength(10);
  pacing.answered();
  pass(20);
  pacing.answered();
  pass(100);
  expect(took()).toBe('+1a -1a +1b -1b');
});

test('a keyboard that is read a moment after the server got its keys never overflows, whatever the server does', () => {
  for (let seed = 1; seed <= 40; seed++) {
    let random = seed;
    const next = (below: number) => {
      random = (random * 1103515245 + 12345) & 0x7fffffff;
      return (random >> 8) % below;
    };
    const { pacing, pass, took, asked } = startPacing();
    // A keyboard that is read, wholly, when 20 ms have passed since the server handed on what came.
    let onTheWay: number[] = [];
    let answered = 0;
    let unread: { bytes: number; ageMs: number }[] = [];
    const typed: string[] = [];
    const arrived: string[] = [];
    const settle = () => {
      for (const word of took().split(' ').filter(Boolean)) {
        arrived.push(word);
        onTheWay.push((word.length - 1) / 2);
      }
    };
    const serve = () => {
      const bytes = onTheWay.reduce((sum, one) => sum + one, 0);
      if (bytes > 0) unread.push({ bytes, ageMs: 0 });
      onTheWay = [];
      expect(unread.reduce((sum, one) => sum + one.bytes, 0)).toBeLessThanOrEqual(16);
      while (answered < asked()) {
        answered++;
        pacing.answered();
        settle();
      }
    };
    const elapse = (ms: number) => {
      for (let at = 0; at < ms; at++) {
        pass(1);
        for (const one of unread) one.ageMs++;
        unread = unread.filter(({ ageMs }) => ageMs < 20);
        settle();
      }
    };
    let standsUntil = 0;
    for (let step = 0; step < 300; step++) {
      const code = next(5) === 0 ? [0xe0, 0x47 + next(9)] : [0x10 + next(40)];
      for (const down of [true, false]) {
        pacing.input(key(code, down));
        typed.push(written(key(code, down)));
        settle();
      }
      if (next(30) === 0) standsUntil = step + next(40);
      if (next(3) > 0) elapse(next(40));
      if (step >= standsUntil) serve();
    }
    for (let more = 0; more < 400 && arrived.length < typed.length; more++) {
      serve();
      elapse(20);
    }
    expect(arrived).toEqual(typed);
  }
});

test('a key that repeats by itself is not held, its release is, and nothing overtakes anything', () => {
  const { pacing, pass, took, type } = startPacing();
  type(5);
  took();
  pacing.input(key(0x1d, true));
  for (let count = 0; count < 20; count++) pacing.input(key(0x1d, true));
  pacing.input({ kind: 'motion', dxPx: 1, dyPx: 2 });
  pacing.input({ kind: 'motion', dxPx: 3, dyPx: 4 });
  pacing.input({ kind: 'button', button: 'left', down: true });
  pacing.input({ kind: 'position', xPx: 5, yPx: 5 });
  pacing.input({ kind: 'position', xPx: 6, yPx: 7 });
  pacing.input({ kind: 'button', button: 'left', down: false });
  pacing.input(key(0x1d, false));
  expect(took()).toBe('');
  pacing.answered();
  pacing.answered();
  pass(100);
  expect(took()).toBe('+1d >4,6 +left @6,7 -left -1d');
  // Nothing is in the way of the pointer where no key is held.
  pacing.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  expect(took()).toBe('>1,0');
});

test('a key that repeats goes out as before while there is room', () => {
  const { pacing, pass, took } = startPacing();
  for (let count = 0; count < 30; count++) {
    pacing.input(key(0x1e, true));
    expect(took()).toBe('+1e');
    pass(2);
    pacing.answered();
    pass(31);
  }
});

test('a server that never answers is typed to all the same, after some seconds, at a pace that a guest can read', () => {
  const { pass, took, type, asked } = startPacing();
  type(12);
  took();
  pass(patienceMs - 1);
  expect(took()).toBe('');
  pass(1);
  pass(20);
  expect(took().split(' ')).toHaveLength(mostUnreadBytes);
  pass(20);
  expect(took()).toBe('+1a -1a +1b -1b');
  pass(20);
  type(1, 20);
  expect(took()).toBe('+24 -24');
  expect(asked()).toBe(1);
});

test('a server that has answered is waited for as long as it takes, and asked once more now and then', () => {
  const { pacing, pass, took, type, asked } = startPacing();
  type(1);
  pacing.answered();
  pass(30);
  pacing.answered();
  pass(30);
  took();
  type(12);
  took();
  const before = asked();
  pass(20_000);
  expect(took()).toBe('');
  expect(asked() - before).toBeGreaterThanOrEqual(3);
  expect(asked() - before).toBeLessThanOrEqual(4);
  pacing.answered();
  pacing.answered();
  pass(100);
  expect(took().split(' ')).toHaveLength(mostUnreadBytes);
});

test('however much is typed at a server that stands still, what is held has an end, and no key stays pressed', () => {
  const { pacing, pass, took } = startPacing();
  pacing.input(key(0x2a, true));
  pacing.answered();
  for (let count = 0; count < 2000; count++) for (const down of [true, false]) pacing.input(key(0x10 + (count % 0x20), down));
  pacing.input(key(0x2a, false));
  const came: string[] = [];
  for (let turn = 0; turn < 1000; turn++) {
    pacing.answered();
    pass(20);
    came.push(...took().split(' ').filter(Boolean));
  }
  const down = new Set<string>();
  for (const word of came) {
    if (word.startsWith('+')) down.add(word.slice(1));
    else expect(down.delete(word.slice(1)), word).toBe(true);
  }
  expect([...down]).toEqual([]);
  expect(came.length).toBeGreaterThan(500);
  expect(came.length).toBeLessThan(600);
});

test('a guest that moves takes along what is held', () => {
  const { pacing, pass, took, type, asked } = startPacing();
  type(8);
  took();
  pacing.moved(false);
  expect(asked()).toBe(2);
  expect(took()).toBe('');
  pacing.answered();
  pass(100);
  expect(took()).toBe('+15 -15 +16 -16 +17 -17');
  type(8);
  took();
  // A server that has nothing of what was sent has room for all of it.
  pacing.moved(true);
  expect(took().split(' ')).toHaveLength(mostUnreadBytes);
});

/** A pacing with somebody who looks into the guest's keyboard, who is answered by hand. */
function startLooking() {
  const looks: ((read: boolean | null) => void)[] = [];
  const started = startPacing(() => new Promise((resolve) => looks.push(resolve)));
  const settle = () => new Promise<void>((done) => setImmediate(done));
  const see = async (read: boolean | null) => {
    looks.splice(0).at(-1)?.(read);
    await settle();
  };
  return { ...started, looks, see };
}

test('of whom is known what the guest has read, nothing is sent before it has, however long that takes', async () => {
  const { pacing, pass, took, type, looks, see } = startLooking();
  type(12);
  pacing.answered();
  pacing.answered();
  expect(took().split(' ')).toHaveLength(10);
  expect(looks).toHaveLength(1);
  // The server hands on, and its guest does not run.
  for (let passed = 0; passed < 3000; passed += 20) {
    await see(false);
    pass(20);
  }
  expect(took()).toBe('');
  // When that was first asked, only five of the ten had been handed on.
  await see(true);
  expect(took()).toBe('+15 -15 +16 -16 +17');
  await see(true);
  expect(took().split(' ')).toHaveLength(5);
  // No more than ten are unread.
  pacing.answered();
  expect(took()).toBe('');
});

test('nobody looks while little is unread, and keys go out while somebody does', async () => {
  const { pacing, pass, took, type, looks, see } = startLooking();
  for (let count = 0; count < 100; count++) {
    type(1);
    expect(took()).toBe('+10 -10');
    pacing.answered();
    pacing.answered();
    pass(80);
    if (looks.length > 0) await see(true);
  }
  expect(looks).toHaveLength(0);
  type(2);
  pacing.answered();
  pacing.answered();
  expect(looks.length).toBeLessThanOrEqual(1);
  expect(took()).toBe('+10 -10 +11 -11');
});

test('where nobody knows, or whoever looks is busy, or the guest never reads, keys go out as if nobody looked', async () => {
  for (const how of ['unknown', 'busy', 'never'] as const) {
    const { pacing, pass, took, type, see, looks } = startLooking();
    type(12);
    pacing.answered();
    pacing.answered();
    took();
    if (how === 'unknown') await see(null);
    pass(100);
    if (how === 'never')
      for (let passed = 0; passed <= patienceMs; passed += 20) {
        await see(false);
        pass(20);
      }
    else pass(200);
    pacing.answered();
    expect(took(), how).toBe('+15 -15 +16 -16 +17 -17 +18 -18 +19 -19');
    pacing.answered();
    pass(100);
    pacing.answered();
    expect(took(), how).toBe('+1a -1a +1b -1b');
    // Not again at once.
    expect(looks.length, how).toBeLessThanOrEqual(1);
    pass(2000);
    type(12);
    pacing.answered();
    pacing.answered();
    expect(looks.length, how).toBeGreaterThan(0);
  }
});

test('while all of a QEMU stands still, whoever looks is not taken to be busy', async () => {
  const { pacing, pass, took, type, see } = startLooking();
  type(3);
  pacing.answered();
  type(10);
  took();
  pass(4000);
  expect(took()).toBe('');
  await see(true);
  expect(took()).not.toBe('');
});
