/** Counts of what was found, by the fields that people narrow by. */
import type { Image } from '../../../contract/image.ts';
import type { Facets } from '../../../contract/image-catalogue.ts';

export type FacetSource = Pick<Image, 'os' | 'lifecycle' | 'architecture' | 'kind' | 'tags' | 'series'>;

/** So many values of each; people who want the others narrow first. */
const valuesMax = 60;

/** What an image counts for in each facet. */
const valuesOf: { readonly [Name in keyof Facets]: (image: FacetSource) => readonly string[] } = {
  os: ({ os }) => [os.name],
  lifecycle: ({ lifecycle }) => [lifecycle],
  arch: ({ architecture }) => [architecture ?? 'none'],
  kind: ({ kind }) => [kind],
  tag: ({ tags }) => tags,
  series: ({ series }) => (series ? [series.name] : []),
};
const names = Object.keys(valuesOf) as (keyof Facets)[];

/**
 * Every value that was ever counted has a number, and every image keeps the numbers of its own: ten thousand images are counted in one
 * array, where looking their words up would take longer than the whole rest of a search. An image that changes is another object.
 */
const numbers = new Map<string, number>();
const values: { facet: keyof Facets; value: string }[] = [];
const numbersOf = new WeakMap<FacetSource, readonly number[]>();

export function countFacets(found: readonly FacetSource[]): Facets {
  const numbered = found.map((image) => numbersOf.get(image) ?? numberValues(image));
  const counts = new Uint32Array(values.length);
  for (const each of numbered) for (const number of each) counts[number] = (counts[number] ?? 0) + 1;
  const facets: Facets = { os: [], lifecycle: [], arch: [], kind: [], tag: [], series: [] };
  for (const [number, count] of counts.entries()) {
    const known = values[number];
    if (count > 0 && known) facets[known.facet].push({ value: known.value, count });
  }
  for (const name of names) facets[name] = top(facets[name]);
  return facets;
}

function numberValues(image: FacetSource): readonly number[] {
  const own = names.flatMap((facet) => valuesOf[facet](image).map((value) => numberOf(facet, value)));
  numbersOf.set(image, own);
  return own;
}

function numberOf(facet: keyof Facets, value: string): number {
  const key = `${facet} ${value}`;
  const known = numbers.get(key) ?? values.push({ facet, value }) - 1;
  numbers.set(key, known);
  return known;
}

function top(counted: Facets['os']): Facets['os'] {
  return counted.sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1)).slice(0, valuesMax);
}
