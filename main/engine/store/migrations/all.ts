/** The migrations in the order in which they run. A database's `user_version` is the number of the last one it went through. */
import { sql as initial } from './0001-initial.ts';
import { sql as downloads } from './0002-downloads.ts';
import { sql as imageCatalogue } from './0003-image-catalogue.ts';
import { sql as guestLineage } from './0004-guest-lineage.ts';
import { sql as hardwareEdits } from './0005-hardware-edits.ts';
import { sql as guestSeeds } from './0006-guest-seeds.ts';
import { sql as snapshots } from './0007-snapshots.ts';
import { sql as storageLocations } from './0008-storage-locations.ts';
import { sql as imageEdits } from './0009-image-edits.ts';
import { sql as imagePackages } from './0010-image-packages.ts';
import { sql as guestMoves } from './0011-guest-moves.ts';
import { sql as factsFrom } from './0012-facts-from.ts';

export type Migration = { number: number; name: string; sql: string };

/** INVARIANT: a migration that was shipped is never changed; a mistake is put right by the next one (`0001-initial.test.ts`). */
export const migrations: readonly Migration[] = [
  { number: 1, name: 'initial', sql: initial },
  { number: 2, name: 'downloads', sql: downloads },
  { number: 3, name: 'image-catalogue', sql: imageCatalogue },
  { number: 4, name: 'guest-lineage', sql: guestLineage },
  { number: 5, name: 'hardware-edits', sql: hardwareEdits },
  { number: 6, name: 'guest-seeds', sql: guestSeeds },
  { number: 7, name: 'snapshots', sql: snapshots },
  { number: 8, name: 'storage-locations', sql: storageLocations },
  { number: 9, name: 'image-edits', sql: imageEdits },
  { number: 10, name: 'image-packages', sql: imagePackages },
  { number: 11, name: 'guest-moves', sql: guestMoves },
  { number: 12, name: 'facts-from', sql: factsFrom },
];
