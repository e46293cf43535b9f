import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GuestSnapshot } from '../../../contract/guest-snapshot.ts';
import type { GuestId, SnapshotId } from '../../../contract/ids.ts';
import { snapshotGraph } from './snapshot-graph.ts';

const idOf = (index: number) => `s${String(index).padStart(9, '0')}` as SnapshotId;
const treeOf = (parents: readonly (number | null)[]): GuestSnapshot[] =>
  parents.map((parent, index) => ({
    id: idOf(index),
    guestId: 'g000000000' as GuestId,
    parentId: parent === null ? null : idOf(parent),
    name: `${index}`,
    note: '',
    createdAt: '2026-11-25T10:00:00.000Z',
    reason: 'user',
    state: 'ready',
    withMemory: false,
    cannotGoOnAside: null,
    guestWas: 'off',
    quiesced: false,
    disks: [],
    sizeBytes: 0,
    hasThumbnail: false,
  }));
const drawn = (parents: readonly (number | null)[], current: number | null) =>
  snapshotGraph({ snapshots: treeOf(parents), currentId: current === null ? null : idOf(current) });

test('one after the other they stand in one lane, the present on top', () => {
  const { rows, lanes } = drawn([null, 0, 1], 2);
  expect(rows.map(({ snapshot, lane }) => [snapshot?.name ?? 'now', lane])).toEqual([
    ['now', 0],
    ['2', 0],
    ['1', 0],
    ['0', 0],
  ]);
  expect(lanes).toBe(1);
});

test('a branch stands in a lane of its own as far as the one that it came after', () => {
  const { rows, lines, lanes } = drawn([null, 0, 0], 1);
  expect(rows.map(({ snapshot, lane }) => [snapshot?.name ?? 'now', lane])).toEqual([
    ['now', 0],
    ['2', 1],
    ['1', 0],
    ['0', 0],
  ]);
  expect(lines).toContainEqual({ fromRow: 1, fromLane: 1, toRow: 3, toLane: 0 });
  expect(lanes).toBe(2);
});

test('whatever the tree, lines go down to where each came from and no two cross the same place in one lane', () => {
  const tree = fc
    .array(fc.nat(1000), { maxLength: 30 })
    .map((numbers) => numbers.map((number, index) => (index === 0 || number % 7 === 0 ? null : number % index)));
  fc.assert(
    fc.property(tree, fc.nat(1000), (parents, number) => {
      const current = parents.length === 0 ? null : number % parents.length;
      const { rows, lines, lanes } = drawn(parents, current);
      expect(rows).toHaveLength(parents.length + 1);
      expect(rows[0]).toEqual({ snapshot: null, lane: 0 });
      for (const { fromRow, toRow } of lines) expect(toRow).toBeGreaterThan(fromRow);
      for (let lane = 0; lane < lanes; lane++) {
        const passing = rows.map(() => 0);
        for (const { fromRow, fromLane, toRow } of lines)
          if (fromLane === lane) for (let row = fromRow + 1; row < toRow; row++) passing[row] = (passing[row] ?? 0) + 1;
        for (const [row, count] of passing.entries()) expect(count + (rows[row]?.lane === lane ? 1 : 0)).toBeLessThanOrEqual(1);
      }
    }),
  );
});
