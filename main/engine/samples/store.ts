/** The samples' rows: one a second for ten minutes, one a minute for a day, one a quarter of an hour for a month. */
import type { Sample } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Database } from '../store/database.ts';

/** Finest first. `at` in rows is the beginning of the interval in seconds since 1970. */
export const sampleIntervals = [
  { seconds: 1, keptSeconds: 600 },
  { seconds: 60, keptSeconds: 86_400 },
  { seconds: 900, keptSeconds: 2_592_000 },
] as const;
export type SampleInterval = (typeof sampleIntervals)[number]['seconds'];

export type SampleRow = { guestId: GuestId; interval: SampleInterval; sample: Sample };

export type SampleStore = {
  insert(rows: readonly SampleRow[]): void;
  /** Oldest first, from the interval that contains `sinceSeconds` on. */
  list(guest: GuestId, interval: SampleInterval, sinceSeconds: number): Sample[];
  /** When the oldest row of the interval not before `sinceSeconds` begins; null when there is none. */
  oldest(guest: GuestId, interval: SampleInterval, sinceSeconds: number): number | null;
  /** Makes the row of `into` that begins at `atSeconds` the average of the finer rows in it; nothing when there are none. */
  downsample(guest: GuestId, from: SampleInterval, into: SampleInterval, atSeconds: number): void;
  prune(guest: GuestId, nowSeconds: number): void;
  /** Every guest of which there are samples, deleted ones too. */
  guests(): GuestId[];
};

type Row = {
  at: number;
  cpu_cores: number;
  memory_bytes: number;
  disk_read: number;
  disk_write: number;
  net_receive: number | null;
  net_send: number | null;
};

const columns = 'guest_id, interval_seconds, at, cpu_cores, memory_bytes, disk_read, disk_write, net_receive, net_send';

export function createSampleStore(database: Database): SampleStore {
  const insert = database.prepare(
    'samples.insert',
    `INSERT OR REPLACE INTO samples (${columns}) VALUES (@guestId, @interval, @at, @cpuCores, @memoryBytes, @diskRead, @diskWrite, @netReceive, @netSend)`,
  );
  const list = database.prepare<Row>(
    'samples.list',
    'SELECT * FROM samples WHERE guest_id = ? AND interval_seconds = ? AND at >= ? ORDER BY at',
  );
  const oldest = database.prepare<{ at: number | null }>(
    'samples.oldest',
    'SELECT min(at) AS at FROM samples WHERE guest_id = ? AND interval_seconds = ? AND at >= ?',
  );
  const downsample = database.prepare(
    'samples.downsample',
    `INSERT OR REPLACE INTO samples (${columns})
     SELECT guest_id, @into, @at, avg(cpu_cores), cast(avg(memory_bytes) AS INTEGER), avg(disk_read), avg(disk_write), avg(net_receive), avg(net_send)
     FROM samples WHERE guest_id = @guestId AND interval_seconds = @from AND at >= @at AND at < @at + @into GROUP BY guest_id`,
  );
  const prune = database.prepare('samples.prune', 'DELETE FROM samples WHERE guest_id = ? AND interval_seconds = ? AND at < ?');
  // Jumps from guest to guest along the primary key instead of reading every row.
  const guests = database.prepare<{ id: GuestId }>(
    'samples.guests',
    `WITH RECURSIVE g (id) AS (
       SELECT min(guest_id) FROM samples
       UNION ALL SELECT (SELECT min(guest_id) FROM samples WHERE guest_id > g.id) FROM g WHERE g.id IS NOT NULL
     ) SELECT id FROM g WHERE id IS NOT NULL`,
  );
  return {
    insert(rows) {
      if (rows.length === 0) return;
      database.transaction(() => {
        for (const { guestId, interval, sample } of rows) {
          insert.run({
            guestId,
            interval,
            at: intervalStart(Date.parse(sample.at) / 1000, interval),
            cpuCores: sample.cpuCores,
            memoryBytes: Math.round(sample.memoryBytes),
            diskRead: sample.diskReadBytesPerSecond,
            diskWrite: sample.diskWriteBytesPerSecond,
            netReceive: sample.netReceiveBytesPerSecond,
            netSend: sample.netSendBytesPerSecond,
          });
        }
      });
    },
    list: (guest, interval, sinceSeconds) => list.all(guest, interval, intervalStart(sinceSeconds, interval)).map(parseRow),
    oldest: (guest, interval, sinceSeconds) => oldest.get(guest, interval, intervalStart(sinceSeconds, interval))?.at ?? null,
    downsample: (guestId, from, into, at) => void downsample.run({ guestId, from, into, at }),
    prune(guest, nowSeconds) {
      for (const { seconds, keptSeconds } of sampleIntervals) prune.run(guest, seconds, Math.floor(nowSeconds - keptSeconds));
    },
    guests: () => guests.all().map((row) => row.id),
  };
}

export function intervalStart(seconds: number, interval: number): number {
  return Math.floor(seconds / interval) * interval;
}

function parseRow(row: Row): Sample {
  return {
    at: new Date(row.at * 1000).toISOString(),
    cpuCores: row.cpu_cores,
    memoryBytes: row.memory_bytes,
    diskReadBytesPerSecond: row.disk_read,
    diskWriteBytesPerSecond: row.disk_write,
    netReceiveBytesPerSecond: row.net_receive,
    netSendBytesPerSecond: row.net_send,
  };
}
