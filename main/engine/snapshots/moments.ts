/** Snapshots of the present that clones of a guest are made from while it runs or is suspended. They go afterwards unless they are to stay. */
import { rm } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import type { GuestId, SnapshotId } from '../../../contract/ids.ts';
import type { ByteProgress } from '../drivers/driver.ts';
import type { Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import { type MakeParts, makeSnapshot } from './make-snapshot.ts';
import type { KeptDisks, Moments } from './snapshots.ts';
import type { SnapshotStore, StoredSnapshot } from './store.ts';

export type MomentParts = {
  layout: Pick<Layout, 'guest'>;
  store: SnapshotStore;
  makeParts: MakeParts;
  guests: () => Pick<Guests, 'hold'>;
  /** The row of one that is asked for, when nothing stands in the way. */
  newRow(guest: GuestId, name: string, stays: boolean): StoredSnapshot;
  underWay: Map<GuestId, { kind: 'make' | 'revert'; snapshotId: SnapshotId }>;
  /** Removes what nothing needs any more. */
  tidy(): Promise<void>;
};

export function createMoments({ layout, store, makeParts, guests, newRow, underWay, tidy }: MomentParts): Moments {
  const release = (row: StoredSnapshot): void => {
    if (underWay.get(row.guestId)?.snapshotId === row.id) underWay.delete(row.guestId);
  };
  return {
    begin(guest, name, stays) {
      const row = newRow(guest, name, stays);
      store.save(row);
      underWay.set(guest, { kind: 'make', snapshotId: row.id });
      return row.id;
    },

    async make(id, signal: AbortSignal, progress: ByteProgress): Promise<KeptDisks> {
      const row = store.find(id);
      if (row?.making) {
        try {
          await guests().hold(row.guestId, 'snapshot', (held) => makeSnapshot(makeParts, held, row, signal, progress));
        } finally {
          release(row);
        }
      }
      const made = store.find(id);
      if (!made || made.making) {
        throw new Failure(
          'snapshot/not-made',
          'What the guest was could not be kept, because the engine ended meanwhile. It is as it was.',
          {
            hint: 'Clone it again.',
          },
        );
      }
      const kept = layout.guest(made.guestId).snapshot(id);
      return {
        layers: Object.fromEntries(made.disks.map((one) => [one.id, one.layer])),
        nvram: made.nvram ? kept.nvram : null,
        tpmState: made.tpm ? kept.tpmState : null,
      };
    },

    async end(id, stays) {
      const row = store.find(id);
      if (!row) return;
      release(row);
      // One that is half-made is taken back by whoever makes it, or by the next engine.
      if (row.making ? row.making.plan !== null : stays) return;
      store.removeFromTree(row);
      await rm(layout.guest(row.guestId).snapshot(id).folder, { recursive: true, force: true });
      await tidy();
    },
  };
}
