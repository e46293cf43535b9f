/** Text as presses of keys of a keyboard with the guest's own layout, in QEMU's QKeyCode names (qapi/ui.json). */
import { Failure } from '../../../contract/errors.ts';
import type { KeyboardLayout } from '../../../contract/guest-keyboard.ts';

/** The keys that have characters, row by row: the letters of each row below stand for them in this order. */
const rows: readonly (readonly string[])[] = [
  ['grave_accent', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0', 'minus', 'equal'],
  ['q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p', 'bracket_left', 'bracket_right'],
  ['a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'semicolon', 'apostrophe', 'backslash'],
  ['less', 'z', 'x', 'c', 'v', 'b', 'n', 'm', 'comma', 'dot', 'slash'],
];

type Layout = {
  name: string;
  /** What each key gives; a space is nothing. */
  plain: readonly string[];
  shifted: readonly string[];
  altGraph: readonly string[];
  /** Keys that wait for a letter, by the combining mark that they put on it. The space bar after one gives its own character. */
  dead: Readonly<Record<string, string>>;
  /** The same of characters that Linux gives at once. */
  deadOnWindows: string;
};

const none = ['             ', '            ', '            ', '           '];

/** Sources: symbols of xkeyboard-config (`typed-text.test.ts` compares them), and Microsoft's layouts where these have other dead keys. */
const layouts: Readonly<Record<KeyboardLayout, Layout>> = {
  us: {
    name: 'US',
    plain: ['`1234567890-=', 'qwertyuiop[]', "asdfghjkl;'\\", ' zxcvbnm,./'],
    shifted: ['~!@#$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:"|', ' ZXCVBNM<>?'],
    altGraph: none,
    dead: {},
    deadOnWindows: '',
  },
  gb: {
    name: 'British',
    plain: ['`1234567890-=', 'qwertyuiop[]', "asdfghjkl;'#", '\\zxcvbnm,./'],
    shifted: ['¬!"£$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:@~', '|ZXCVBNM<>?'],
    altGraph: ['    €        ', ...none.slice(1)],
    dead: {},
    deadOnWindows: '',
  },
  de: {
    name: 'German',
    plain: ['^1234567890ß´', 'qwertzuiopü+', 'asdfghjklöä#', '<yxcvbnm,.-'],
    shifted: ['°!"§$%&/()=?`', 'QWERTZUIOPÜ*', "ASDFGHJKLÖÄ'", '>YXCVBNM;:_'],
    altGraph: ['  ²³   {[]}\\ ', '@ €        ~', '            ', '|      µ   '],
    dead: { '\u0302': '^', '\u0301': '´', '\u0300': '`' },
    deadOnWindows: '',
  },
  fr: {
    name: 'French',
    plain: ['²&é"\'(-è_çà)=', 'azertyuiop^$', 'qsdfghjklmù*', '<wxcvbn,;:!'],
    shifted: [' 1234567890°+', 'AZERTYUIOP¨£', 'QSDFGHJKLM%µ', '>WXCVBN?./§'],
    altGraph: ['  ~#{[|`\\ @]}', '  €        ¤', '            ', '           '],
    dead: { '\u0302': '^', '\u0308': '¨' },
    deadOnWindows: '~`',
  },
  es: {
    name: 'Spanish',
    plain: ["º1234567890'¡", 'qwertyuiop`+', 'asdfghjklñ´ç', '<zxcvbnm,.-'],
    shifted: ['ª!"·$%&/()=?¿', 'QWERTYUIOP^*', 'ASDFGHJKLÑ¨Ç', '>ZXCVBNM;:_'],
    altGraph: ['\\|@#~ ¬      ', '  €       []', '          {}', '           '],
    dead: { '\u0300': '`', '\u0301': '´', '\u0302': '^', '\u0308': '¨' },
    deadOnWindows: '~',
  },
};

/** Keys that are the same on all of them. */
const everywhere: Readonly<Record<string, string>> = { '\n': 'ret', '\t': 'tab', '\b': 'backspace', '\u001b': 'esc', ' ': 'spc' };

/** After one of these the space bar gives a character of ASCII on Linux and the accent itself on Windows: they are not typed alone. */
const neverAlone = '´¨';

/** What is pressed for each character that the layout has. */
function keysOf(layout: Layout, windows: boolean): Map<string, string[][]> {
  const found = new Map<string, string[][]>(Object.entries(everywhere).map(([character, key]) => [character, [[key]]]));
  const levels = [
    { signs: layout.plain, held: [] },
    { signs: layout.shifted, held: ['shift'] },
    { signs: layout.altGraph, held: ['alt_r'] },
  ];
  for (const { signs, held } of levels)
    for (const [row, keys] of rows.entries())
      for (const [at, key] of keys.entries()) {
        const character = signs[row]?.[at];
        if (character && character !== ' ' && !found.has(character)) found.set(character, [[...held, key]]);
      }
  for (const [mark, character] of Object.entries(layout.dead)) {
    const dead = found.get(character);
    if (!dead) continue;
    for (const letter of 'aeiouyAEIOUY') {
      const accented = `${letter}${mark}`.normalize('NFC');
      const plain = found.get(letter);
      if (accented.length === 1 && plain && !found.has(accented)) found.set(accented, [...dead, ...plain]);
    }
    if (neverAlone.includes(character)) found.delete(character);
    else found.set(character, [...dead, ['spc']]);
  }
  if (windows) for (const character of layout.deadOnWindows) found.set(character, [...(found.get(character) ?? []), ['spc']]);
  return found;
}

/** The most characters that a message names. */
const mostNamed = 5;

/** @throws Failure `call/invalid-input` naming what a keyboard of this layout cannot type; then nothing of the text is to be typed. */
export function chordsOf(text: string, wanted: KeyboardLayout, windows: boolean): string[][] {
  const layout = layouts[wanted];
  const keys = keysOf(layout, windows);
  const missing = new Set<string>();
  const chords: string[][] = [];
  for (const character of text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').normalize('NFC')) {
    const pressed = keys.get(character);
    if (pressed) chords.push(...pressed);
    else missing.add(character);
  }
  if (missing.size === 0) return chords;
  const named = [...missing].slice(0, mostNamed).map((character) => {
    const codePoint = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `"${character}" (U+${codePoint})`;
  });
  const more = missing.size > named.length ? ` and ${missing.size - named.length} more` : '';
  throw new Failure('call/invalid-input', `${named.join(', ')}${more} cannot be typed on a ${layout.name} keyboard; nothing was typed.`, {
    hint: 'Choose the layout that the guest has, or paste through the guest agent.',
    path: 'text',
  });
}
