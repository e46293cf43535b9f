/** Disks that build upon an image of the store: what they hold, what they leave alone, and what may not happen to their base. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CreateChoices } from '../../contract/guest-creation.ts';
import type { GuestId, ImageId } from '../../contract/ids.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { codeOf } from '../support/outcomes.ts';
import { until } from '../support/until.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const hashOf = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
const who = 'root via test';

async function rooms(options: Parameters<typeof openRooms>[0] = {}): Promise<Rooms> {
  const opened = await openRooms(options);
  onTestFinished(() => opened.close());
  return opened;
}

/** An image in the library with some data, as qcow2 or raw. */
async function importDisk(engine: Rooms, format: 'qcow2' | 'raw', sizeMiB = 64): Promise<ImageId> {
  const path = join(engine.home, `source.${format}`);
  run('qemu-img', 'create', '-q', '-f', format, path, `${sizeMiB}M`);
  run('qemu-io', '-f', format, '-c', 'write -P 0x55 510 1', '-c', 'write -P 0xaa 511 1', '-c', 'write -P 7 1M 2M', path);
  const job = await engine.images.import(path, `A ${format} image`, who);
  const { target, state } = await engine.jobs.ended(job.id);
  if (state !== 'succeeded' || target.kind !== 'image' || !target.id) throw new Error('It was not imported.');
  return target.id;
}

async function create(engine: Rooms, imageId: ImageId, choices: CreateChoices) {
  const { guest, job } = await engine.creation.create({ kind: 'image', imageId }, choices, who);
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded', error: null });
  return guest.id;
}

const diskOf = (engine: Rooms, guest: GuestId) => engine.layout.guest(guest).disk('disk0.qcow2');
const infoOf = (path: string) => JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'qcow2', path));
test.each(['qcow2', 'raw'] as const)(
  'a guest of a %s image shares its blocks, and what it writes does not reach the image',
  async (format) => {
    const engine = await rooms();
    const imageId = await importDisk(engine, format);
    const { path, sha256 } = engine.images.show(imageId);
    expect((await engine.creation.plan({ kind: 'image', imageId }, {})).sharesImage).toBe(true);
    const disk = diskOf(engine, await create(engine, imageId, { name: 'Linked', diskGiB: 1 }));
    expect(infoOf(disk)).toMatchObject({
      'virtual-size': 1024 ** 3,
      'backing-filename': `../../images/${imageId}.${format}`,
      'backing-filename-format': format,
    });
    expect((await stat(disk)).size).toBeLessThan(1024 ** 2);
    run('qemu-img', 'compare', '-q', '-f', format, '-F', 'qcow2', path, disk);
    run('qemu-io', '-f', 'qcow2', '-c', 'write -P 9 0 4M', '-c', 'flush', disk);
    run('qemu-img', 'check', '-q', '-f', 'qcow2', disk);
    expect(await hashOf(path)).toBe(sha256);
    expect((await stat(path)).mode & 0o777).toBe(0o400);
  },
);

test('who wants a copy gets one that stands alone', async () => {
  const engine = await rooms();
  const imageId = await importDisk(engine, 'qcow2');
  expect((await engine.creation.plan({ kind: 'image', imageId }, { shareImage: false })).sharesImage).toBe(false);
  const disk = diskOf(engine, await create(engine, imageId, { name: 'Copy', shareImage: false }));
  expect(infoOf(disk)['backing-filename']).toBeUndefined();
  run('qemu-img', 'compare', '-q', '-f', 'qcow2', '-F', 'qcow2', engine.images.show(imageId).path, disk);
  await engine.images.delete(imageId);
});

test('a file of the user’s own cannot be shared, since it may change', async () => {
  const engine = await rooms();
  await importDisk(engine, 'qcow2');
  const source = { kind: 'disk', path: join(engine.home, 'source.qcow2'), inPlace: false } as const;
  const plan = await engine.creation.plan(source, { shareImage: true });
  expect(plan.notes).toContainEqual(expect.objectContaining({ path: 'shareImage', severity: 'problem' }));
  expect(await codeOf(engine.creation.create(source, { shareImage: true }, who))).toBe('guest/spec-invalid');
  expect(engine.guests.list()).toEqual([]);
});

test('an image that guests build upon is not deleted, names them, and can go when they have gone', async () => {
  const engine = await rooms();
  const imageId = await importDisk(engine, 'qcow2');
  const guest = await create(engine, imageId, { name: 'Dependant' });
  await expect(engine.images.delete(imageId)).rejects.toMatchObject({
    error: { code: 'image/in-use', message: expect.stringContaining('“Dependant”') },
  });
  expect(engine.images.list()).toHaveLength(1);
  engine.images.guestsChanged();
  await until('the image says who builds upon it', () => engine.images.show(imageId).builtUponBy.includes('Dependant'));
  await engine.guests.abandonCreation(guest);
  engine.images.guestsChanged();
  await until('the image says that nobody does', () => engine.images.show(imageId).builtUponBy.length === 0);
  await engine.images.delete(imageId);
});

test('an image deleted in the moment in which a guest is made of it goes or stays whole, and so does the guest', async () => {
  for (let round = 0; round < 8; round++) {
    const engine = await rooms();
    const imageId = await importDisk(engine, 'qcow2');
    const { guest, job } = await engine.creation.create({ kind: 'image', imageId }, { name: 'Raced' }, who);
    const deleted = await codeOf(engine.images.delete(imageId));
    const { state } = await engine.jobs.ended(job.id);
    expect([deleted, state]).toEqual(deleted === 'done' ? ['done', 'failed'] : ['image/in-use', 'succeeded']);
    if (state === 'succeeded') run('qemu-img', 'check', '-q', '-f', 'qcow2', diskOf(engine, guest.id));
    else await until('the guest to go', () => engine.guests.list().length === 0);
  }
});

test('while it cannot be read what a disk builds upon, no image is deleted', async () => {
  const engine = await rooms();
  const imageId = await importDisk(engine, 'qcow2');
  const disk = diskOf(engine, await create(engine, imageId, { name: 'Damaged', shareImage: false }));
  execFileSync('dd', ['if=/dev/zero', `of=${disk}`, 'bs=512', 'count=1', 'conv=notrunc', 'status=none']);
  await expect(engine.images.delete(imageId)).rejects.toMatchObject({
    error: { code: 'image/in-use', message: expect.stringContaining(disk) },
  });
});
