/** Where snapshots stand in the drawing: the newest on top, one line of descent a lane, the present in the first. Pure. */
import type { GuestSnapshot, SnapshotTree } from '../../../contract/guest-snapshot.ts';

/** A row of the drawing. `snapshot` is null for the present. */
export type GraphRow = { snapshot: GuestSnapshot | null; lane: number };
/** From a row to the one below it that it came after. */
export type GraphLine = { fromRow: number; fromLane: number; toRow: number; toLane: number };
export type SnapshotGraph = { rows: GraphRow[]; lines: GraphLine[]; lanes: number };

export function snapshotGraph({ snapshots, currentId }: Pick<SnapshotTree, 'snapshots' | 'currentId'>): SnapshotGraph {
  const newestFirst: (GuestSnapshot | null)[] = [null, ...snapshots.toReversed()];
  const rowOf = new Map(newestFirst.map((one, row) => [one?.id ?? null, row]));
  const parentRow = (row: number): number | null => {
    const one = newestFirst[row];
    const parent = one ? one.parentId : currentId;
    return parent === null ? null : (rowOf.get(parent) ?? null);
  };
  const lanes: (number | null)[] = newestFirst.map(() => null);
  /** Per lane the row down to which it is taken. */
  const takenTo: number[] = [];
  for (let top = 0; top < newestFirst.length; top++) {
    if (lanes[top] !== null) continue;
    const path = [top];
    let below = parentRow(top);
    while (below !== null && lanes[below] === null) {
      path.push(below);
      below = parentRow(below);
    }
    const end = below ?? (path.at(-1) as number);
    const free = takenTo.findIndex((until) => until < top);
    const lane = free === -1 ? takenTo.length : free;
    takenTo[lane] = end;
    for (const row of path) lanes[row] = lane;
  }
  const rows = newestFirst.map((snapshot, row) => ({ snapshot, lane: lanes[row] ?? 0 }));
  const lines = rows.flatMap(({ lane }, row) => {
    const to = parentRow(row);
    return to === null ? [] : [{ fromRow: row, fromLane: lane, toRow: to, toLane: lanes[to] ?? 0 }];
  });
  return { rows, lines, lanes: takenTo.length };
}
