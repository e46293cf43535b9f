import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { keyboardLayouts } from '../../../contract/guest-keyboard.ts';
import { chordsOf } from './typed-text.ts';

const us = (text: string) => chordsOf(text, 'us', false);

test('every printable ASCII character, Enter, Tab and Backspace can be typed on every layout', () => {
  const text = `${String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))}\n\t\b`;
  for (const layout of keyboardLayouts)
    for (const windows of [false, true])
      expect(new Set([...text].map((character) => JSON.stringify(chordsOf(character, layout, windows)))).size, layout).toBe(98);
});

test('capitals and signs above the digits take Shift', () => {
  expect(us('aA1!|')).toEqual([['a'], ['shift', 'a'], ['1'], ['shift', '1'], ['shift', 'backslash']]);
});

test('a line break is one Enter whichever way it is written', () => {
  expect(us('a\r\nb\rc\n')).toEqual([['a'], ['ret'], ['b'], ['ret'], ['c'], ['ret']]);
});

test('a German Z is where a Y is elsewhere, AltGr gives the third sign, and a dead key waits for its letter', () => {
  const de = (text: string) => chordsOf(text, 'de', false);
  expect(de('z@ü')).toEqual([['y'], ['alt_r', 'q'], ['bracket_left']]);
  expect(de('^é')).toEqual([['grave_accent'], ['spc'], ['equal'], ['e']]);
  // The same letter in two code points.
  expect(de('e\u0301')).toEqual(de('é'));
});

test('where Windows lets a sign wait for a letter, the space bar follows it', () => {
  expect(chordsOf('~', 'fr', false)).toEqual([['alt_r', '2']]);
  expect(chordsOf('~', 'fr', true)).toEqual([['alt_r', '2'], ['spc']]);
});

test('what the layout does not have is named, all of it, and nothing is typed', () => {
  expect(() => us('abcü👻ü')).toThrow('"ü" (U+00FC), "👻" (U+1F47B) cannot be typed on a US keyboard; nothing was typed.');
  expect(() => chordsOf('日本語の文章です', 'de', false)).toThrow('and 3 more cannot be typed on a German keyboard');
});

/** X11's names of the signs on these keyboards; a letter or a digit is its own name. */
const keysyms: Readonly<Record<string, string>> = {
  ...{ grave: '`', asciitilde: '~', exclam: '!', at: '@', numbersign: '#', dollar: '$', percent: '%', asciicircum: '^', ampersand: '&' },
  ...{ asterisk: '*', parenleft: '(', parenright: ')', minus: '-', underscore: '_', equal: '=', plus: '+', bracketleft: '[' },
  ...{ bracketright: ']', braceleft: '{', braceright: '}', semicolon: ';', colon: ':', apostrophe: "'", quotedbl: '"', backslash: '\\' },
  ...{ bar: '|', comma: ',', less: '<', period: '.', greater: '>', slash: '/', question: '?', notsign: '¬', sterling: '£', EuroSign: '€' },
  ...{ degree: '°', section: '§', ssharp: 'ß', dead_acute: '´', dead_grave: '`', dead_circumflex: '^', dead_diaeresis: '¨', mu: 'µ' },
  ...{ twosuperior: '²', threesuperior: '³', eacute: 'é', egrave: 'è', ccedilla: 'ç', Ccedilla: 'Ç', agrave: 'à', ugrave: 'ù' },
  ...{ currency: '¤', udiaeresis: 'ü', odiaeresis: 'ö', adiaeresis: 'ä', Udiaeresis: 'Ü', Odiaeresis: 'Ö', Adiaeresis: 'Ä' },
  ...{ masculine: 'º', ordfeminine: 'ª', exclamdown: '¡', questiondown: '¿', ntilde: 'ñ', Ntilde: 'Ñ', periodcentered: '·' },
};

/** X11's names of the keys, as rows of a keyboard. */
const xkbKeys: Readonly<Record<string, string>> = Object.fromEntries([
  ...['grave_accent', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0', 'minus', 'equal'].map((key, at) => [
    at === 0 ? 'TLDE' : `AE${String(at).padStart(2, '0')}`,
    key,
  ]),
  ...[...'qwertyuiop', 'bracket_left', 'bracket_right'].map((key, at) => [`AD${String(at + 1).padStart(2, '0')}`, key]),
  ...[...'asdfghjkl', 'semicolon', 'apostrophe'].map((key, at) => [`AC${String(at + 1).padStart(2, '0')}`, key]),
  ...[...'zxcvbnm', 'comma', 'dot', 'slash'].map((key, at) => [`AB${String(at + 1).padStart(2, '0')}`, key]),
  ['BKSL', 'backslash'],
  ['LSGT', 'less'],
]);

test('every layout has its signs where X11 has them', (context) => {
  for (const layout of keyboardLayouts) {
    const source = `xkb_keymap { xkb_keycodes { include "evdev" }; xkb_types { include "complete" }; xkb_compat { include "complete" };
      xkb_symbols { include "pc+${layout}+inet(evdev)" }; };`;
    const compiled = spawnSync('xkbcomp', ['-w', '0', '-xkb', '-', '-'], { input: source, encoding: 'utf8' });
    if (compiled.error) context.skip('there is no xkbcomp');
    const symbols = new Map(
      [...compiled.stdout.matchAll(/key <(\w+)> \{(?:[^}]*?=)?\s*\[([^\]]*)\]/g)].map((match) => [
        match[1] ?? '',
        (match[2] ?? '').split(',').map((name) => name.trim()),
      ]),
    );
    expect(symbols.size).toBeGreaterThan(48);
    const signOn = (chord: readonly string[]) => {
      const [key] = chord.slice(-1);
      const level = chord.length === 1 ? 0 : chord[0] === 'shift' ? 1 : 2;
      const name = symbols.get(Object.keys(xkbKeys).find((known) => xkbKeys[known] === key) ?? '')?.[level] ?? '';
      return name.length === 1 ? name : (keysyms[name] ?? name);
    };
    const dead = new Set([...symbols.values()].flat().filter((name) => name.startsWith('dead_')));
    for (let code = 0x21; code < 0x2100; code++) {
      const character = String.fromCharCode(code);
      // Some characters are others in disguise: U+037E is a semicolon.
      if (character !== character.normalize('NFC')) continue;
      let chords: string[][];
      try {
        chords = chordsOf(character, layout, false);
      } catch {
        continue;
      }
      const [first = [], second] = chords;
      if (!second) expect(signOn(first), `${layout} ${character}`).toBe(character);
      else {
        // A dead key and what it waits for.
        const accented = character.normalize('NFD');
        expect(second[0] === 'spc' ? character : accented[0], `${layout} ${character}`).toBe(
          second[0] === 'spc' ? signOn(first) : signOn(second),
        );
        expect(dead.size).toBeGreaterThan(0);
      }
    }
  }
});
