/** Images that lie in another storage location: moved there and back by a real engine, also one that is killed meanwhile. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Image } from '../../contract/image.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { codeOf, ended } from '../support/outcomes.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const mib = 1024 ** 2;
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

async function engine() {
  const home = await engineHome();
  const client = await connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'no-starter') } });
  onTestFinished(() => client.close());
  return { home, client };
}

function otherFolder(): string {
  const path = mkdtempSync('/tmp/gh-other-');
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A raw disk full of noise, in the library. */
async function imported({ home, client }: { home: string; client: EngineClient }, sizeMiB = 20): Promise<Image> {
  const content = randomBytes(sizeMiB * mib);
  content.fill(0, 0, 512);
  content.writeUInt16LE(0xaa55, 510);
  writeFileSync(join(home, 'source.img'), content);
  await ended(client, await client.call('image.import', { path: join(home, 'source.img'), name: 'Base' }));
  rmSync(join(home, 'source.img'));
  const [image] = await client.call('image.list', {});
  if (!image) throw new Error('The image is not there.');
  return image;
}

test('an image moves to another location and back, and what builds upon it goes on doing so', async () => {
  const parts = await engine();
  const { home, client } = parts;
  const image = await imported(parts);
  const { guest } = await client.call('guest.create', {
    source: { kind: 'image', imageId: image.id },
    choices: { name: 'Upon', shareImage: true },
  });
  await until('the guest is made', async () => (await client.call('guest.show', { guest: guest.id })).state.status === 'off', 60_000);
  await until('who builds upon the image is told', async () =>
    (await client.call('image.list', {})).some(({ builtUponBy }) => builtUponBy.includes('Upon')),
  );
  const folder = otherFolder();
  const location = await client.call('storage.addLocation', { path: folder, name: 'Big disk' });
  expect(location).toMatchObject({ name: 'Big disk', path: folder, reachable: true });

  expect(await ended(client, await client.call('image.move', { image: image.id, location: location.id }))).toMatchObject({
    kind: 'image.move',
    state: 'succeeded',
  });
  const there = join(folder, 'guesthouse-images', `${image.id}.raw`);
  expect(lstatSync(image.path).isSymbolicLink()).toBe(true);
  expect(readlinkSync(image.path)).toBe(there);
  expect(sha256(there)).toBe(image.sha256);
  expect(statSync(there).mode & 0o777).toBe(0o400);
  const report = await client.call('storage.report', {});
  expect(report.images).toMatchObject([{ location: location.id, dependants: ['Upon'] }]);
  expect(report.locations).toMatchObject([{ id: location.id, images: ['Base'] }]);
  expect(report.guests[0]?.disks).toMatchObject([{ builtUpon: 1, sharedRealBytes: statSync(there).blocks * 512 }]);
  const argumentsOf = (await client.call('guest.arguments', { guest: guest.id })).arguments.join(' ');
  expect(argumentsOf).toContain(image.path);
  execFileSync('qemu-img', ['check', '-q', join(home, 'guests', guest.id, 'disk0.qcow2')]);
  expect(await codeOf(client.call('image.delete', { image: image.id }))).toBe('image/in-use');
  expect(await codeOf(client.call('storage.removeLocation', { location: location.id }))).toBe('storage/location-in-use');
  // Giving back room works where the file lies.
  expect((await ended(client, await client.call('image.reclaim', { image: image.id }))).state).toBe('succeeded');
  expect(lstatSync(image.path).isSymbolicLink()).toBe(true);

  expect((await ended(client, await client.call('image.move', { image: image.id, location: null }))).state).toBe('succeeded');
  expect(lstatSync(image.path).isFile()).toBe(true);
  expect(sha256(image.path)).toBe(image.sha256);
  expect(readdirSync(join(folder, 'guesthouse-images'))).toEqual([]);
  await client.call('storage.removeLocation', { location: 'Big disk' });
  expect(existsSync(folder)).toBe(true);
  expect((await client.call('storage.report', {})).locations).toEqual([]);
});

test('an engine that is killed while it moves an image goes on with it, and nothing is left of the old file', async () => {
  const parts = await engine();
  const { home } = parts;
  let { client } = parts;
  const image = await imported(parts, 300);
  const [first, second] = [otherFolder(), otherFolder()];
  const one = await client.call('storage.addLocation', { path: first, name: 'One' });
  const two = await client.call('storage.addLocation', { path: second, name: 'Two' });
  for (const [location, folder, before] of [
    [one, first, null],
    [two, second, first],
  ] as const) {
    const job = await client.call('image.move', { image: image.id, location: location.id });
    const there = join(folder, 'guesthouse-images', `${image.id}.raw`);
    await until('some of it', () => existsSync(`${there}.arriving`) || existsSync(there));
    await killEngine(client);
    client = await connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'no-starter') } });
    expect((await ended(client, job)).state).toBe('succeeded');
    expect(readlinkSync(image.path)).toBe(there);
    expect(sha256(there)).toBe(image.sha256);
    expect(readdirSync(join(folder, 'guesthouse-images'))).toEqual([`${image.id}.raw`]);
    if (before) expect(readdirSync(join(before, 'guesthouse-images'))).toEqual([]);
    expect(readdirSync(join(home, 'images'))).toEqual([`${image.id}.raw`]);
  }
  // What is deleted is gone there as well.
  await client.call('image.delete', { image: image.id });
  expect(readdirSync(join(second, 'guesthouse-images'))).toEqual([]);
  expect(readdirSync(join(home, 'images'))).toEqual([]);
  client.close();
}, 120_000);

test('a folder that cannot be a location is refused in words, and so is a location that is not there', async () => {
  const parts = await engine();
  const { home, client } = parts;
  const folder = otherFolder();
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'within'));
  const add = (path: string, name = 'Place') => codeOf(client.call('storage.addLocation', { path, name }));
  for (const path of ['relative', '/no/such/folder', join(folder, 'file'), home, join(home, 'images'), '/', '/proc'])
    expect([path, await add(path)]).toEqual([path, 'storage/location-invalid']);
  expect(await add(folder, '   ')).toBe('call/invalid-input');
  expect(await add(folder)).toBe('done');
  expect(await add(join(folder, 'within'), 'Within')).toBe('storage/location-invalid');
  expect(await add(otherFolder())).toBe('storage/location-invalid');
  const image = await imported(parts, 2);
  expect(await codeOf(client.call('image.move', { image: image.id, location: 'nowhere' }))).toBe('storage/location-unknown');
  rmSync(join(folder, 'guesthouse-images'), { recursive: true });
  expect(await codeOf(client.call('image.move', { image: image.id, location: 'Place' }))).toBe('storage/location-away');
  expect((await client.call('storage.report', {})).locations).toMatchObject([{ reachable: false, freeBytes: 0 }]);
});

testWithMount('a location keeps the free space that the settings ask for, and a move that does not fit changes nothing', async () => {
  const parts = await engine();
  const { client } = parts;
  const image = await imported(parts, 20);
  const folder = await smallFileSystem(24);
  await client.call('settings.set', { keepFreeMiB: 8 });
  const location = await client.call('storage.addLocation', { path: folder, name: 'Small' });
  expect(await ended(client, await client.call('image.move', { image: image.id, location: location.id }))).toMatchObject({
    state: 'failed',
    error: { code: 'store/full' },
  });
  expect(lstatSync(image.path).isFile()).toBe(true);
  expect(readdirSync(join(folder, 'guesthouse-images'))).toEqual([]);
});

test('no other link in place of an image is followed by what builds upon it', async () => {
  const parts = await engine();
  const { client } = parts;
  const image = await imported(parts, 2);
  const { guest } = await client.call('guest.create', {
    source: { kind: 'image', imageId: image.id },
    choices: { name: 'Upon', shareImage: true },
  });
  await until('the guest is made', async () => (await client.call('guest.show', { guest: guest.id })).state.status === 'off', 60_000);
  const builtUpon = async () => (await client.call('storage.report', {})).guests[0]?.disks[0]?.builtUpon;
  expect(await builtUpon()).toBe(1);
  const folder = otherFolder();
  for (const target of [join(folder, `${image.id}.raw`), '/etc/shadow']) {
    rmSync(image.path);
    if (target.startsWith(folder)) writeFileSync(target, randomBytes(1000));
    symlinkSync(target, image.path);
    expect([target, await builtUpon()]).toEqual([target, null]);
  }
});
