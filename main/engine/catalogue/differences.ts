/** In what two images differ by what is known of them. Pure. */
import type { Image, InstalledPackage } from '../../../contract/image.ts';
import type { ImageDifferences, PackageDifferences } from '../../../contract/image-catalogue.ts';

/** Sizes are in bytes; lists are joined. */
const compared: readonly [field: string, read: (image: Image) => string | null][] = [
  ['os', ({ os }) => os.name],
  ['version', ({ os }) => os.version],
  ['patchLevel', ({ patchLevel }) => patchLevel],
  ['kernels', ({ kernels }) => kernels.join(', ') || null],
  ['packages', ({ packages }) => (packages ? `${packages.manager}${packages.count === null ? '' : ` ${packages.count}`}` : null)],
  ['architecture', ({ architecture }) => architecture],
  ['firmware', ({ firmware }) => firmware],
  ['format', ({ format }) => format],
  ['sizeBytes', ({ sizeBytes }) => String(sizeBytes)],
  ['virtualSizeBytes', ({ virtualSizeBytes }) => String(virtualSizeBytes)],
  ['endOfLife', ({ endOfLife }) => endOfLife],
  ['lifecycle', ({ lifecycle }) => lifecycle],
  ['tags', ({ tags }) => [...tags].sort().join(', ') || null],
  ['sourceUrl', ({ sourceUrl }) => sourceUrl],
  ['addedAt', ({ addedAt }) => addedAt],
  ['sha256', ({ sha256 }) => sha256],
];

export function fieldDifferences(one: Image, other: Image): ImageDifferences['fields'] {
  return compared.map(([field, read]) => ({ field, one: read(one), other: read(other) })).filter((each) => each.one !== each.other);
}

/** Lists are by name. Several versions of one package, such as kernels, are compared as one. */
export function packageDifferences(one: readonly InstalledPackage[], other: readonly InstalledPackage[]): PackageDifferences {
  const [before, after] = [versionsByName(one), versionsByName(other)];
  const only = (here: ReadonlyMap<string, string>, there: ReadonlyMap<string, string>) =>
    [...here].flatMap(([name, version]) => (there.has(name) ? [] : [{ name, version }]));
  return {
    added: only(after, before),
    removed: only(before, after),
    changed: [...before].flatMap(([name, version]) => {
      const now = after.get(name);
      return now === undefined || now === version ? [] : [{ name, one: version, other: now }];
    }),
  };
}

function versionsByName(list: readonly InstalledPackage[]): Map<string, string> {
  const versions = new Map<string, string>();
  for (const { name, version } of list) {
    const known = versions.get(name);
    versions.set(name, known === undefined ? version : `${known}, ${version}`);
  }
  return versions;
}
