import fc from 'fast-check';
import { expect, test } from 'vitest';
import { osIdentity } from '../../../contract/guest-spec.ts';
import { guestStatus } from '../../../contract/guest-state.ts';
import { isNarrowed, libraryPath, noFilter, parseLibrarySearch } from './library-address.ts';

const searchOf = (path: string) => path.split('?')[1] ?? '';

test('every filter survives its own address', () => {
  const filter = fc.record({
    place: fc.constantFrom('all' as const, 'running' as const, 'computer' as const, 'favourites' as const),
    text: fc.string(),
    tag: fc.option(fc.string({ minLength: 1 })),
    states: fc.subarray([...guestStatus.options]),
    families: fc.subarray([...osIdentity.shape.family.options]),
  });
  fc.assert(
    fc.property(filter, (each) => {
      expect(parseLibrarySearch(searchOf(libraryPath(each)))).toEqual(each);
    }),
  );
});

test('an address that makes no sense shows everything', () => {
  expect(parseLibrarySearch('place=moon&state=happy,running&system=beos')).toEqual({ ...noFilter, states: ['running'] });
  expect(libraryPath(noFilter)).toBe('/library');
});

test('a place alone does not narrow the view, a filter does', () => {
  expect(isNarrowed({ ...noFilter, place: 'running' })).toBe(false);
  expect(isNarrowed({ ...noFilter, text: 'x' })).toBe(true);
});
