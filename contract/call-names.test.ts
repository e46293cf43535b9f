import { expect, test } from 'vitest';
import { callNames, shellCallNames } from './call-names.ts';
import { calls } from './calls.ts';
import { shellCalls } from './shell.ts';

test('the names that the preload knows are exactly those of the contract', () => {
  expect([...callNames].sort()).toEqual(Object.keys(calls).sort());
  expect([...shellCallNames].sort()).toEqual(Object.keys(shellCalls).sort());
});
