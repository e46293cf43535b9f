import { expect, test } from 'vitest';
import { z } from 'zod';
import { type CallName, calls, isCallName } from './calls.ts';
import { defaultSettings, settings } from './settings.ts';

const names = Object.keys(calls) as CallName[];

test('every call is a noun and a verb with a sentence about it', () => {
  for (const name of names) {
    expect(name).toMatch(/^[a-z]+\.[a-z][A-Za-z]+$/);
    expect(calls[name].summary, name).toMatch(/^[A-Z].*\.$/);
  }
});

test('every input refuses a field that it does not know', () => {
  for (const name of names) {
    const issues = calls[name].input.safeParse({ surprise: 1 }).error?.issues ?? [];
    expect(
      issues.some((issue) => issue.code === 'unrecognized_keys'),
      name,
    ).toBe(true);
  }
});

test('every input and output can be written as JSON Schema, as the API document needs', () => {
  for (const name of names) {
    expect(() => z.toJSONSchema(calls[name].input, { io: 'input' }), name).not.toThrow();
    expect(() => z.toJSONSchema(calls[name].output), name).not.toThrow();
  }
});

test('names inherited from Object are not calls', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', '']) expect(isCallName(name)).toBe(false);
  expect(isCallName('guest.list')).toBe(true);
});

test('the default settings are settings', () => {
  expect(settings.parse(defaultSettings)).toEqual(defaultSettings);
});
