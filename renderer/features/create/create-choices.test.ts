import { expect, test } from 'vitest';
import type { ImageId } from '../../../contract/ids.ts';
import { notesFor } from '../../parts/field-notes.ts';
import { buildSource, checkChoices, firstProblem, shownHardware } from './create-choices.ts';

test('a source is whole only with an absolute path or an image', () => {
  const draft = { kind: 'iso' as const, path: ' /a b.iso ', inPlace: false, imageId: null };
  expect(buildSource(draft)).toEqual({ kind: 'iso', path: '/a b.iso' });
  expect(buildSource({ ...draft, path: 'a.iso' })).toBeNull();
  expect(buildSource({ ...draft, kind: 'disk', inPlace: true })).toEqual({ kind: 'disk', path: '/a b.iso', inPlace: true });
  expect(buildSource({ ...draft, kind: 'image' })).toBeNull();
  expect(buildSource({ ...draft, kind: 'image', imageId: 'i123456789' as ImageId })).toEqual({ kind: 'image', imageId: 'i123456789' });
});

test('a field that cannot be sent is left out and has its note; the others are sent', () => {
  const { valid, notes } = checkChoices({ name: 'a/b', memoryMiB: 512 });
  expect(valid).toEqual({ memoryMiB: 512 });
  expect(notes).toEqual([{ path: 'name', severity: 'problem', message: 'A name cannot contain a slash.' }]);
  expect(firstProblem(notes)).toBe('A name cannot contain a slash.');
});

test('notes find their field, however deep they point', () => {
  const notes = [
    { path: 'choices.forwards.1.hostPort', severity: 'problem' as const, message: 'Taken.', hint: 'Use another.' },
    { path: 'forwards', severity: 'warning' as const, message: 'Many.' },
    { path: 'forwardsElse', severity: 'warning' as const, message: 'Other.' },
  ];
  expect(notesFor(notes, 'forwards.1')).toEqual([{ severity: 'problem', text: 'Taken. Use another.' }]);
  expect(notesFor(notes, 'forwards')).toHaveLength(2);
});

test('what was chosen stands before what was planned', () => {
  const shown = shownHardware({ memoryMiB: 64, cpu: { model: 'max' } }, null);
  expect(shown.memoryMiB).toBe(64);
  expect(shown.cpu).toEqual({ model: 'max', sockets: 1, cores: 2, threads: 1 });
});
