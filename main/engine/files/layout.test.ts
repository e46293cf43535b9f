import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dataRootAt, dataRootOf } from '../../../contract/data-root.ts';
import { toGuesthouseError } from '../../../contract/errors.ts';
import { type GuestId, guestId, type ImageId, imageId, type LayerId, type SnapshotId } from '../../../contract/ids.ts';
import { layoutFromEnvironment, layoutOf } from './layout.ts';

const id = fc.stringMatching(/^[0-9a-z]{9}$/);

/** Every path that the layout can name. */
function everyPath(home: string, guest: GuestId, image: ImageId): string[] {
  const layout = layoutOf(dataRootAt(home));
  const { guest: ofGuest, image: ofImage, imageArriving, imageCapturing, imageUnpacking, imageLook, download, layer, ...fixed } = layout;
  const { whole, ...downloadFiles } = download('debian-netinst');
  const { disk, removedDisk, shareSocket, sharePid, networkSocket, bases, snapshot, reverting, ...guestFiles } = ofGuest(guest);
  return [
    ...Object.values(fixed),
    ...Object.values(guestFiles),
    ...Object.values(bases),
    ...Object.values(snapshot('s000000000' as SnapshotId)),
    ...Object.values(reverting()),
    disk('disk0.qcow2'),
    ...Object.values(downloadFiles),
    whole('debian.iso'),
    removedDisk('disk0.qcow2'),
    shareSocket('share0'),
    sharePid('share0'),
    networkSocket('nic0'),
    ofImage(image, 'iso'),
    imageArriving(image),
    imageCapturing(image),
    imageUnpacking(image),
    imageLook(image),
    layer('l000000000' as LayerId),
  ];
}

test('every path lies inside the data folder, whatever the ids', () => {
  fc.assert(
    fc.property(id, id, (guest, image) => {
      for (const path of everyPath('/data', guestId.parse(`g${guest}`), imageId.parse(`i${image}`))) {
        expect(path === '/data' || !relative('/data', path).startsWith('..')).toBe(true);
      }
    }),
  );
});

test('ids that could leave the data folder are no ids', () => {
  for (const hostile of ['g../../../e', 'g/etc/pass', 'g..', '', 'g00000000\n', 'gABCDEFGHI'])
    expect(guestId.safeParse(hostile).success).toBe(false);
});

test('no two things of a guest share a name, and nothing of one guest is another’s', () => {
  const [one, two] = ['g000000001', 'g000000002'].map((each) => {
    const { disk, bases, snapshot, reverting, ...files } = layoutOf(dataRootAt('/data')).guest(each as GuestId);
    return [...Object.values(files), ...Object.values(snapshot('s000000000' as SnapshotId)), ...Object.values(reverting())];
  });
  const all = [...(one ?? []), ...(two ?? [])];
  expect(new Set(all).size).toBe(all.length);
});

test('GUESTHOUSE_HOME holds everything, and without it the XDG folders do', () => {
  expect(layoutFromEnvironment({ GUESTHOUSE_HOME: '/data/' }).engineSocket).toBe('/data/run/engine.sock');
  expect(layoutFromEnvironment({ GUESTHOUSE_HOME: 'relative' }).home).toBe(join(process.cwd(), 'relative'));
  expect(dataRootOf({}, '/home/ann')).toEqual({
    home: '/home/ann/.local/share/guesthouse',
    run: '/home/ann/.local/state/guesthouse/run',
    logs: '/home/ann/.local/state/guesthouse/logs',
    engineSocket: '/home/ann/.local/state/guesthouse/run/engine.sock',
  });
  expect(dataRootOf({ XDG_DATA_HOME: '/d', XDG_STATE_HOME: '/s' }, '/home/ann')).toMatchObject({
    home: '/d/guesthouse',
    run: '/s/guesthouse/run',
  });
});

test('a data folder whose sockets would not fit is refused, and the longest that fits is taken', () => {
  const longest = '/run//g000000000/transfer.sock'.length - 1;
  const fits = `/${'x'.repeat(107 - longest - 1)}`;
  expect(layoutFromEnvironment({ GUESTHOUSE_HOME: fits }).home).toBe(fits);
  let error = null;
  try {
    layoutFromEnvironment({ GUESTHOUSE_HOME: `${fits}x` });
  } catch (thrown) {
    error = toGuesthouseError(thrown);
  }
  expect(error?.code).toBe('store/path-too-long');
});

test('docs/on-disk-layout.md names everything', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/on-disk-layout.md'), 'utf8');
  const names = everyPath('/data', 'g000000000' as GuestId, 'i000000000' as ImageId)
    .map((path) =>
      basename(path)
        .replace(/^[gils]000000000/, '<id>')
        .replace(/^debian-netinst$/, '<key>')
        .replace(/^debian\.iso$/, '<name>'),
    )
    .filter((name) => name !== 'data');
  for (const name of names) expect(page).toContain(name);
});
