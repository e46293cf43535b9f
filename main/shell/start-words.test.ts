import { expect, test } from 'vitest';
import { parseSecondStart, parseStartWords } from './start-words.ts';

test('the demo is asked for by its word and saves where it is told', () => {
  expect(parseStartWords(['.', '--demo', '--out=/x/y'], '/here').demo).toEqual({ out: '/x/y' });
  expect(parseStartWords(['.', '--demo'], '/here').demo).toEqual({ out: '/here' });
  expect(parseStartWords(['.', '--out=/x'], '/here').demo).toBeNull();
});

test('what a second start says is taken only in its own form', () => {
  expect(parseSecondStart({ words: ['a'], workingDirectory: '/d' })).toEqual({ words: ['a'], workingDirectory: '/d' });
  for (const data of [
    null,
    'x',
    { words: 'a', workingDirectory: '/' },
    { words: [1], workingDirectory: '/' },
    { words: ['x'.repeat(5000)], workingDirectory: '/' },
    { words: [] },
  ])
    expect(parseSecondStart(data)).toBeNull();
});
