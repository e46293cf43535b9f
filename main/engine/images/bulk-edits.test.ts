import fc from 'fast-check';
import { expect, test } from 'vitest';
import { variedImage } from '../../../bench/defined-images.ts';
import type { ImageId } from '../../../contract/ids.ts';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import { silentLog } from '../log/log.ts';
import { createBulkEdits } from './bulk-edits.ts';
import { editImage, editOneOfMany } from './image-edit.ts';
import { createImageEditStore, createImageStore, type ImageStore, type NewImage } from './store.ts';

const named = (name: string, more: Partial<NewImage> = {}): NewImage => ({
  ...variedImage(name.charCodeAt(0)),
  id: `i00000000${name}` as ImageId,
  name,
  tags: ['old'],
  notes: '',
  series: null,
  patchLevel: '2026-01',
  patchLevelFrom: 'The time of /var/lib/dpkg/status.',
  lifecycle: 'draft',
  ...more,
});

async function opened(...wanted: NewImage[]) {
  const database = await freshDatabase();
  const images = createImageStore(database, silentLog);
  wanted.forEach(images.insert);
  const begin = () => {
    const edits = createImageEditStore(database);
    return createBulkEdits({ database, images, edits, now: () => '2026-11-25T08:00:00.000Z' });
  };
  return { images, bulk: begin(), begin };
}

const about = { who: 'root', seriesRenamed: null };
const get = (images: ImageStore, name: string) => {
  const found = images.find(`i00000000${name}` as ImageId);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};
const many = (images: ImageStore, names: string, wanted: Parameters<typeof editOneOfMany>[1]) =>
  [...names].map((name) => editOneOfMany(get(images, name), wanted));

test('an edit of several images is taken back as a whole, also by the next engine, and only once', async () => {
  const { images, bulk, begin } = await opened(named('a'), named('b', { notes: 'Kept.' }), named('c'));
  const before = images.list();
  const wanted = { addTags: ['web'], removeTags: ['old'], lifecycle: 'published', patchLevel: '2026-11', addNote: 'Patched.' } as const;
  const { changed, edit } = bulk.write(many(images, 'abc', { ...wanted, addTags: ['web'], removeTags: ['old'] }), about);
  expect(changed).toHaveLength(3);
  expect(get(images, 'b')).toMatchObject({
    tags: ['web'],
    lifecycle: 'published',
    notes: 'Kept.\n\nPatched.',
    patchLevel: '2026-11',
    patchLevelFrom: null,
    byHand: ['patchLevel'],
  });
  const next = begin();
  expect(next.undo(edit ?? undefined)).toEqual({ restored: changed, kept: [], seriesRenamed: null });
  expect(images.list()).toEqual(before);
  expect(() => next.undo(edit ?? undefined)).toThrow('could be taken back');
  expect(() => next.undo(undefined)).toThrow('could be taken back');
});

test('what was changed again or deleted since stays, and says why; what else was written stays as well', async () => {
  const { images, bulk } = await opened(named('a'), named('b'), named('c'), named('d'));
  bulk.write(many(images, 'abcd', { lifecycle: 'published' }), about);
  images.update([editImage(get(images, 'a'), { lifecycle: 'deprecated' }, [], [])]);
  images.update([editImage(get(images, 'b'), { notes: 'Mine.', firmware: 'bios' }, [], [])]);
  images.remove(get(images, 'c').id);
  const { restored, kept } = bulk.undo(undefined);
  expect(kept).toEqual([
    { image: 'i00000000a', name: 'a', reason: 'Its lifecycle was changed since.' },
    { image: 'i00000000c', name: 'c', reason: 'It was deleted since.' },
  ]);
  expect(restored).toEqual(['i00000000b', 'i00000000d']);
  expect(get(images, 'a').lifecycle).toBe('deprecated');
  expect(get(images, 'b')).toMatchObject({ lifecycle: 'draft', notes: 'Mine.', byHand: ['firmware'] });
});

test('a place in a series that another image has taken meanwhile is not taken from it', async () => {
  const at = (version: number) => ({ series: { name: 'Web', version, changeNote: '' } });
  const { images, bulk } = await opened(named('a', at(1)), named('b', at(2)), named('c'));
  const renamed = ['a', 'b'].map((name) => ({ id: get(images, name).id, series: { ...at(name === 'a' ? 1 : 2).series, name: 'Shop' } }));
  bulk.write(renamed, { who: 'root', seriesRenamed: { from: 'Web', to: 'Shop' } });
  images.update([{ id: get(images, 'c').id, series: { name: 'web', version: 2, changeNote: '' } }]);
  expect(bulk.undo(undefined)).toEqual({
    restored: ['i00000000a'],
    kept: [{ image: 'i00000000b', name: 'b', reason: 'Version 2 of “Web” is “c” by now.' }],
    seriesRenamed: { from: 'Web', to: 'Shop' },
  });
  expect(['a', 'b', 'c'].map((name) => get(images, name).series)).toMatchObject([
    { name: 'Web', version: 1 },
    { name: 'Shop', version: 2 },
    { name: 'web', version: 2 },
  ]);
});

test('any edits taken back in any order leave every image as it was, unless it was changed again', async () => {
  const { images, bulk } = await opened(named('a'), named('b'), named('c'));
  const start = images.list();
  const edit = fc.record({
    names: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    lifecycle: fc.constantFrom('draft', 'published', 'deprecated'),
    addTags: fc.subarray(['x', 'y', 'z']),
  });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 6 }), (edits) => {
      const made = edits.map(({ names, ...wanted }) => bulk.write(many(images, names.join(''), { ...wanted }), about).edit);
      for (const id of made.reverse()) if (id !== null) expect(bulk.undo(id).kept).toEqual([]);
      expect(images.list()).toEqual(start);
    }),
    { numRuns: 40 },
  );
});

test('no more than the last twenty edits are kept', async () => {
  const { images, bulk } = await opened(named('a'));
  const ids = Array.from({ length: 21 }, (_, at) => bulk.write(many(images, 'a', { addTags: [`t${at}`] }), about).edit ?? 0);
  expect(() => bulk.undo(ids[0])).toThrow('could be taken back');
  expect(bulk.undo(ids[20]).restored).toHaveLength(1);
});

test('an edit that changes nothing leaves nothing to be taken back', async () => {
  const { images, bulk } = await opened(named('a'));
  expect(bulk.write(many(images, 'a', { addTags: ['OLD'], lifecycle: 'draft' }), about)).toEqual({ changed: [], edit: null });
  expect(() => bulk.undo(undefined)).toThrow('could be taken back');
});
