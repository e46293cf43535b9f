import { expect, test } from 'vitest';
import { chordsOf } from './us-keyboard.ts';

test('every printable ASCII character, Enter, Tab and Backspace can be typed', () => {
  const text = `${String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))}\n\t\b`;
  expect(chordsOf(text)).toHaveLength(98);
  expect(new Set(chordsOf(text).map((chord) => chord.join('-'))).size).toBe(98);
});

test('capitals and signs above the digits take Shift', () => {
  expect(chordsOf('aA1!|')).toEqual([['a'], ['shift', 'a'], ['1'], ['shift', '1'], ['shift', 'backslash']]);
});

test('a line break is one Enter whichever way it is written', () => {
  expect(chordsOf('a\r\nb\rc\n')).toEqual([['a'], ['ret'], ['b'], ['ret'], ['c'], ['ret']]);
});

test('a character that is not on the keyboard is named', () => {
  expect(() => chordsOf('abcü👻')).toThrow('"ü" (U+00FC)');
  expect(() => chordsOf('👻')).toThrow('U+1F47B');
});
