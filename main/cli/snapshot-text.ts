/** Snapshots as text: the table of all, the tree, and the facts of one. */
import type { GuestSnapshot, SnapshotSchedule, SnapshotTree } from '../../contract/guest-snapshot.ts';
import { facts, printable, styled, type Terminal, table } from './terminal.ts';
import { bytes, localTime } from './units.ts';

const reasons = {
  user: '',
  schedule: 'scheduled',
  hardware: 'before a change of hardware',
  revert: 'before going back',
  clone: 'for clones',
} as const;
const none = 'There are no snapshots. “guesthouse snapshot create GUEST” makes one.';

export function listSnapshots(terminal: Terminal, { snapshots, currentId }: SnapshotTree): string {
  if (snapshots.length === 0) return none;
  return table(terminal, snapshots, [
    { title: 'NAME', value: (one) => (one.id === currentId ? `${one.name} *` : one.name) },
    { title: 'MADE', value: (one) => localTime(one.createdAt) },
    { title: 'MEMORY', value: (one) => (one.withMemory ? 'yes' : 'no') },
    { title: 'SIZE', value: (one) => bytes(one.sizeBytes), align: 'right' },
    { title: 'BECAUSE', value: (one) => reasons[one.reason] },
    { title: 'ID', value: (one) => one.id },
  ]);
}

export function drawTree(terminal: Terminal, { snapshots, currentId }: SnapshotTree): string {
  if (snapshots.length === 0) return none;
  const children = Map.groupBy(snapshots, (one) => one.parentId);
  const lines: string[] = [];
  const now = styled(terminal, 'green', 'now');
  const draw = (one: GuestSnapshot, indent: string, isLast: boolean): void => {
    const below = children.get(one.id) ?? [];
    const facets = [
      localTime(one.createdAt),
      one.withMemory ? 'with memory' : '',
      bytes(one.sizeBytes),
      one.state === 'making' ? 'being made' : '',
    ];
    lines.push(`${indent}${isLast ? '└─ ' : '├─ '}${printable(one.name)}  ${styled(terminal, 'dim', facets.filter(Boolean).join(' · '))}`);
    const deeper = indent + (isLast ? '   ' : '│  ');
    const isNow = one.id === currentId;
    for (const [index, child] of below.entries()) draw(child, deeper, index === below.length - 1 && !isNow);
    if (isNow) lines.push(`${deeper}└─ ${now}`);
  };
  const roots = children.get(null) ?? [];
  for (const [index, root] of roots.entries()) draw(root, '', index === roots.length - 1 && currentId !== null);
  if (currentId === null) lines.push(`└─ ${now}`);
  return lines.join('\n');
}

export function describeSnapshot(one: GuestSnapshot): string {
  return facts([
    ['Name', one.name],
    ['Id', one.id],
    ['Made', localTime(one.createdAt)],
    ['Because', reasons[one.reason] || null],
    ['The guest was', one.guestWas + (one.quiesced ? ', its file systems at rest' : '')],
    ['Memory', one.withMemory ? 'yes' : 'no'],
    ...one.disks.map((disk) => [`Disk ${disk.id}`, bytes(disk.sizeBytes)] as const),
    ['Size', `${bytes(one.sizeBytes)} by itself`],
    ['After', one.parentId],
    ['Note', one.note || null],
  ]);
}

export function describeSchedule(schedule: SnapshotSchedule): string {
  const kept = [
    [schedule.keepHourly, 'hours'],
    [schedule.keepDaily, 'days'],
    [schedule.keepWeekly, 'weeks'],
  ] as const;
  const keeps = kept.flatMap(([count, unit]) => (count > 0 ? [`the last ${count} ${unit}`] : []));
  return facts([
    ['By themselves', schedule.enabled ? `yes, one of each of ${keeps.join(', ') || 'nothing'} is kept` : 'no'],
    ['Before a change of hardware', schedule.beforeHardwareChange ? 'yes' : 'no'],
  ]);
}
