import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildCommandLine } from './command-line.ts';

test('each option stands on a line with its value', () => {
  expect(buildCommandLine(['qemu', '-m', '2048', '-nodefaults'])).toBe('qemu \\\n  -m 2048 \\\n  -nodefaults');
});

test('a shell reads back exactly the words that were shown', () => {
  const word = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (list) => {
      const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${buildCommandLine(list)}`], { encoding: 'utf8' });
      expect(printed.split('\0').slice(0, -1)).toEqual(list);
    }),
    { numRuns: 30 },
  );
});
