import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId, LayerId } from '../../../contract/ids.ts';
import { layoutOf } from '../files/layout.ts';
import { folderInLocation } from '../files/moved-folder.ts';
import { createOverlay } from '../images/empty-overlay.ts';
import { convertDisk } from '../images/qemu-img.ts';
import { baseNameFor, readBases } from './disk-chain.ts';
import { buildersUpon, readStoreDisks, unusedLayers } from './layer-graph.ts';

const never = new AbortController().signal;
const layerNamed = (name: string) => `l${name.padStart(9, '0')}` as LayerId;

function store() {
  const home = mkdtempSync('/tmp/gh-chain-');
  onTestFinished(() => rmSync(home, { recursive: true }));
  const layout = layoutOf({ home, run: join(home, 'run'), logs: home, engineSocket: join(home, 's') });
  const guest = layout.guest('g000000000' as GuestId);
  for (const folder of [layout.layers, layout.images, guest.folder, guest.trashFolder]) mkdirSync(folder, { recursive: true });
  for (const name of ['a', 'b', 'c', 'd']) mkdirSync(dirname(layout.layer(layerNamed(name))), { recursive: true });
  return { layout, guest };
}

const plain = (path: string, format = 'qcow2') => execFileSync('qemu-img', ['create', '-q', '-f', format, path, '1M']);
const fill = (path: string, pattern: string, format = 'qcow2') =>
  execFileSync('qemu-io', ['-f', format, '-c', `write -P ${pattern} 0 64k`, path], { stdio: 'ignore' });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (thrown: { error: { code: string } }) => thrown.error.code,
  );

test('a disk on a layer on an image is read down to the ground, and its data are those of all three', async () => {
  const { layout, guest } = store();
  const image = join(layout.images, 'i000000000.raw');
  const layer = layout.layer(layerNamed('a'));
  const disk = guest.disk('disk0.qcow2');
  plain(image, 'raw');
  fill(image, '0x11', 'raw');
  await createOverlay(layer, { path: image, format: 'raw' }, 1024 ** 2);
  await createOverlay(disk, { path: layer, format: 'qcow2' }, 1024 ** 2);
  const bases = await readBases(disk, guest.bases, 'The disk');
  expect(bases).toEqual([
    { path: layer, format: 'qcow2' },
    { path: image, format: 'raw' },
  ]);
  const copy = join(layout.home, 'copy.qcow2');
  await convertDisk('qemu-img', {
    source: disk,
    sourceFormat: 'qcow2',
    sourceBases: bases,
    target: copy,
    signal: never,
    onProgress: () => {},
  });
  execFileSync('qemu-img', ['compare', '-q', '-f', 'raw', '-F', 'qcow2', image, copy]);
  expect(await readBases(copy, guest.bases, 'The copy')).toEqual([]);
});

test('a base is named relative to the file, so that the data folder can be moved, and from the trash as from the library', () => {
  const { layout, guest } = store();
  const layer = layout.layer(layerNamed('a'));
  expect(baseNameFor(guest.disk('disk0.qcow2'), layer)).toBe('../../layers/l00000000a/disk.qcow2');
  expect(baseNameFor(join(guest.trashFolder, 'disk0.qcow2'), layer)).toBe('../../layers/l00000000a/disk.qcow2');
});

test('a base anywhere but among the layers and images is refused, and so is one that is a link', async () => {
  const { layout, guest } = store();
  const outside = join(layout.home, 'outside.qcow2');
  plain(outside);
  const disk = guest.disk('disk0.qcow2');
  const names = [
    '/etc/shadow',
    outside,
    '../../layers/../outside.qcow2',
    '../../layers/odd.qcow2',
    '../../layers/l00000000a/other.qcow2',
    '../../layers/l00000000a/deeper/disk.qcow2',
    '../../images/i00000000a.iso',
    'nbd://host/x',
  ];
  for (const name of names) {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', name, '-F', 'qcow2', disk, '1M']);
    expect([name, await codeOf(readBases(disk, guest.bases, 'The disk'))]).toEqual([name, 'image/outside-reference']);
  }
  symlinkSync(outside, layout.layer(layerNamed('b')));
  await createOverlay(disk, { path: layout.layer(layerNamed('b')), format: 'qcow2' }, 1024 ** 2);
  expect(await codeOf(readBases(disk, guest.bases, 'The disk'))).toBe('image/not-a-file');
});

test('a chain with a loop and a base that is gone are said to be what they are', async () => {
  const { layout, guest } = store();
  const [one, other] = [layout.layer(layerNamed('a')), layout.layer(layerNamed('b'))];
  await createOverlay(one, { path: other, format: 'qcow2' }, 1024 ** 2);
  await createOverlay(other, { path: one, format: 'qcow2' }, 1024 ** 2);
  const disk = guest.disk('disk0.qcow2');
  await createOverlay(disk, { path: one, format: 'qcow2' }, 1024 ** 2);
  expect(await codeOf(readBases(disk, guest.bases, 'The disk'))).toBe('image/corrupt');
  await createOverlay(disk, { path: layout.layer(layerNamed('c')), format: 'qcow2' }, 1024 ** 2);
  expect(await codeOf(readBases(disk, guest.bases, 'The disk'))).toBe('image/file-missing');
});

test('a layer is unused when neither guest, trash nor snapshot leads to it, and nothing is while a file cannot be read', async () => {
  const { layout, guest } = store();
  const [ground, middle, lonely, held] = ['a', 'b', 'c', 'd'].map((name) => layout.layer(layerNamed(name))) as [
    string,
    string,
    string,
    string,
  ];
  plain(ground);
  await createOverlay(middle, { path: ground, format: 'qcow2' }, 1024 ** 2);
  await createOverlay(lonely, { path: ground, format: 'qcow2' }, 1024 ** 2);
  await createOverlay(held, { path: lonely, format: 'qcow2' }, 1024 ** 2);
  const trashed = join(guest.trashFolder, 'disk0.qcow2');
  await createOverlay(trashed, { path: middle, format: 'qcow2' }, 1024 ** 2);
  const disks = await readStoreDisks(layout);
  expect(buildersUpon(disks, ground).sort()).toEqual([middle, lonely, held, trashed].sort());
  expect(unusedLayers(disks, layout.layers, new Set([held]))).toEqual([]);
  expect(unusedLayers(disks, layout.layers, new Set()).sort()).toEqual([lonely, held].sort());
  const broken = await readStoreDisks(layout).then((all) => all.map((one) => (one.path === trashed ? { ...one, bases: null } : one)));
  expect(unusedLayers(broken, layout.layers, new Set())).toEqual([]);
});

test('a layer is followed into another location only by a link to a folder of its own name there', async () => {
  const { layout, guest } = store();
  const location = mkdtempSync('/tmp/gh-chain-location-');
  onTestFinished(() => rmSync(location, { recursive: true }));
  const layer = layout.layer(layerNamed('a'));
  const disk = guest.disk('disk0.qcow2');
  plain(layer);
  await createOverlay(disk, { path: layer, format: 'qcow2' }, 1024 ** 2);
  const elsewhere = folderInLocation(location, dirname(layer));
  mkdirSync(dirname(elsewhere), { recursive: true });
  renameSync(dirname(layer), elsewhere);
  symlinkSync(elsewhere, dirname(layer));
  expect(await readBases(disk, guest.bases, 'The disk')).toEqual([{ path: layer, format: 'qcow2' }]);
  expect(await readStoreDisks(layout)).toEqual(
    expect.arrayContaining([
      { path: layer, bases: [] },
      { path: disk, bases: [layer] },
    ]),
  );
  // While the location is not there nothing is known of it, and so nothing is unused.
  renameSync(location, `${location}.away`);
  expect(await codeOf(readBases(disk, guest.bases, 'The disk'))).toBe('storage/location-away');
  expect(unusedLayers(await readStoreDisks(layout), layout.layers, new Set())).toEqual([]);
  renameSync(`${location}.away`, location);
  for (const other of [join(location, 'guesthouse-store', 'layers', layerNamed('b')), join(location, layerNamed('a'))]) {
    rmSync(dirname(layer));
    cpSync(elsewhere, other, { recursive: true });
    symlinkSync(other, dirname(layer));
    expect([other, await codeOf(readBases(disk, guest.bases, 'The disk'))]).toEqual([other, 'image/not-a-file']);
  }
});
