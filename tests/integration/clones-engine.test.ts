/** What the whole engine makes of clones: images below them, kills in the middle of it, and a computer that was restarted. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GuestId, ImageId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { codeOf, ended, succeeded } from '../support/outcomes.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const hashOf = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
const environment = { GUESTHOUSE_STARTER: '/tmp/no-starter' };

/** A disk image in the library that holds `pattern`. */
async function importDisk(client: EngineClient, home: string, name: string, pattern: number, dataMiB = 2): Promise<ImageId> {
  const path = join(home, `${name}.qcow2`);
  run('qemu-img', 'create', '-q', '-f', 'qcow2', path, '256M');
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 0x55 510 1', '-c', 'write -P 0xaa 511 1', '-c', `write -P ${pattern} 1M ${dataMiB}M`, path);
  const { target } = await succeeded(client, await client.call('image.import', { path, name }));
  return target.id as ImageId;
}

async function create(client: EngineClient, image: ImageId, name: string): Promise<GuestId> {
  const { guest, job } = await client.call(
    'guest.create',
    { source: { kind: 'image', imageId: image }, choices: { name } },
    { timeoutMs: 60_000 },
  );
  await succeeded(client, job);
  return guest.id;
}

const fileOf = async (client: EngineClient, home: string, guest: GuestId): Promise<string> => {
  const location = (await client.call('guest.show', { guest })).spec.disks[0]?.location;
  return join(home, 'guests', guest, location?.kind === 'store' ? location.file : '');
};
const holds = (path: string, pattern: number) =>
  !run('qemu-io', '-r', '-f', 'qcow2', '-c', `read -P ${pattern} 1M 1M`, path).includes('verification failed');
const baseOf = (path: string) => JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'qcow2', path))['backing-filename'];

test('a guest is moved to another version of its image while it holds nothing of its own, and made independent at any time', async () => {
  const home = await engineHome();
  const client = await connect(home, { environment });
  const [first, second] = [await importDisk(client, home, 'first', 1), await importDisk(client, home, 'second', 2)];
  const guest = await create(client, first, 'Mover');
  const disk = await fileOf(client, home, guest);
  expect(holds(disk, 1)).toBe(true);
  await succeeded(client, await client.call('guest.rebase', { guest, image: second }));
  expect([baseOf(disk), holds(disk, 2)]).toEqual([`../../images/${second}.qcow2`, true]);
  // What it built upon before is free to go.
  await client.call('image.delete', { image: first });

  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 9 16M 1M', disk);
  expect(await codeOf(client.call('guest.rebase', { guest, image: second }))).toBe('guest/has-own-data');
  const before = join(home, 'before.raw');
  run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', disk, before);
  await succeeded(client, await client.call('guest.flatten', { guest }));
  expect(baseOf(disk)).toBeUndefined();
  run('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'qcow2', before, disk);
  run('qemu-img', 'check', '-q', '-f', 'qcow2', disk);
  expect(await codeOf(client.call('guest.flatten', { guest }))).toBe('guest/stands-alone');
  expect(await codeOf(client.call('guest.rebase', { guest, image: second }))).toBe('guest/stands-alone');
  await client.call('image.delete', { image: second });
  client.close();
}, 120_000);

test('what is out of date is listed with who can be moved and why the others cannot, and those are moved and moved back', async () => {
  const home = await engineHome();
  const client = await connect(home, { environment });
  const [first, second] = [await importDisk(client, home, 'first', 1), await importDisk(client, home, 'second', 2)];
  await client.call('image.edit', { image: first, series: { name: 'Web' } });
  const names = ['Empty', 'Written', 'Copied', 'Trashed'];
  const made = new Map<string, GuestId>();
  for (const name of names) made.set(name, await create(client, first, name));
  const idOf = (name: string) => made.get(name) as GuestId;
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 9 16M 1M', await fileOf(client, home, idOf('Written')));
  await succeeded(client, await client.call('guest.flatten', { guest: idOf('Copied') }));
  await client.call('guest.delete', { guest: idOf('Trashed') });
  expect(await client.call('guest.planRebase', {})).toEqual([]);

  await client.call('image.edit', { image: second, series: { name: 'Web' } });
  const plan = await client.call('guest.planRebase', {});
  const reasons = Object.fromEntries(plan.map(({ name, problem }) => [name, problem?.message ?? 'fine']));
  expect(reasons).toEqual({
    Empty: 'fine',
    Written: expect.stringContaining('holds data of its own'),
    Copied: expect.stringContaining('build upon nothing'),
  });
  expect(plan[0]).toMatchObject({
    from: { imageId: first, series: { name: 'Web', version: 1 }, present: true },
    to: { imageId: second, imageName: 'second', series: { name: 'Web', version: 2 } },
  });
  expect(await client.call('guest.planRebase', { image: second })).toEqual(plan);
  expect(await client.call('guest.planRebase', { guests: [idOf('Empty')] })).toHaveLength(1);
  expect(await codeOf(client.call('guest.planRebase', { image: 'izzzzzzzzz' as ImageId }))).toBe('image/not-found');

  const disk = await fileOf(client, home, idOf('Empty'));
  await succeeded(client, await client.call('guest.rebase', { guest: idOf('Empty'), image: second }));
  expect(holds(disk, 2)).toBe(true);
  expect((await client.call('guest.planRebase', {})).map(({ name }) => name)).not.toContain('Empty');
  // The way back: an older version, named by who undoes it.
  expect(await client.call('guest.planRebase', { guests: [idOf('Empty')], image: first })).toMatchObject([{ problem: null }]);
  await succeeded(client, await client.call('guest.rebase', { guest: idOf('Empty'), image: first }));
  expect(holds(disk, 1)).toBe(true);
  client.close();
}, 120_000);

test('a template is made of an image, its hardware is edited, and guests made of it have that and the image’s data', async () => {
  const home = await engineHome();
  const client = await connect(home, { environment });
  const image = await importDisk(client, home, 'golden', 7);
  const disc = join(home, 'disc.iso');
  run('xorriso', '-as', 'mkisofs', '-quiet', '-V', 'DISC', '-o', disc, join(home, 'golden.qcow2'));
  const iso = (await succeeded(client, await client.call('image.import', { path: disc, name: 'disc' }))).target.id as ImageId;
  expect(await codeOf(client.call('image.makeTemplate', { image: iso }))).toBe('image/not-an-image');

  const made = await client.call('image.makeTemplate', { image, name: 'Golden web' });
  await succeeded(client, made.job);
  const template = await client.call('guest.show', { guest: made.guest.id });
  expect(template).toMatchObject({ state: { status: 'template' }, spec: { name: 'Golden web' }, origin: { kind: 'image', id: image } });
  expect(holds(await fileOf(client, home, template.id), 7)).toBe(true);
  expect(await codeOf(client.call('guest.start', { guest: template.id }))).toBe('guest/denied');
  expect(await codeOf(client.call('image.delete', { image }))).toBe('image/in-use');
  expect(await codeOf(client.call('image.makeTemplate', { image, name: 'golden WEB' }))).toBe('guest/name-taken');
  const second = await client.call('image.makeTemplate', { image });
  await succeeded(client, second.job);
  expect((await client.call('guest.show', { guest: second.guest.id })).spec.name).not.toBe('Golden web');

  const clone = async (name: string) => {
    const { guests, job } = await client.call('guest.clone', { guest: template.id, name });
    await succeeded(client, job);
    return client.call('guest.show', { guest: guests[0]?.id as GuestId });
  };
  const before = await clone('Before');
  const { disks } = (await client.call('guest.show', { guest: template.id })).spec;
  const change = { memoryMiB: 768, disks: disks.map((one) => ({ ...one, sizeBytes: 2 * 1024 ** 3 })) };
  const edited = await client.call('guest.edit', { guest: template.id, change });
  if (edited.job) await succeeded(client, edited.job);
  const after = await clone('After');
  expect([before.spec.memoryMiB, after.spec.memoryMiB]).toEqual([template.spec.memoryMiB, 768]);
  const disk = await fileOf(client, home, after.id);
  expect(JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'qcow2', disk))['virtual-size']).toBe(2 * 1024 ** 3);
  expect([holds(disk, 7), holds(await fileOf(client, home, before.id), 7)]).toEqual([true, true]);
  run('qemu-img', 'check', '-q', '-f', 'qcow2', await fileOf(client, home, template.id));
  const undone = await client.call('guest.undoEdit', { guest: template.id });
  if (undone.job) await succeeded(client, undone.job);
  const now = await client.call('guest.show', { guest: template.id });
  expect([now.state.status, now.spec.memoryMiB]).toEqual(['template', template.spec.memoryMiB]);
  client.close();
}, 120_000);

test('a base that somebody changed is told of at the start of the engine, and a verification says which it is', async () => {
  const home = await engineHome();
  const client = await connect(home, { environment });
  const [touched, changed] = [await importDisk(client, home, 'touched', 1), await importDisk(client, home, 'changed', 2)];
  await create(client, touched, 'Upon the touched');
  await create(client, changed, 'Upon the changed');
  await succeeded(client, await client.call('image.verify', {}));
  await killEngine(client);

  const fileOfImage = (id: ImageId) => join(home, 'images', `${id}.qcow2`);
  const soon = new Date(Date.now() + 60_000);
  await utimes(fileOfImage(touched), soon, soon);
  await chmod(fileOfImage(changed), 0o600);
  const bytes = await readFile(fileOfImage(changed));
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  await writeFile(fileOfImage(changed), bytes);
  await utimes(fileOfImage(changed), soon, soon);

  const next = await connect(home, { environment });
  const told = (await next.call('event.list', {})).filter(({ kind }) => kind === 'image.changed').map(({ text }) => text);
  expect(told).toHaveLength(2);
  expect(told.join()).toContain('The disks of “Upon the changed” build upon it');
  const failed = await ended(next, await next.call('image.verify', {}));
  expect(failed).toMatchObject({
    state: 'failed',
    error: { code: 'image/corrupt', message: expect.stringContaining('“changed”, upon which Upon the changed build') },
  });
  expect(failed.error?.message).not.toContain('touched');
  await succeeded(next, await next.call('image.verify', { image: touched }));
  expect(await codeOf(next.call('image.verify', { image: 'i000000000' as ImageId }))).toBe('image/not-found');
  next.close();
}, 120_000);

test.each([
  ['that share disks', true, 200],
  ['that are copied', false, 6],
] as const)(
  'an engine that is killed while it makes clones %s leaves nothing half made, and the original as it was',
  async (_, share, count) => {
    const home = await engineHome();
    let client = await connect(home, { environment });
    const image = await importDisk(client, home, 'base', 3, 128);
    const guest = await create(client, image, 'Original');
    run('qemu-io', '-f', 'qcow2', '-c', 'write -P 4 200M 40M', await fileOf(client, home, guest));
    const base = await hashOf(join(home, 'images', `${image}.qcow2`));
    const content = join(home, 'content.raw');
    run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', await fileOf(client, home, guest), content);

    const { job } = await client.call('guest.clone', { guest, name: 'clone-{n}', count, share });
    await until(
      'some clones are whole',
      async () => (await client.call('guest.list', {})).filter(({ state }) => state.status === 'off').length > 2,
      60_000,
    );
    await killEngine(client);
    client = await connect(home, { environment });
    expect((await ended(client, job)).state).toBe('succeeded');
    const guests = await client.call('guest.list', {});
    expect(guests.map(({ state }) => state.status).filter((status) => status !== 'off')).toEqual([]);
    expect(guests).toHaveLength(count + 1);
    for (const { id } of guests.slice(0, 12)) {
      const disk = await fileOf(client, home, id);
      run('qemu-img', 'check', '-q', '-f', 'qcow2', disk);
      run('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'qcow2', content, disk);
    }
    const left = readdirSync(join(home, 'guests')).flatMap((folder) => readdirSync(join(home, 'guests', folder)));
    expect(left.filter((name) => /arriving|\.new$/.test(name))).toEqual([]);
    expect(await hashOf(join(home, 'images', `${image}.qcow2`))).toBe(base);
    client.close();
  },
  240_000,
);

test('the base of a clone that runs is not deleted, and neither is what the clone was made of taken from it', async () => {
  const home = await engineHome();
  const client = await connect(home, { environment });
  const image = await importDisk(client, home, 'base', 5);
  const original = await create(client, image, 'Original');
  const { guests, job } = await client.call('guest.clone', { guest: original, name: 'Runner' });
  await succeeded(client, job);
  const clone = guests[0]?.id as GuestId;
  await client.call('guest.start', { guest: clone }, { timeoutMs: 60_000 });
  expect(await codeOf(client.call('image.delete', { image }))).toBe('image/in-use');
  await client.call('guest.delete', { guest: original });
  await succeeded(client, await client.call('guest.purge', { guest: original }));
  expect(await codeOf(client.call('image.delete', { image }))).toBe('image/in-use');
  await client.call('guest.forceOff', { guest: clone });
  await until('it is off', async () => (await client.call('guest.show', { guest: clone })).state.status === 'off');
  const disk = await fileOf(client, home, clone);
  expect(existsSync(disk)).toBe(true);
  expect(holds(disk, 5)).toBe(true);
  client.close();
}, 120_000);
