import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Guest } from '../../contract/guest-state.ts';
import { KnownPlaces } from './known-places.ts';

function scene() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gh-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const home = join(folder, 'home');
  mkdirSync(home);
  for (const name of ['home/inside', 'outside', 'disk.qcow2', 'chosen.iso', 'homely']) writeFileSync(join(folder, name), '');
  symlinkSync(join(folder, 'outside'), join(home, 'link'));
  const guest = {
    spec: { disks: [{ location: { kind: 'in-place', path: join(folder, 'disk.qcow2') } }], cdDrives: [] },
  } as unknown as Guest;
  const location = join(folder, 'location');
  for (const name of ['guesthouse-store/guests/g1', 'guesthouse-images', 'private']) mkdirSync(join(location, name), { recursive: true });
  for (const name of ['guesthouse-store/guests/g1/disk', 'guesthouse-images/i1.raw', 'private/diary'])
    writeFileSync(join(location, name), '');
  return {
    folder,
    home,
    location,
    places: new KnownPlaces(
      [home],
      () => [guest],
      async () => [location],
    ),
  };
}

test('files of the store, of a guest and of the user’s own choice are shown', async () => {
  const { folder, home, places } = scene();
  places.chose(join(folder, 'chosen.iso'));
  expect(await places.resolve(join(home, 'inside'))).toBe(join(home, 'inside'));
  expect(await places.resolve(join(folder, 'disk.qcow2'))).toBe(join(folder, 'disk.qcow2'));
  expect(await places.resolve(join(folder, 'chosen.iso'))).toBe(join(folder, 'chosen.iso'));
});

test('a moved guest and a moved image are shown where they really lie, and nothing else of their location', async () => {
  const { home, location, places } = scene();
  const names: [string, string][] = [
    ['guest', 'guesthouse-store/guests/g1'],
    ['image', 'guesthouse-images/i1.raw'],
    ['diary', 'private/diary'],
  ];
  for (const [name, target] of names) symlinkSync(join(location, target), join(home, name));
  expect(await places.resolve(join(home, 'guest', 'disk'))).toBe(join(location, 'guesthouse-store/guests/g1/disk'));
  expect(await places.resolve(join(home, 'image'))).toBe(join(location, 'guesthouse-images/i1.raw'));
  const others = [join(home, 'diary'), join(location, 'private/diary'), join(location, 'guesthouse-images/i1.raw')];
  for (const path of others) await expect(places.resolve(path)).rejects.toMatchObject({ error: { code: 'call/forbidden-origin' } });
});

test('nothing else is, by whatever path', async () => {
  const { folder, home, places } = scene();
  for (const path of [join(folder, 'outside'), join(home, '..', 'outside'), join(home, 'link'), join(folder, 'homely'), '/etc/passwd'])
    await expect(places.resolve(path)).rejects.toMatchObject({ error: { code: 'call/forbidden-origin' } });
  await expect(places.resolve(join(home, 'gone'))).rejects.toMatchObject({ error: { code: 'image/file-missing' } });
});
