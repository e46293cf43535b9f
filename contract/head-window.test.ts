import { expect, test } from 'vitest';
import type { GuestId } from './ids.ts';
import { headWindowName, parseHeadWindowName } from './shell.ts';

test('the name of a monitor’s window is read as what it was made of, and no other name is', () => {
  const window = { guest: 'g0abcdefgh' as GuestId, head: 15 };
  expect(parseHeadWindowName(headWindowName(window))).toEqual(window);
  const others = ['', '_blank', 'head', 'head-g0abcdefgh', 'head-g0abcdefgh-16', 'head-g0abcdefgh--1', 'head-g0abcdefgh-1-1'];
  for (const name of [...others, 'head-../../etc-1', 'xhead-g0abcdefgh-1', 'head-g0abcdefgh-1\n', 'head-i0abcdefgh-1'])
    expect(parseHeadWindowName(name)).toBeNull();
});
