import { expect, test } from 'vitest';
import { facts, printable, showError, type Terminal, table, width } from './terminal.ts';
import { bytes, duration } from './units.ts';

function recorder(json = false) {
  const said = { out: '', err: '' };
  const terminal: Terminal = {
    json,
    colour: false,
    redraw: false,
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  };
  return { terminal, said };
}

test('columns line up, numbers to the right, also with wide characters', () => {
  const rows = [
    { name: 'a', size: '10 GiB' },
    { name: '開発機', size: '512 MiB' },
  ];
  const text = table(recorder().terminal, rows, [
    { title: 'NAME', value: (row) => row.name },
    { title: 'SIZE', value: (row) => row.size, align: 'right' },
  ]);
  expect(text).toBe('NAME       SIZE\na        10 GiB\n開発機  512 MiB');
});

test('a hostile name cannot move the cursor or recolour the terminal', () => {
  expect(printable('\u001b[31mred\u0007\r')).toBe('�[31mred��');
  expect(facts([['Name', 'a\u001b[2Jb']])).toBe('Name: a�[2Jb');
});

test('width counts what a terminal shows', () => {
  expect(width('abc')).toBe(3);
  expect(width('🐧')).toBe(2);
  expect(width('e\u0301')).toBe(1);
});

test('an error says what, what to do and its code, or is one line of JSON', () => {
  const error = { code: 'guest/denied' as const, message: 'The guest is off.', hint: 'Start it.' };
  const people = recorder();
  showError(people.terminal, error);
  expect(people.said.err).toBe('Error: The guest is off.\nStart it.\n(guest/denied)\n');
  const script = recorder(true);
  showError(script.terminal, error);
  expect(JSON.parse(script.said.err)).toEqual({ error });
  expect(script.said.out).toBe('');
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [4 * 1024 ** 3, '4 GiB'],
  [250 * 1024 ** 2, '250 MiB'],
])('%d bytes are written %s', (count, text) => expect(bytes(count)).toBe(text));

test.each([
  [3.4, '3 s'],
  [125, '2 min 5 s'],
  [3600, '1 h'],
  [93_600, '1 d 2 h'],
])('%d seconds are written %s', (seconds, text) => expect(duration(seconds)).toBe(text));
