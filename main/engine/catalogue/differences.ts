/** In what two images differ by what is known of them. Pure. */
import type { Image } from '../../../contract/image.ts';
import type { ImageDifferences } from '../../../contract/image-catalogue.ts';

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
