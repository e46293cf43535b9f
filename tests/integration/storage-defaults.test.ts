/** Where new guests and images lie, what is kept free there, and what is left over in a location: by a real engine. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Image } from '../../contract/image.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { codeOf, ended } from '../support/outcomes.ts';
import { type SecondDisk, secondDisk } from '../support/second-disk.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const mib = 1024 ** 2;

type Scene = { home: string; client: EngineClient; disk: SecondDisk; location: string };

const connectTo = (home: string) => connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'no-starter') } });

async function scene(): Promise<Scene> {
  const home = await engineHome();
  const client = await connectTo(home);
  onTestFinished(() => client.close());
  await client.call('settings.set', { keepFreeMiB: 8 });
  const disk = await secondDisk(200);
  const { id } = await client.call('storage.addLocation', { path: disk.path, name: 'Second disk' });
  return { home, client, disk, location: id };
}

function noise(path: string, sizeMiB: number): string {
  const content = randomBytes(sizeMiB * mib);
  content.fill(0, 0, 512);
  content.writeUInt16LE(0xaa55, 510);
  writeFileSync(path, content);
  onTestFinished(() => rmSync(path, { force: true }));
  return path;
}

async function imported({ home, client }: Pick<Scene, 'home' | 'client'>, name: string, sizeMiB = 4): Promise<Image> {
  const job = await client.call('image.import', { path: noise(join(home, `${name}.img`), sizeMiB), name });
  expect(await ended(client, job)).toMatchObject({ state: 'succeeded', error: null });
  return (await client.call('image.list', {})).find((image) => image.name === name) as Image;
}

test('new guests and images lie where the settings say, or where one is told; clones and new disks as well', async () => {
  const { home, client, disk, location } = await scene();
  expect(await codeOf(client.call('settings.set', { guestLocation: 'nowhere' }))).toBe('storage/location-unknown');
  await client.call('settings.set', { guestLocation: location, imageLocation: location });

  const image = await imported({ home, client }, 'Base');
  const file = join(disk.path, 'guesthouse-images', `${image.id}.raw`);
  expect(readlinkSync(image.path)).toBe(file);
  expect(readdirSync(dirname(file))).toEqual([`${image.id}.raw`]);
  expect(readdirSync(join(home, 'images'))).toEqual([`${image.id}.raw`]);
  // The same again is the same, wherever that lies.
  await ended(client, await client.call('image.import', { path: join(home, 'Base.img') }));
  expect(readdirSync(dirname(file))).toEqual([`${image.id}.raw`]);

  const make = async (name: string, more: object = {}) => {
    const source = { kind: 'image', imageId: image.id } as const;
    const { guest, job } = await client.call('guest.create', { source, choices: { name, shareImage: true, ...more } });
    expect(await ended(client, job)).toMatchObject({ state: 'succeeded', error: null });
    return guest;
  };
  const liesIn = (id: string) => {
    const folder = join(home, 'guests', id);
    return lstatSync(folder).isSymbolicLink() ? dirname(dirname(dirname(readlinkSync(folder)))) : home;
  };
  const guest = await make('There');
  expect(liesIn(guest.id)).toBe(disk.path);
  expect(liesIn((await make('Here', { location: null })).id)).toBe(home);
  await client.call('settings.set', { guestLocation: null });
  expect(liesIn((await make('By name', { location: 'Second disk' })).id)).toBe(disk.path);
  for (const [name, more, where] of [
    ['Copy', { share: false, location }, disk.path],
    ['Linked', { share: true }, home],
  ] as const) {
    const { guests: made, job } = await client.call('guest.clone', { guest: guest.id, name, ...more });
    expect(await ended(client, job)).toMatchObject({ state: 'succeeded', error: null });
    expect([name, liesIn(made[0]?.id ?? '')]).toEqual([name, where]);
  }
  expect(await codeOf(make('No', { location: 'nowhere' }))).toBe('storage/location-unknown');

  // What is made where the disk is not mounted is refused, and makes nothing.
  await client.call('settings.set', { guestLocation: location });
  disk.unmount();
  expect(await codeOf(make('No'))).toBe('storage/location-away');
  expect(await ended(client, await client.call('image.import', { path: noise(join(home, 'other.img'), 2) }))).toMatchObject({
    error: { code: 'storage/location-away' },
  });
  if (existsSync(disk.path)) expect(readdirSync(disk.path)).toEqual([]);
  disk.mount();

  await client.call('image.delete', { image: image.id }).catch(() => undefined);
  for (const { id } of await client.call('guest.list', {})) {
    await client.call('guest.delete', { guest: id });
    await ended(client, await client.call('guest.purge', { guest: id }));
  }
  await until('who builds upon the image is forgotten', async () =>
    (await client.call('image.list', {})).every(({ builtUponBy }) => builtUponBy.length === 0),
  );
  await client.call('image.delete', { image: image.id });
  expect(readdirSync(dirname(file))).toEqual([]);
  for (const kind of ['guests', 'layers']) expect([kind, readdirSync(join(disk.path, 'guesthouse-store', kind))]).toEqual([kind, []]);
  await client.call('storage.removeLocation', { location });
  expect(await client.call('settings.get', {})).toMatchObject({ guestLocation: null, imageLocation: null });
}, 120_000);

testWithMount('what must stay free stays free in each location: nothing is begun that does not fit there', async () => {
  const { home, client } = await scene();
  const small = await smallFileSystem(24);
  const { id: location } = await client.call('storage.addLocation', { path: small, name: 'Small' });
  const image = await imported({ home, client }, 'Base', 20);
  const there = () =>
    ['guests', 'layers'].flatMap((kind) =>
      existsSync(join(small, 'guesthouse-store', kind)) ? readdirSync(join(small, 'guesthouse-store', kind)) : [],
    );
  const source = { kind: 'image', imageId: image.id } as const;
  expect(await codeOf(client.call('guest.create', { source, choices: { name: 'Copy', shareImage: false, location } }))).toBe('store/full');
  const { guest, job } = await client.call('guest.create', { source, choices: { name: 'Small', shareImage: true, location } });
  expect((await ended(client, job)).state).toBe('succeeded');
  const disk = join(home, 'guests', guest.id, 'disk0.qcow2');
  expect(statSync(disk).dev).toBe(statSync(small).dev);

  await client.call('settings.set', { keepFreeMiB: 23, imageLocation: location });
  writeFileSync(join(small, 'filler'), Buffer.alloc(2 * mib));
  const denied = [
    await ended(client, await client.call('image.import', { path: noise(join(home, 'more.img'), 2) })),
    await ended(client, (await client.call('snapshot.create', { guest: guest.id, name: 'No' })).job),
  ];
  expect(denied.map(({ error }) => error?.code)).toEqual(['store/full', 'store/full']);
  expect(await codeOf(client.call('guest.clone', { guest: guest.id, name: 'No', location }))).toBe('store/full');
  expect(there()).toEqual([guest.id]);
  expect(readdirSync(join(small, 'guesthouse-images'))).toEqual([]);
  execFileSync('qemu-img', ['info', disk]);
});

test('an engine that is killed while it imports into a location leaves no trace of it there but the image', async () => {
  const { home, client: first, disk, location } = await scene();
  let client = first;
  await client.call('settings.set', { imageLocation: location });
  for (const afterMs of [0, 30, 90]) {
    const job = await client.call('image.import', { path: noise(join(home, `big-${afterMs}.img`), 40) });
    await new Promise((settle) => setTimeout(settle, afterMs));
    await killEngine(client);
    client = await connectTo(home);
    expect(await ended(client, job)).toMatchObject({ state: 'succeeded', error: null });
    const images = (await client.call('image.list', {})).map((image) => `${image.id}.raw`).sort();
    expect(readdirSync(join(disk.path, 'guesthouse-images')).sort()).toEqual(images);
    expect(readdirSync(join(home, 'images')).sort()).toEqual(images);
    for (const { id } of await client.call('image.list', {})) await client.call('image.delete', { image: id });
  }
  client.close();
}, 90_000);

test('what is left over in a location is listed and deleted when asked, and what others put there is not touched', async () => {
  const { home, client, disk } = await scene();
  const { path } = disk;
  const old = (...files: string[]) => {
    for (const file of files) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, Buffer.alloc(100_000, 7));
      utimesSync(file, new Date('2026-01-01'), new Date('2026-01-01'));
    }
  };
  const ours = ['guesthouse-images/i00000000a.raw', 'guesthouse-store/guests/g00000000a', 'guesthouse-store/layers/l00000000a.arriving'];
  old(join(path, ours[0] ?? ''), join(path, ours[1] ?? '', 'disk0.qcow2'), join(path, ours[2] ?? '', 'disk.qcow2'));
  const foreign = ['guesthouse-images/holiday.raw', 'guesthouse-store/guests/notes/a', 'guesthouse-store/readme', 'mine/i00000000a.raw'];
  old(...foreign.map((name) => join(path, name)));
  // What belongs to something is nobody's business here.
  const image = await imported({ home, client }, 'Base');
  expect((await ended(client, await client.call('image.move', { image: image.id, location: 'Second disk' }))).state).toBe('succeeded');
  const moved = join(path, 'guesthouse-images', `${image.id}.raw`);
  utimesSync(moved, new Date('2026-01-01'), new Date('2026-01-01'));

  const orphans = async () => (await client.call('storage.report', {})).orphans;
  expect((await orphans()).map((orphan) => orphan.path).sort()).toEqual(ours.map((name) => join(path, name)).sort());
  expect((await orphans()).every(({ what, use }) => what.includes('Second disk') && use.realBytes >= 100_000)).toBe(true);
  const refused = [...foreign.map((name) => join(path, name)), moved, path, '/etc/hostname'];
  for (const one of refused)
    expect([one, await codeOf(client.call('storage.deleteOrphan', { path: one }))]).toEqual([one, 'storage/not-an-orphan']);
  for (const name of ours) await client.call('storage.deleteOrphan', { path: join(path, name) });
  expect(await orphans()).toEqual([]);
  for (const name of ours) expect([name, existsSync(join(path, name))]).toEqual([name, false]);
  for (const name of foreign) expect([name, existsSync(join(path, name))]).toEqual([name, true]);
  expect(existsSync(moved)).toBe(true);
  // Another data folder has no business there.
  const other = await engineHome();
  const stranger = await connectTo(other);
  onTestFinished(() => stranger.close());
  expect(await codeOf(stranger.call('storage.addLocation', { path, name: 'Mine too' }))).toBe('storage/location-invalid');
});
