import { expect, test } from 'vitest';
import { hasNoRelease, scancodeOf } from './scancodes.ts';

/** Every key of a 105-key ISO board, row by row, with its make code. */
const board: Record<string, string> = {
  Escape: '01',
  F1: '3b',
  F2: '3c',
  F3: '3d',
  F4: '3e',
  F5: '3f',
  F6: '40',
  F7: '41',
  F8: '42',
  F9: '43',
  F10: '44',
  F11: '57',
  F12: '58',
  PrintScreen: 'e037',
  ScrollLock: '46',
  Pause: 'e11d45e19dc5',
  Backquote: '29',
  Digit1: '02',
  Digit2: '03',
  Digit3: '04',
  Digit4: '05',
  Digit5: '06',
  Digit6: '07',
  Digit7: '08',
  Digit8: '09',
  Digit9: '0a',
  Digit0: '0b',
  Minus: '0c',
  Equal: '0d',
  Backspace: '0e',
  Insert: 'e052',
  Home: 'e047',
  PageUp: 'e049',
  NumLock: '45',
  NumpadDivide: 'e035',
  NumpadMultiply: '37',
  NumpadSubtract: '4a',
  Tab: '0f',
  KeyQ: '10',
  KeyW: '11',
  KeyE: '12',
  KeyR: '13',
  KeyT: '14',
  KeyY: '15',
  KeyU: '16',
  KeyI: '17',
  KeyO: '18',
  KeyP: '19',
  BracketLeft: '1a',
  BracketRight: '1b',
  Enter: '1c',
  Delete: 'e053',
  End: 'e04f',
  PageDown: 'e051',
  Numpad7: '47',
  Numpad8: '48',
  Numpad9: '49',
  NumpadAdd: '4e',
  CapsLock: '3a',
  KeyA: '1e',
  KeyS: '1f',
  KeyD: '20',
  KeyF: '21',
  KeyG: '22',
  KeyH: '23',
  KeyJ: '24',
  KeyK: '25',
  KeyL: '26',
  Semicolon: '27',
  Quote: '28',
  Backslash: '2b',
  Numpad4: '4b',
  Numpad5: '4c',
  Numpad6: '4d',
  ShiftLeft: '2a',
  IntlBackslash: '56',
  KeyZ: '2c',
  KeyX: '2d',
  KeyC: '2e',
  KeyV: '2f',
  KeyB: '30',
  KeyN: '31',
  KeyM: '32',
  Comma: '33',
  Period: '34',
  Slash: '35',
  ShiftRight: '36',
  ArrowUp: 'e048',
  Numpad1: '4f',
  Numpad2: '50',
  Numpad3: '51',
  NumpadEnter: 'e01c',
  ControlLeft: '1d',
  MetaLeft: 'e05b',
  AltLeft: '38',
  Space: '39',
  AltRight: 'e038',
  MetaRight: 'e05c',
  ContextMenu: 'e05d',
  ControlRight: 'e01d',
  ArrowLeft: 'e04b',
  ArrowDown: 'e050',
  ArrowRight: 'e04d',
  Numpad0: '52',
  NumpadDecimal: '53',
};

test('every key of a 105-key board sends its own scan code', () => {
  expect(Object.keys(board)).toHaveLength(105);
  const hex = (code: string) =>
    scancodeOf(code)
      ?.map((byte) => byte.toString(16).padStart(2, '0'))
      .join('') ?? 'none';
  expect(Object.fromEntries(Object.keys(board).map((code) => [code, hex(code)]))).toEqual(board);
  expect(new Set(Object.values(board)).size).toBe(105);
});

test('keys of Japanese, Brazilian and multimedia boards have codes as well', () => {
  for (const code of [
    'IntlYen',
    'IntlRo',
    'KanaMode',
    'Convert',
    'NonConvert',
    'NumpadComma',
    'AudioVolumeUp',
    'MediaPlayPause',
    'BrowserBack',
    'F24',
  ])
    expect(scancodeOf(code), code).not.toBeNull();
});

test('a key that no PC keyboard has sends nothing', () => {
  expect(scancodeOf('')).toBeNull();
  expect(scancodeOf('BrightnessUp')).toBeNull();
});

test('only Pause has no release', () => {
  expect(Object.keys(board).filter((code) => hasNoRelease(scancodeOf(code) ?? []))).toEqual(['Pause']);
});
