/** Who builds upon what, as a forest: each file of the store with the one that it builds upon. */
import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import type { LineageNode } from '../../../contract/guest-lineage.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Image } from '../../../contract/image.ts';
import type { Layout } from '../files/layout.ts';
import { guestOfFile } from '../layers/dependants.ts';
import { layerIdOf } from '../layers/disk-chain.ts';
import { readStoreDisks } from '../layers/layer-graph.ts';

type Known = Pick<Guest, 'id' | 'spec' | 'trashedAt' | 'origin'>;

/** Disks that build upon something, and what they build upon. */
export async function readLineage(layout: Layout, guests: readonly Known[], images: readonly Image[]): Promise<LineageNode[]> {
  const disks = await readStoreDisks(layout);
  const baseOf = new Map<string, string | null>();
  for (const { path, bases } of disks) {
    if (bases === null || (bases.length === 0 && layerIdOf(path, layout.layers) === null)) continue;
    const chain = [path, ...bases];
    for (const [depth, file] of chain.entries()) baseOf.set(file, chain[depth + 1] ?? null);
  }
  const nodes = await Promise.all(
    [...baseOf].map(async ([path, base]): Promise<LineageNode> => {
      const guest = guestOfFile(layout, path, guests);
      const layerId = layerIdOf(path, layout.layers);
      const image = images.find((one) => one.path === path) ?? null;
      const found = await stat(path).catch(() => null);
      return {
        file: relative(layout.home, path),
        kind: layerId ? 'layer' : guest ? 'disk' : 'image',
        imageId: image?.id ?? null,
        layerId,
        guestId: guest?.id ?? null,
        name: guest?.spec.name ?? image?.name ?? '',
        sizeBytes: found ? found.blocks * 512 : 0,
        trashed: guest ? guest.trashedAt !== null : false,
        base: base === null ? null : relative(layout.home, base),
      };
    }),
  );
  return nodes.sort((one, other) => one.file.localeCompare(other.file));
}

/** Names of the guests that were made from `id` and whose disks still build upon its frozen ones. */
export async function clonesOf(layout: Layout, id: GuestId, guests: readonly Known[]): Promise<string[]> {
  const disks = await readStoreDisks(layout);
  const layersOf = (guest: GuestId) =>
    disks
      .filter(({ path }) => guestOfFile(layout, path, guests)?.id === guest)
      .flatMap(({ bases }) => (bases ?? []).filter((base) => layerIdOf(base, layout.layers) !== null));
  const own = new Set(layersOf(id));
  return guests
    .filter((guest) => guest.origin?.kind === 'guest' && guest.origin.id === id && layersOf(guest.id).some((layer) => own.has(layer)))
    .map((guest) => guest.spec.name);
}
