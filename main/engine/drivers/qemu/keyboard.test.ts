import { expect, test } from 'vitest';
import { controllerIsEmpty, Keyboard } from './keyboard.ts';

/** A keyboard of a guest that reads one key whenever it is asked so many times. */
function typist(asksPerKey: number) {
  const said: string[] = [];
  let unread = 0;
  let most = 0;
  let asked = 0;
  const keyboard = new Keyboard({
    send: async ({ events }) => {
      unread += events.length;
      most = Math.max(most, unread);
      for (const { data } of events as { data: { key: { data: string }; down: boolean } }[])
        said.push(`${data.down ? '+' : '-'}${data.key.data}`);
    },
    hasRead: async () => {
      if (++asked % asksPerKey === 0 && unread > 0) unread--;
      return unread === 0;
    },
    readPatienceMs: 300,
  });
  return { keyboard, said, most: () => most, asked: () => asked };
}

test('a chord is pressed in order, let go in reverse, and waits until the guest has read the one before', async () => {
  const { keyboard, said, most } = typist(2);
  await Promise.all([keyboard.press([['shift', 'a'], ['b'], ['shift', 'c']]), keyboard.press([['ret']])]);
  expect(said).toEqual(['+shift', '+a', '-a', '-shift', '+b', '-b', '+shift', '+c', '-c', '-shift', '+ret', '-ret']);
  // Two chords at most are under way: the last of a text, and the first of the next.
  expect(most()).toBeLessThanOrEqual(6);
});

test('a guest that does not read its keyboard is waited for once, and typed to all the same', async () => {
  const { keyboard, said, asked } = typist(Number.POSITIVE_INFINITY);
  await keyboard.press([['a']]);
  expect(asked()).toBe(0);
  await keyboard.press([['ctrl', 'alt', 'delete']]);
  expect(asked()).toBe(0);
  const before = performance.now();
  await keyboard.press([['b'], ['c'], ['d']]);
  expect(performance.now() - before).toBeGreaterThan(300);
  expect(asked()).toBeLessThan(60);
  expect(said.filter((one) => one.startsWith('+'))).toEqual(['+a', '+ctrl', '+alt', '+delete', '+b', '+c', '+d']);
});

test('the lowest bit of the controller’s status says that something is unread, and a machine without one has nothing', () => {
  expect(controllerIsEmpty('portb[0x0064] = 0x1c\r\n')).toBe(true);
  expect(controllerIsEmpty('portb[0x0064] = 0x1d\r\n')).toBe(false);
  expect(controllerIsEmpty('portb[0x0064] = 0x3d\r\n')).toBe(false);
  expect(controllerIsEmpty('portb[0x0064] = 0xff\r\n')).toBe(true);
  expect(controllerIsEmpty('unknown command: i')).toBe(true);
});
