/** Which guests have a disc with answers: one row each. The answers themselves are on the disc, never in the database. */
import { type SetupFormat, setupFormat } from '../../../contract/answers.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Database } from '../store/database.ts';

export type StoredSeed = {
  guestId: GuestId;
  format: SetupFormat;
  /** Whether there is a disc; Debian's answers lie within its installer's first root file system. */
  hasDisc: boolean;
  /** Of the installer's kernel, as long as the guest's next start is the one that installs it. */
  commandLine: string | null;
  madeAt: string;
};

type Row = { guest_id: string; format: string; has_disc: number; command_line: string | null; made_at: string };

export type SeedStore = {
  get(id: GuestId): StoredSeed | null;
  put(seed: StoredSeed): void;
  remove(id: GuestId): void;
  /** Forgets those of guests that are gone. */
  prune(): void;
};

export function createSeedStore(database: Database): SeedStore {
  const one = database.prepare<Row>('seeds.get', 'SELECT * FROM guest_seeds WHERE guest_id = ?');
  const put = database.prepare(
    'seeds.put',
    `INSERT OR REPLACE INTO guest_seeds (guest_id, format, has_disc, command_line, made_at)
     VALUES (@guestId, @format, @hasDisc, @commandLine, @madeAt)`,
  );
  const drop = database.prepare('seeds.remove', 'DELETE FROM guest_seeds WHERE guest_id = ?');
  const prune = database.prepare('seeds.prune', 'DELETE FROM guest_seeds WHERE guest_id NOT IN (SELECT id FROM guests)');
  return {
    get(id) {
      const row = one.get(id);
      if (!row) return null;
      return {
        guestId: row.guest_id as GuestId,
        format: setupFormat.parse(row.format),
        hasDisc: row.has_disc === 1,
        commandLine: row.command_line,
        madeAt: row.made_at,
      };
    },
    put(seed) {
      put.run({ ...seed, hasDisc: seed.hasDisc ? 1 : 0 });
    },
    remove(id) {
      drop.run(id);
    },
    prune() {
      prune.run();
    },
  };
}
