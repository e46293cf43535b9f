import { expect, test } from 'vitest';
import { combinationOf, defaultGuestKeyboard, formatKeyCombination, guestKeyboard, parseKeyCombination } from './guest-keyboard.ts';

test('a combination has one way in which it is stored, however it was written, and is shown as it is written on keys', () => {
  for (const [written, stored, shown] of [
    ['f11', 'F11', 'F11'],
    ['alt + ctrl+T', 'Ctrl+Alt+KeyT', 'Ctrl+Alt+T'],
    ['Win-1', 'Super+Digit1', 'Super+1'],
    ['ctrl shift esc', 'Ctrl+Shift+Escape', 'Ctrl+Shift+Escape'],
    ['Alt+Tab', 'Alt+Tab', 'Alt+Tab'],
    ['Ctrl+Alt+Up', 'Ctrl+Alt+ArrowUp', 'Ctrl+Alt+Up'],
    ['AudioVolumeUp', 'AudioVolumeUp', 'AudioVolumeUp'],
  ] as const) {
    expect(parseKeyCombination(written)).toBe(stored);
    expect(formatKeyCombination(stored)).toBe(shown);
    expect(parseKeyCombination(shown)).toBe(stored);
  }
});

test('a plain key cannot be taken from a guest, and what is no combination is none', () => {
  for (const text of ['a', 'Shift+A', 'Enter', 'Space', 'Ctrl', 'Ctrl+Alt', '', '+', 'Hyper+A', 'Ctrl+Ctrl+A', 'F25', 'Ctrl+ä'])
    expect(parseKeyCombination(text), text).toBeNull();
});

test('what is pressed is compared in the same words', () => {
  const event = { code: 'KeyT', ctrlKey: true, altKey: true, shiftKey: false, metaKey: false };
  expect(combinationOf(event)).toBe(parseKeyCombination('Ctrl+Alt+T'));
});

test('only combinations in their stored form are stored', () => {
  expect(guestKeyboard.safeParse(defaultGuestKeyboard).success).toBe(true);
  for (const localKeys of [['f11'], ['KeyA'], ['Ctrl+Alt+T'], Array.from({ length: 33 }, () => 'F11')])
    expect(guestKeyboard.safeParse({ layout: 'us', localKeys }).success, String(localKeys)).toBe(false);
  expect(guestKeyboard.safeParse({ layout: 'xx', localKeys: [] }).success).toBe(false);
});
