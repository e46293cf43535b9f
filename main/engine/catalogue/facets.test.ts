import { expect, test } from 'vitest';
import { variedImage } from '../../../bench/defined-images.ts';
import { countFacets } from './facets.ts';

test('facets count what was found, the commonest first, and follow an image that changes', () => {
  const images = Array.from({ length: 500 }, (_, index) => variedImage(index)).map((image) => ({
    ...image,
    architecture: image.architecture ?? null,
    tags: image.tags ?? [],
    lifecycle: image.lifecycle ?? ('published' as const),
    series: image.series ?? null,
  }));
  const plain = (of: (image: (typeof images)[number]) => readonly string[], found = images) => {
    const values = found.flatMap(of);
    return [...new Set(values)]
      .map((value) => ({ value, count: values.filter((other) => other === value).length }))
      .sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1))
      .slice(0, 60);
  };
  const [first, ...rest] = images;
  if (!first) throw new Error('there is no image');
  for (const found of [images, rest, [{ ...first, tags: ['new', 'os published'], architecture: null }, ...rest], []]) {
    expect(countFacets(found)).toEqual({
      os: plain(({ os }) => [os.name], found),
      lifecycle: plain(({ lifecycle }) => [lifecycle], found),
      arch: plain(({ architecture }) => [architecture ?? 'none'], found),
      kind: plain(({ kind }) => [kind], found),
      tag: plain(({ tags }) => tags, found),
      series: plain(({ series }) => (series ? [series.name] : []), found),
    });
  }
});
