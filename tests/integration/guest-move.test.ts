/** Guests that move to another storage location and back, by a real engine on real file systems, also one that is killed meanwhile. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { codeOf, ended } from '../support/outcomes.ts';
import { secondDisk } from '../support/second-disk.ts';
import { canMount, smallFileSystem } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const mib = 1024 ** 2;

type Parts = { home: string; client: EngineClient };

async function engine(): Promise<Parts> {
  const home = await engineHome();
  const client = await connectTo(home);
  onTestFinished(() => client.close());
  await client.call('settings.set', { keepFreeMiB: 8 });
  return { home, client };
}

const connectTo = (home: string) => connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'no-starter') } });

async function succeeded(client: EngineClient, job: Promise<Pick<Job, 'id'>>): Promise<void> {
  expect(await ended(client, await job)).toMatchObject({ state: 'succeeded', error: null });
}

/** A guest upon an image of noise, with some data of its own. */
async function guestUponImage({ home, client }: Parts, sizeMiB = 8, name = 'Web'): Promise<Guest> {
  const content = randomBytes(sizeMiB * mib);
  content.fill(0, 0, 512);
  content.writeUInt16LE(0xaa55, 510);
  const source = join(home, `${name}.img`);
  writeFileSync(source, content);
  await succeeded(client, client.call('image.import', { path: source, name: `Image of ${name}` }));
  rmSync(source);
  const image = (await client.call('image.list', {})).find((one) => one.name === `Image of ${name}`);
  if (!image) throw new Error('The image is not there.');
  const { guest, job } = await client.call('guest.create', {
    source: { kind: 'image', imageId: image.id },
    choices: { name, shareImage: true, memoryMiB: 64 },
  });
  await succeeded(client, Promise.resolve(job));
  return client.call('guest.show', { guest: guest.id });
}

/** Paths in the store of a guest's disks. */
async function disksOf({ home, client }: Parts, id: GuestId): Promise<string[]> {
  const { spec } = await client.call('guest.show', { guest: id });
  return spec.disks.map(({ location }) => join(home, 'guests', id, location.kind === 'store' ? location.file : ''));
}

/** A disk with its chain, each file named by us: names in headers are taken as names in the store. */
function namedChain(path: string): string {
  const node = (file: string): object => {
    const info = JSON.parse(execFileSync('qemu-img', ['info', '-U', '--output=json', file], { encoding: 'utf8' }));
    const base: string | undefined = info['backing-filename'];
    const same = { driver: info.format, file: { driver: 'file', filename: file } };
    return info.format === 'raw' ? same : { ...same, backing: base === undefined ? null : node(resolve(dirname(file), base)) };
  };
  return `json:${JSON.stringify(node(path))}`;
}

function writePattern(path: string, pattern: number, offset: number, length: number): void {
  execFileSync('qemu-io', ['-c', `write -P ${pattern} ${offset} ${length}`, namedChain(path)], { stdio: 'ignore' });
}

/** SHA-256 of what a guest reads. */
function contentOf(path: string): string {
  const raw = `/tmp/gh-move-${process.pid}.raw`;
  try {
    execFileSync('qemu-img', ['convert', '-U', '-O', 'raw', namedChain(path), raw]);
    return createHash('sha256').update(readFileSync(raw)).digest('hex');
  } finally {
    rmSync(raw, { force: true });
  }
}

const locationOf = (folder: string) => (lstatSync(folder).isSymbolicLink() ? dirname(dirname(dirname(readlinkSync(folder)))) : null);
const layersIn = (home: string, location: string | null) =>
  readdirSync(join(home, 'layers')).filter((id) => locationOf(join(home, 'layers', id)) === location);

async function snapshot(client: EngineClient, guest: GuestId, name: string): Promise<string> {
  const made = await client.call('snapshot.create', { guest, name });
  await succeeded(client, Promise.resolve(made.job));
  return made.snapshot.id;
}

test('a guest moves with its snapshots to another file system, is worked with there, and what others need stays where it is', async () => {
  const parts = await engine();
  const { home, client } = parts;
  const guest = await guestUponImage(parts);
  const disk = async () => (await disksOf(parts, guest.id))[0] as string;
  writePattern(await disk(), 1, 0, mib);
  const first = await snapshot(client, guest.id, 'First');
  const atFirst = contentOf(await disk());
  writePattern(await disk(), 2, mib, mib);
  const before = contentOf(await disk());
  const { path } = await secondDisk(200);
  const location = await client.call('storage.addLocation', { path, name: 'Second disk' });
  expect(readFileSync(join(path, 'guesthouse-store', 'location'), 'utf8').trim()).toBe(location.id);

  await succeeded(client, client.call('guest.move', { guest: guest.id, location: location.id }));
  const folder = join(home, 'guests', guest.id);
  expect(readlinkSync(folder)).toBe(join(path, 'guesthouse-store', 'guests', guest.id));
  expect(statSync(folder).dev === statSync(home).dev).toBe(!canMount);
  expect(layersIn(home, path)).toHaveLength(1);
  expect(layersIn(home, null)).toEqual([]);
  expect(readdirSync(join(home, 'guests'))).toEqual([guest.id]);
  expect(contentOf(await disk())).toBe(before);
  for (const id of layersIn(home, path)) expect(statSync(join(home, 'layers', id, 'disk.qcow2')).mode & 0o777).toBe(0o400);
  expect(await client.call('storage.places', {})).toMatchObject({
    locations: [{ id: location.id, reachable: true }],
    guests: { [guest.id]: location.id },
  });

  // What is done with it afterwards is done there.
  await snapshot(client, guest.id, 'Second');
  writePattern(await disk(), 3, 2 * mib, mib);
  expect(layersIn(home, path)).toHaveLength(2);
  const edit = await client.call('guest.edit', { guest: guest.id, change: { disks: [...guest.spec.disks, { sizeBytes: 4 * mib }] } });
  await succeeded(client, Promise.resolve(edit.job as Job));
  expect(statSync((await disksOf(parts, guest.id))[1] as string).dev).toBe(statSync(path).dev);
  await succeeded(client, client.call('guest.reclaim', { guest: guest.id }));
  const grown = contentOf(await disk());
  const { guests: clones, job } = await client.call('guest.clone', { guest: guest.id, name: 'Clone', share: true });
  await succeeded(client, Promise.resolve(job));
  const clone = clones[0] as Guest;
  const cloneDisk = (await disksOf(parts, clone.id))[0] as string;
  expect(locationOf(dirname(cloneDisk))).toBe(null);
  expect([contentOf(cloneDisk), contentOf(await disk())]).toEqual([grown, grown]);
  const shared = layersIn(home, path);
  expect(shared.length).toBeGreaterThanOrEqual(3);

  // The clone needs these layers: they stay, and the guest goes home without them.
  await succeeded(client, client.call('guest.move', { guest: guest.id, location: null }));
  expect(lstatSync(folder).isDirectory()).toBe(true);
  expect(layersIn(home, path)).toEqual(shared);
  expect(contentOf(await disk())).toBe(grown);
  expect(readdirSync(join(path, 'guesthouse-store', 'guests'))).toEqual([]);
  const report = await client.call('storage.report', {});
  expect(report.locations).toMatchObject([{ guests: [], neededBy: expect.arrayContaining(['Web', 'Clone']) }]);
  expect(report.orphans).toEqual([]);
  expect(await codeOf(client.call('storage.removeLocation', { location: location.id }))).toBe('storage/location-in-use');
  await succeeded(
    client,
    client.call('snapshot.revert', { snapshot: first as never, keepPresent: false }).then((one) => one as Job),
  );
  expect(contentOf(await disk())).toBe(atFirst);
  expect(contentOf(cloneDisk)).toBe(grown);

  // Without the clone the layers are the guest's own again, and follow it.
  await client.call('guest.delete', { guest: clone.id });
  await succeeded(client, client.call('guest.purge', { guest: clone.id }));
  await succeeded(client, client.call('guest.move', { guest: guest.id, location: 'Second disk' }));
  await succeeded(client, client.call('guest.move', { guest: guest.id, location: null }));
  expect(layersIn(home, path)).toEqual([]);
  expect(contentOf(await disk())).toBe(atFirst);
  expect((await client.call('job.list', {})).filter(({ state }) => state === 'failed')).toEqual([]);
  await client.call('storage.removeLocation', { location: location.id });
  expect(existsSync(join(path, 'guesthouse-store'))).toBe(false);
}, 120_000);

/** What `look` says of the folder, or null when another took its place meanwhile, which takes two renames and leaves nothing there between them. */
function betweenSwitches(folder: string, look: () => string): string | null {
  const identity = () => lstatSync(folder, { throwIfNoEntry: false })?.ino;
  const before = identity();
  try {
    const seen = look();
    return identity() === before ? seen : null;
  } catch (error) {
    if (before === undefined || identity() !== before) return null;
    throw error;
  }
}

test('an engine that is killed at any moment of a move leaves the guest whole on one side, and the next one finishes', async () => {
  const parts = await engine();
  const { home } = parts;
  let { client } = parts;
  const guest = await guestUponImage(parts, 8);
  const disk = async () => (await disksOf({ home, client }, guest.id))[0] as string;
  writePattern(await disk(), 1, 0, 8 * mib);
  await snapshot(client, guest.id, 'Kept');
  writePattern(await disk(), 2, 0, 8 * mib);
  const content = contentOf(await disk());
  const { path } = await secondDisk(200);
  const location = await client.call('storage.addLocation', { path, name: 'Other' });
  const folder = join(home, 'guests', guest.id);
  for (let round = 0; round < 14; round++) {
    const target = round % 2 === 0 ? location.id : null;
    const job = await client.call('guest.move', { guest: guest.id, location: target });
    const afterMs = Math.random() * 160;
    await new Promise((settle) => setTimeout(settle, afterMs));
    await killEngine(client);
    client = await connectTo(home);
    const said = `round ${round}, killed after ${Math.round(afterMs)} ms`;
    // While it is moved once more it is on one side or the other, and whole.
    const file = await disk();
    const seen = await until('a look in which nothing took the folder’s place', () => betweenSwitches(folder, () => contentOf(file)));
    expect([said, seen]).toEqual([said, content]);
    const { state, error } = await ended(client, job);
    expect([said, state, error]).toEqual([said, 'succeeded', null]);
    expect([said, contentOf(await disk())]).toEqual([said, content]);
    expect([said, locationOf(folder)]).toEqual([said, target === null ? null : path]);
    expect([said, readdirSync(join(home, 'guests')), readdirSync(join(home, 'layers')).length]).toEqual([said, [guest.id], 1]);
    for (const kind of ['guests', 'layers'])
      expect([said, kind, readdirSync(join(path, 'guesthouse-store', kind)).length]).toEqual([said, kind, target === null ? 0 : 1]);
  }
  client.close();
}, 240_000);

test('a move that is cancelled, does not fit, or would overwrite something changes nothing', async () => {
  const parts = await engine();
  const { home, client } = parts;
  const guest = await guestUponImage(parts, 60);
  const [disk = ''] = await disksOf(parts, guest.id);
  writePattern(disk, 1, 0, 60 * mib);
  const content = contentOf(disk);
  const { path } = await secondDisk(200);
  await client.call('storage.addLocation', { path, name: 'Other' });
  const there = join(path, 'guesthouse-store', 'guests');
  const untouched = () => {
    expect(lstatSync(join(home, 'guests', guest.id)).isDirectory()).toBe(true);
    expect(readdirSync(join(home, 'guests'))).toEqual([guest.id]);
    expect(contentOf(disk)).toBe(content);
  };

  const job = await client.call('guest.move', { guest: guest.id, location: 'Other' });
  await until('some of it', () => existsSync(join(there, `${guest.id}.arriving`)) || existsSync(join(there, guest.id)));
  const denied = await codeOf(client.call('guest.start', { guest: guest.id }));
  await client.call('job.cancel', { job: job.id }).catch(() => undefined);
  const end = await ended(client, job);
  if (end.state === 'cancelled') {
    expect(denied).toBe('guest/denied');
    untouched();
    expect(readdirSync(there)).toEqual([]);
  } else await succeeded(client, client.call('guest.move', { guest: guest.id, location: null }));
  untouched();

  mkdirSync(join(there, guest.id), { recursive: true });
  writeFileSync(join(there, guest.id, 'mine'), 'not theirs');
  expect(await ended(client, await client.call('guest.move', { guest: guest.id, location: 'Other' }))).toMatchObject({
    state: 'failed',
    error: { code: 'storage/copy-in-the-way' },
  });
  expect(readFileSync(join(there, guest.id, 'mine'), 'utf8')).toBe('not theirs');
  untouched();

  expect(await codeOf(client.call('guest.move', { guest: guest.id, location: 'nowhere' }))).toBe('storage/location-unknown');
  if (!canMount) return;
  const small = await smallFileSystem(40);
  await client.call('storage.addLocation', { path: small, name: 'Small' });
  const full = await ended(client, await client.call('guest.move', { guest: guest.id, location: 'Small' }));
  expect(full).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(readdirSync(join(small, 'guesthouse-store', 'guests'))).toEqual([]);
  untouched();
}, 120_000);

test('while its location is not there a guest says where it lies, nothing is cleaned up, and it is back with its location', async () => {
  const parts = await engine();
  const { home } = parts;
  let { client } = parts;
  const guest = await guestUponImage(parts);
  const disk = async () => (await disksOf({ home, client }, guest.id))[0] as string;
  writePattern(await disk(), 1, 0, mib);
  const kept = await snapshot(client, guest.id, 'Kept');
  writePattern(await disk(), 2, mib, mib);
  const content = contentOf(await disk());
  const second = await secondDisk(200);
  const location = await client.call('storage.addLocation', { path: second.path, name: 'Stick' });
  await succeeded(client, client.call('guest.move', { guest: guest.id, location: location.id }));
  const { guests: clones, job } = await client.call('guest.clone', { guest: guest.id, name: 'Clone', share: true });
  await succeeded(client, Promise.resolve(job));
  const clone = clones[0] as Guest;

  second.unmount();
  // Also an engine that starts anew, which looks for what nobody needs any more, takes nothing for gone.
  for (const anew of [false, true]) {
    if (anew) {
      await client.call('engine.stop', {});
      client.close();
      await until('the engine to end', () => !existsSync(join(home, 'run', 'engine.sock')));
      client = await connectTo(home);
    }
    for (const id of [guest.id, clone.id]) {
      const failure = await client.call('guest.start', { guest: id }).then(
        () => null,
        (thrown) => thrown.error,
      );
      expect(failure).toMatchObject({ code: 'storage/location-away', message: expect.stringContaining(second.path) });
    }
    const others = [
      client.call('snapshot.create', { guest: guest.id, name: 'No' }).then((made) => failed(client, made.job)),
      client.call('guest.reclaim', { guest: guest.id }).then((one) => failed(client, one)),
      client.call('guest.move', { guest: guest.id, location: null }),
      client.call('guest.move', { guest: clone.id, location: 'Stick' }),
    ];
    expect(await Promise.all(others.map(codeOf))).toEqual(others.map(() => 'storage/location-away'));
    const [image] = await client.call('image.list', {});
    if (image) expect(await codeOf(client.call('image.delete', { image: image.id }))).toBe('image/in-use');
    expect(await codeOf(client.call('storage.removeLocation', { location: 'Stick' }))).toBe('storage/location-in-use');
    const report = await client.call('storage.report', {});
    expect(report.locations).toMatchObject([{ reachable: false, guests: ['Web'] }]);
    expect(report.guests.find(({ id }) => id === guest.id)).toMatchObject({ location: location.id });
    expect(report.orphans).toEqual([]);
    // Into the trash and back it goes by its name; for good it does not go.
    await client.call('guest.delete', { guest: guest.id });
    expect(await failed(client, await client.call('guest.purge', { guest: guest.id })).catch((thrown) => thrown.error.code)).toBe(
      'storage/location-away',
    );
    await client.call('guest.restore', { guest: guest.id });
    expect(existsSync(second.path) ? readdirSync(second.path) : []).toEqual([]);
  }

  second.mount();
  expect(contentOf(await disk())).toBe(content);
  expect(contentOf((await disksOf({ home, client }, clone.id))[0] as string)).toBe(content);
  await succeeded(
    client,
    client.call('snapshot.revert', { snapshot: kept as never, keepPresent: true }).then((one) => one as Job),
  );
  await succeeded(client, client.call('guest.move', { guest: guest.id, location: null }));
  await client.call('guest.start', { guest: guest.id });
  // What runs does not move.
  expect(await codeOf(client.call('guest.move', { guest: guest.id, location: 'Stick' }))).toBe('guest/denied');
  await client.call('guest.forceOff', { guest: guest.id });
  client.close();
}, 180_000);

async function failed(client: EngineClient, job: Pick<Job, 'id'>): Promise<never> {
  const { error } = await ended(client, job);
  throw Object.assign(new Error(error?.message), { error });
}
