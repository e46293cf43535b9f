import { expect, test } from 'vitest';
import { errorCodes, Failure, guesthouseError, toGuesthouseError } from './errors.ts';

test('every code is an area and a reason, explained in a sentence', () => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    expect(code).toMatch(/^[a-z]+\/[a-z-]+$/);
    expect(meaning, code).toMatch(/^[A-Z].*\.$/);
  }
});

test('a failure crosses a boundary as data and keeps what it said', () => {
  const failure = new Failure('image/truncated', 'debian.iso is cut short.', { hint: 'Download it again.', path: 'source.path' });
  const crossed = guesthouseError.parse(JSON.parse(JSON.stringify(toGuesthouseError(failure))));
  expect(crossed).toEqual({
    code: 'image/truncated',
    message: 'debian.iso is cut short.',
    hint: 'Download it again.',
    path: 'source.path',
  });
});

test('anything else that was thrown becomes an internal error with its text', () => {
  expect(toGuesthouseError(new TypeError('x is not a function'))).toMatchObject({
    code: 'engine/internal',
    message: 'Something unexpected went wrong: x is not a function',
  });
  expect(toGuesthouseError('boom').message).toContain('boom');
});
