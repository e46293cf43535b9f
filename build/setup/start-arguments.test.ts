import { expect, test } from 'vitest';
import { parseStartArguments } from './start-arguments.ts';

test('a demo without a folder saves its pictures where the user is', () => {
  expect(parseStartArguments(['--demo'], '/home/ada').appArguments).toEqual(['--demo', '--out=/home/ada']);
});

test('the folder of a demo may be relative and given in two ways', () => {
  expect(parseStartArguments(['--demo', '--out', 'pictures'], '/home/ada').appArguments).toEqual(['--demo', '--out=/home/ada/pictures']);
  expect(parseStartArguments(['--out=/tmp/x', '--demo'], '/home/ada').appArguments).toEqual(['--out=/tmp/x', '--demo']);
});

test('everything else reaches the app, files with their full path', () => {
  const { isSetupOnly, appArguments } = parseStartArguments(['--setup-only', 'office.vv', 'guesthouse://guest/x'], '/home/ada');
  expect(isSetupOnly).toBe(true);
  expect(appArguments).toEqual(['/home/ada/office.vv', 'guesthouse://guest/x']);
});
