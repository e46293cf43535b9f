import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId, LayerId } from '../../../contract/ids.ts';
import { layoutOf } from '../files/layout.ts';
import { comingOf, folderInLocation, leavingOf, locationStore } from '../files/moved-folder.ts';
import { createOverlay } from '../images/empty-overlay.ts';
import { readStoreDisks } from '../layers/layer-graph.ts';
import { layersOfItsOwn, moveGuest, settleMove } from './move-guest.ts';
import type { FolderMove, MoveStore, StoredMove } from './store.ts';

const never = new AbortController().signal;
const id = 'g000000000' as GuestId;
const layerNamed = (name: string) => `l${name.padStart(9, '0')}` as LayerId;

function memoryStore(): MoveStore {
  const rows = new Map<GuestId, StoredMove>();
  return {
    list: () => [...rows.values()],
    find: (guest) => rows.get(guest) ?? null,
    save: (move) => void rows.set(move.guestId, move),
    remove: (guest) => void rows.delete(guest),
  };
}

function scene() {
  const home = mkdtempSync('/tmp/gh-move-');
  const location = mkdtempSync('/tmp/gh-move-location-');
  onTestFinished(() => {
    for (const path of [home, location]) rmSync(path, { recursive: true, force: true });
  });
  const layout = layoutOf({ home, run: join(home, 'run'), logs: home, engineSocket: join(home, 's') });
  const { folder } = layout.guest(id);
  for (const each of [layout.layers, layout.images, layout.guests, layout.trash]) mkdirSync(each, { recursive: true });
  const fill = (at: string) => {
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'disk0.qcow2'), 'the disk');
  };
  const moves = memoryStore();
  const move = (to: string | null): FolderMove => ({
    folder,
    from: to === null ? folderInLocation(location, folder) : folder,
    to: to === null ? folder : folderInLocation(location, folder),
  });
  return { home, location, layout, folder, fill, moves, move };
}

const diskIn = (folder: string) => readFileSync(join(folder, 'disk0.qcow2'), 'utf8');

test('from every moment between the decision and the end, a guest is settled where it was going', async () => {
  // What was done of it when the engine was killed: nothing, the old name put aside, the new one taken, a part of the old removed.
  for (const done of [0, 1, 2, 3]) {
    const { location, layout, folder, fill, moves, move } = scene();
    const there = move(location);
    fill(folder);
    fill(there.to);
    symlinkSync(there.to, comingOf(folder));
    moves.save({ guestId: id, folders: [there], switched: true });
    if (done >= 1) renameSync(folder, leavingOf(folder));
    if (done >= 2) renameSync(comingOf(folder), folder);
    if (done >= 3) unlinkSync(join(leavingOf(folder), 'disk0.qcow2'));
    await settleMove({ layout, moves }, id);
    expect([done, lstatSync(folder).isSymbolicLink(), diskIn(folder)]).toEqual([done, true, 'the disk']);
    expect([done, readdirSync(layout.guests), moves.list()]).toEqual([done, [id], []]);
  }
  // And the other way round.
  for (const done of [0, 1, 2]) {
    const { layout, folder, fill, moves, move } = scene();
    const back = move(null);
    fill(back.from);
    fill(comingOf(folder));
    symlinkSync(back.from, folder);
    moves.save({ guestId: id, folders: [back], switched: true });
    if (done >= 1) unlinkSync(folder);
    if (done >= 2) renameSync(comingOf(folder), folder);
    await settleMove({ layout, moves }, id);
    expect([done, lstatSync(folder).isDirectory(), diskIn(folder), existsSync(back.from)]).toEqual([done, true, 'the disk', false]);
    expect([done, readdirSync(layout.guests), moves.list()]).toEqual([done, [id], []]);
  }
});

test('before the decision a guest is where it was, and no copy is left', async () => {
  const { location, layout, folder, fill, moves, move } = scene();
  const there = move(location);
  for (const copies of [[], [`${there.to}.arriving`], [there.to], [there.to, comingOf(folder)]]) {
    fill(folder);
    for (const copy of copies) fill(copy);
    moves.save({ guestId: id, folders: [there], switched: false });
    await settleMove({ layout, moves }, id);
    expect([diskIn(folder), readdirSync(layout.guests)]).toEqual(['the disk', [id]]);
    for (const copy of copies) expect([copy, existsSync(copy)]).toEqual([copy, false]);
    expect(moves.list()).toEqual([]);
  }
});

test('what was left is not removed while what took its place cannot be seen', async () => {
  const { location, layout, folder, fill, moves, move } = scene();
  const there = move(location);
  fill(folder);
  fill(there.to);
  symlinkSync(there.to, comingOf(folder));
  moves.save({ guestId: id, folders: [there], switched: true });
  renameSync(location, `${location}.away`);
  await settleMove({ layout, moves }, id);
  expect(diskIn(leavingOf(folder))).toBe('the disk');
  expect(moves.list()).toHaveLength(1);
  renameSync(`${location}.away`, location);
  await settleMove({ layout, moves }, id);
  expect([diskIn(folder), readdirSync(layout.guests), moves.list()]).toEqual(['the disk', [id], []]);
});

test('only layers that nobody else needs go along, and memory that two names share stays one file', async () => {
  const { location, layout, folder, moves } = scene();
  mkdirSync(folder);
  const other = layout.guest('g000000001' as GuestId);
  mkdirSync(other.trashFolder);
  const layers = ['own', 'shared', 'kept', 'theirs'].map((name) => layout.layer(layerNamed(name)));
  const [own = '', shared = '', kept = '', theirs = ''] = layers;
  for (const layer of layers) mkdirSync(dirname(layer));
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', shared, '1M']);
  const upon = (path: string, base: string) => createOverlay(path, { path: base, format: 'qcow2' }, 1024 ** 2);
  await upon(own, shared);
  await upon(join(folder, 'disk0.qcow2'), own);
  await upon(kept, own);
  await upon(theirs, shared);
  await upon(join(other.trashFolder, 'disk0.qcow2'), shared);
  mkdirSync(join(folder, 'snapshots', 's1'), { recursive: true });
  writeFileSync(join(folder, 'suspended.state'), Buffer.alloc(100_000, 1));
  execFileSync('ln', [join(folder, 'suspended.state'), join(folder, 'snapshots', 's1', 'memory.state')]);
  const held = new Map([
    [id, new Set([kept])],
    ['g000000002' as GuestId, new Set([theirs])],
  ]);
  const disks = await readStoreDisks(layout);
  expect(layersOfItsOwn(folder, id, disks, layout, held).sort()).toEqual([own, kept].sort());
  // Where it is not known who needs what, nothing goes along.
  expect(layersOfItsOwn(folder, id, disks, layout, null)).toEqual([]);
  expect(layersOfItsOwn(folder, id, [...disks, { path: '/x', bases: null }], layout, held)).toEqual([]);

  const parts = {
    layout,
    moves,
    lineageLock: <T>(work: () => Promise<T>) => work(),
    layersByGuest: () => held,
    giveWay: async () => undefined,
    keepFreeBytes: () => 0,
  };
  const told: number[] = [];
  await moveGuest(parts, id, location, never, (done, total) => told.push(done / total));
  expect(told.at(-1)).toBe(1);
  expect([own, kept].map((layer) => lstatSync(dirname(layer)).isSymbolicLink())).toEqual([true, true]);
  expect([shared, theirs].map((layer) => lstatSync(dirname(layer)).isDirectory())).toEqual([true, true]);
  expect(lstatSync(join(folder, 'suspended.state')).nlink).toBe(2);
  expect(lstatSync(join(folder, 'suspended.state')).ino).toBe(lstatSync(join(folder, 'snapshots', 's1', 'memory.state')).ino);
  expect(moves.list()).toEqual([]);

  // A link in the folder leads out of it, and is not followed.
  symlinkSync('/etc/passwd', join(folder, 'passwd'));
  await expect(moveGuest(parts, id, null, never, () => undefined)).rejects.toMatchObject({ error: { code: 'image/not-a-file' } });
  expect(lstatSync(folder).isSymbolicLink()).toBe(true);
  unlinkSync(join(folder, 'passwd'));
  await moveGuest(parts, id, null, never, () => undefined);
  const left = readdirSync(join(location, locationStore), { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => name.endsWith('.qcow2'))).toEqual([]);
  expect(existsSync(join(folder, 'disk0.qcow2'))).toBe(true);
});
