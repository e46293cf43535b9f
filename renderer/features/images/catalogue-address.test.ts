import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cataloguePath, parseCatalogueSearch } from './catalogue-address.ts';

test('any search can be an address and is read back from it', () => {
  const text = fc.string().filter((each) => each.isWellFormed());
  fc.assert(
    fc.property(text, fc.option(fc.constantFrom('i00000000a')), fc.option(text), (query, image, importing) => {
      const path = cataloguePath({ query, image, importing });
      expect(parseCatalogueSearch(path.slice('/images'.length))).toEqual({ query, image, importing });
    }),
  );
});

test('the plain page has a plain address', () => {
  expect(cataloguePath({ query: '', image: null, importing: null })).toBe('/images');
  expect(parseCatalogueSearch('')).toEqual({ query: '', image: null, importing: null });
});
