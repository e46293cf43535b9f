import { expect, test } from 'vitest';
import { board105 as board, mediaKeys, nationalKeys } from '../../../tests/support/keyboard-boards.ts';
import { hasNoRelease, scancodeOf } from './scancodes.ts';

test('every key of a 105-key board sends its own scan code', () => {
  expect(Object.keys(board)).toHaveLength(105);
  const hex = (code: string) =>
    scancodeOf(code)
      ?.map((byte) => byte.toString(16).padStart(2, '0'))
      .join('') ?? 'none';
  expect(Object.fromEntries(Object.keys(board).map((code) => [code, hex(code)]))).toEqual(board);
  expect(new Set(Object.values(board)).size).toBe(105);
});

test('keys of Japanese, Korean, Brazilian and multimedia boards send theirs', () => {
  for (const [code, make] of Object.entries({ ...nationalKeys, ...mediaKeys }))
    expect(Buffer.from(scancodeOf(code) ?? []).toString('hex'), code).toBe(make);
});

test('a key that no PC keyboard has sends nothing', () => {
  expect(scancodeOf('')).toBeNull();
  expect(scancodeOf('BrightnessUp')).toBeNull();
});

test('only Pause has no release', () => {
  expect(Object.keys(board).filter((code) => hasNoRelease(scancodeOf(code) ?? []))).toEqual(['Pause']);
});
