import { expect, test } from 'vitest';
import { type CallName, calls, isCallName } from '../../../contract/calls.ts';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import { createHandlers, type Services } from './handlers.ts';
import { parseInput } from './router.ts';

const names = Object.keys(calls).filter(isCallName);

/** Handlers only pass on; which services there are does not matter until one is called. */
const handlers = createHandlers({} as Services);

const errorOf = (name: CallName, body: unknown) => {
  try {
    parseInput(name, body);
    return null;
  } catch (thrown) {
    return thrown instanceof Failure ? toGuesthouseError(thrown) : null;
  }
};

test('every call of the contract has one handler, and there is no handler beyond them', () => {
  expect(Object.keys(handlers).sort()).toEqual([...names].sort());
});

test.for(names)('%s refuses a field that it does not know and an input that is no object', (name) => {
  expect(errorOf(name, { surelyUnknown: 1 })?.code).toBe('call/invalid-input');
  for (const body of [null, [], 'text', 7, true]) expect(errorOf(name, body)).toMatchObject({ code: 'call/invalid-input', path: '' });
});

test.for(names)('%s refuses every field with a value of the wrong type, and names it', (name) => {
  const { shape } = calls[name].input;
  for (const field of Object.keys(shape)) {
    const error = errorOf(name, { [field]: { wrong: Symbol.for('type').toString() } });
    expect(error?.code).toBe('call/invalid-input');
  }
});
