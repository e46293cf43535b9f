/** Counts of what was found, by the fields that people narrow by. Pure. */
import type { Image } from '../../../contract/image.ts';
import type { Facets } from '../../../contract/image-catalogue.ts';

export type FacetSource = Pick<Image, 'os' | 'lifecycle' | 'architecture' | 'kind' | 'tags' | 'series'>;

/** So many values of each; people who want the others narrow first. */
const valuesMax = 60;

export function countFacets(found: readonly FacetSource[]): Facets {
  const os = new Map<string, number>();
  const lifecycle = new Map<string, number>();
  const arch = new Map<string, number>();
  const kind = new Map<string, number>();
  const tag = new Map<string, number>();
  const series = new Map<string, number>();
  const count = (counts: Map<string, number>, value: string) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const image of found) {
    count(os, image.os.name);
    count(lifecycle, image.lifecycle);
    count(arch, image.architecture ?? 'none');
    count(kind, image.kind);
    for (const each of image.tags) count(tag, each);
    if (image.series) count(series, image.series.name);
  }
  return { os: top(os), lifecycle: top(lifecycle), arch: top(arch), kind: top(kind), tag: top(tag), series: top(series) };
}

function top(counts: ReadonlyMap<string, number>): { value: string; count: number }[] {
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1))
    .slice(0, valuesMax);
}
