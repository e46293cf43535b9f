/** Text as presses of keys of a US keyboard, in QEMU's QKeyCode names (qapi/ui.json). The guest must have a US layout as well. */
import { Failure } from '../../../contract/errors.ts';

const plain: Readonly<Record<string, string>> = {
  '\n': 'ret',
  '\t': 'tab',
  '\b': 'backspace',
  '\u001b': 'esc',
  ' ': 'spc',
  '-': 'minus',
  '=': 'equal',
  '[': 'bracket_left',
  ']': 'bracket_right',
  '\\': 'backslash',
  ';': 'semicolon',
  "'": 'apostrophe',
  '`': 'grave_accent',
  ',': 'comma',
  '.': 'dot',
  '/': 'slash',
};

/** Character → the character on the same key without Shift. */
const shifted: Readonly<Record<string, string>> = {
  '!': '1',
  '@': '2',
  '#': '3',
  $: '4',
  '%': '5',
  '^': '6',
  '&': '7',
  '*': '8',
  '(': '9',
  ')': '0',
  _: '-',
  '+': '=',
  '{': '[',
  '}': ']',
  '|': '\\',
  ':': ';',
  '"': "'",
  '~': '`',
  '<': ',',
  '>': '.',
  '?': '/',
};

function keyOf(character: string): string | null {
  return /^[a-z0-9]$/.test(character) ? character : (plain[character] ?? null);
}

function chordOf(character: string): string[] | null {
  const key = keyOf(character);
  if (key) return [key];
  const under = /^[A-Z]$/.test(character) ? character.toLowerCase() : shifted[character];
  const shiftedKey = under === undefined ? null : keyOf(under);
  return shiftedKey ? ['shift', shiftedKey] : null;
}

/** @throws Failure `call/invalid-input` naming the first character that no US keyboard has. */
export function chordsOf(text: string): string[][] {
  return [...text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')].map((character) => {
    const chord = chordOf(character);
    if (chord) return chord;
    const codePoint = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw new Failure('call/invalid-input', `"${character}" (U+${codePoint}) is not on a US keyboard, so it cannot be typed.`, {
      hint: 'Type what a US keyboard has, or paste through the guest agent.',
      path: 'text',
    });
  });
}
