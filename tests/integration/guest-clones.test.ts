/** Clones, templates and disposable guests, over real files, the real guests' actors and, where a guest runs, real QEMU. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CloneRequest } from '../../contract/guest-clone.ts';
import type { GuestSpec } from '../../contract/guest-spec.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import { diskOf, nicOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { addGuest, addStarter, type Bench, blankSpec, openBench, untilBooted, untilStatus } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const hashOf = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
const who = 'root via test';
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (thrown: { error: { code: string; message: string } }) => `${thrown.error.code}: ${thrown.error.message}`,
  );

async function bench(): Promise<Bench> {
  const opened = await openBench();
  onTestFinished(() => opened.dispose());
  return opened;
}

/** A guest that has data on its disk, UEFI variables and a forwarded port. */
async function addOriginal(engine: Bench, more: Partial<GuestSpec> = {}): Promise<GuestId> {
  const forward = { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 22_022, guestPort: 22 } as const;
  const id = await addGuest(
    engine,
    blankSpec({
      disks: [diskOf({ sizeBytes: 64 * 1024 ** 2 })],
      nics: [nicOf({ forwards: [forward] })],
      ...more,
    }),
  );
  const files = engine.layout.guest(id);
  run('qemu-img', 'create', '-q', '-f', 'qcow2', files.disk('disk0.qcow2'), '64M');
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 7 1M 2M', files.disk('disk0.qcow2'));
  await writeFile(files.nvram, 'variables');
  await mkdir(files.tpmState);
  await writeFile(join(files.tpmState, 'tpm2-00.permall'), 'keys');
  return id;
}

function mustHaveSucceeded({ state, error }: Job): void {
  if (state !== 'succeeded') throw { error };
}

async function clone(engine: Bench, request: CloneRequest) {
  const { guests, job } = await engine.clones.clone(request, who);
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded', error: null });
  return guests.map(({ id }) => engine.guests.show(id));
}

const diskOfGuest = (engine: Bench, id: GuestId): string => {
  const location = engine.guests.show(id).spec.disks[0]?.location;
  return engine.layout.guest(id).disk(location?.kind === 'store' ? location.file : '');
};
const layersOf = (engine: Bench) => readdirSync(engine.layout.layers).map((id) => join(engine.layout.layers, id, 'disk.qcow2'));
const baseOf = (path: string) => JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'qcow2', path))['backing-filename'];

test('a linked clone shares the original’s data, is another computer, and what it writes reaches neither base nor original', async () => {
  const engine = await bench();
  const id = await addOriginal(engine);
  const [copy] = await clone(engine, { guest: id, name: 'Copy' });
  if (!copy) throw new Error('No clone.');
  const original = engine.guests.show(id);
  expect(copy).toMatchObject({ state: { status: 'off' }, origin: { kind: 'guest', id, name: original.spec.name } });
  expect(copy.spec.uuid).not.toBe(original.spec.uuid);
  expect(copy.spec.nics[0]?.mac).not.toBe(original.spec.nics[0]?.mac);
  expect(copy.spec.nics[0]?.forwards[0]?.hostPort).toBe(22_023);
  const [layer] = layersOf(engine) as [string];
  const before = await hashOf(layer);
  run('qemu-img', 'compare', '-q', '-f', 'qcow2', '-F', 'qcow2', diskOfGuest(engine, id), diskOfGuest(engine, copy.id));
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 9 0 8M', diskOfGuest(engine, copy.id));
  run('qemu-io', '-r', '-f', 'qcow2', '-c', 'read -P 7 1M 2M', diskOfGuest(engine, id));
  for (const path of [layer, diskOfGuest(engine, id), diskOfGuest(engine, copy.id)]) run('qemu-img', 'check', '-q', '-f', 'qcow2', path);
  expect(await hashOf(layer)).toBe(before);
  const files = engine.layout.guest(copy.id);
  expect(await readFile(files.nvram, 'utf8')).toBe('variables');
  expect(existsSync(files.tpmState)).toBe(false);
});

test('fifty clones in one job have fifty names, addresses and disks upon one layer', async () => {
  const engine = await bench();
  const id = await addOriginal(engine);
  await addGuest(engine, blankSpec({ name: 'WEB-07' }));
  const clones = await clone(engine, { guest: id, name: 'web-{nn}', count: 50 });
  expect(clones.map(({ spec }) => spec.name).slice(0, 8)).toEqual([
    'web-01',
    'web-02',
    'web-03',
    'web-04',
    'web-05',
    'web-06',
    'web-08',
    'web-09',
  ]);
  const columns: unknown[][] = [
    clones.map(({ spec }) => spec.name),
    clones.map(({ spec }) => spec.uuid),
    clones.map(({ spec }) => spec.nics[0]?.mac),
    clones.map(({ spec }) => spec.nics[0]?.forwards[0]?.hostPort),
  ];
  for (const column of columns) expect(new Set(column).size).toBe(50);
  expect(layersOf(engine)).toHaveLength(1);
  expect(new Set(clones.map((one) => baseOf(diskOfGuest(engine, one.id)))).size).toBe(1);
  // Nothing was written to the original since, so that more clones make no further layer.
  await clone(engine, { guest: id, name: 'more', count: 2 });
  expect(layersOf(engine)).toHaveLength(1);
});

test('a full clone stands alone, with the TPM where that is asked for', async () => {
  const engine = await bench();
  const id = await addOriginal(engine, { tpm: true });
  const [linked] = await clone(engine, { guest: id, name: 'Linked' });
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 5 8M 1M', diskOfGuest(engine, linked?.id as GuestId));
  // Of a guest with a chain below it, all of the chain is copied.
  const [full] = await clone(engine, { guest: linked?.id as GuestId, name: 'Full', share: false });
  const disk = diskOfGuest(engine, full?.id as GuestId);
  expect(baseOf(disk)).toBeUndefined();
  run('qemu-img', 'compare', '-q', '-f', 'qcow2', '-F', 'qcow2', diskOfGuest(engine, linked?.id as GuestId), disk);
  const [twin] = await clone(engine, { guest: id, name: 'Twin', keepTpm: true });
  expect(await readFile(join(engine.layout.guest(twin?.id as GuestId).tpmState, 'tpm2-00.permall'), 'utf8')).toBe('keys');
});

test('a disk that cannot be frozen is copied, and who insists on sharing it is told why', async () => {
  const engine = await bench();
  const path = join(engine.home, 'mine.raw');
  run('qemu-img', 'create', '-q', '-f', 'raw', path, '16M');
  run('qemu-io', '-f', 'raw', '-c', 'write -P 3 0 1M', path);
  const disk = diskOf({ location: { kind: 'in-place', path }, format: 'raw', sizeBytes: 16 * 1024 ** 2 });
  const id = await addGuest(engine, blankSpec({ name: 'In place', disks: [disk] }));
  expect(await engine.clones.plan({ guest: id, name: 'Copy' })).toMatchObject({
    share: false,
    shareProblem: expect.stringContaining(path),
  });
  expect(await codeOf(engine.clones.clone({ guest: id, name: 'Copy', share: true }, who))).toContain('layer/not-freezable');
  const [copy] = await clone(engine, { guest: id, name: 'Copy' });
  run('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'qcow2', path, diskOfGuest(engine, copy?.id as GuestId));
  await writeFile(path, Buffer.alloc(0));
});

test('what cannot be cloned, or not so, is said and changes nothing', async () => {
  const engine = await bench();
  const id = await addOriginal(engine, {
    name: 'Original',
    os: { id: 'win11', name: 'Windows 11', family: 'windows', version: '11', distro: null },
  });
  const refused = async (request: Partial<CloneRequest>) => codeOf(engine.clones.clone({ guest: id, name: 'Copy', ...request }, who));
  expect(await refused({ name: 'original' })).toBe('guest/name-taken: There is a guest named “original” already.');
  expect(await refused({ name: 'a/b' })).toContain('guest/name-invalid');
  expect(await refused({ newIdentity: true })).toBe(
    'guest/spec-invalid: Windows keeps its identity. Prepare the original with Sysprep before it is cloned.',
  );
  expect(await refused({ guest: 'g000000000' as GuestId })).toContain('guest/not-found');
  await engine.guests.delete(id);
  expect(await refused({})).toContain('guest/denied');
  expect(engine.guests.list()).toEqual([]);
  expect(engine.jobs.list()).toEqual([]);
});

test('a template is not started, makes guests, and is no guest again while they build upon it', async () => {
  const engine = await bench();
  const id = await addOriginal(engine, { name: 'Golden' });
  expect(engine.clones.makeTemplate(id).state.status).toBe('template');
  expect(await codeOf(engine.guests.start(id))).toBe('guest/denied: The guest is a template. Make a new guest from it.');
  await engine.reopen();
  expect(engine.guests.show(id).state.status).toBe('template');
  const [copy] = await clone(engine, { guest: id, name: 'Copy' });
  expect(copy?.state.status).toBe('off');
  expect(await codeOf(engine.clones.makeGuest(id))).toBe('guest/denied: The template “Golden” is still built upon by “Copy”.');
  await engine.guests.delete(copy?.id as GuestId);
  expect(await codeOf(engine.clones.makeGuest(id))).toContain('guest/denied');
  const purge = await engine.guests.purge(copy?.id as GuestId, who);
  await engine.jobs.ended(purge.id);
  expect((await engine.clones.makeGuest(id)).state.status).toBe('off');
  const [template] = await clone(engine, { guest: id, name: 'Second golden', asTemplate: true });
  expect(template?.state.status).toBe('template');
});

test('a guest that is started in the moment in which it is cloned is started before or after, and both are whole', async () => {
  for (const order of ['start, clone', 'clone, start', 'clone asked for, start'] as const) {
    const engine = await bench();
    const id = await addOriginal(engine, { nics: [] });
    const start = () => codeOf(engine.guests.start(id));
    const ask = () => engine.clones.clone({ guest: id, name: 'Copy' }, who);
    const end = async (asked: ReturnType<typeof ask>) => codeOf(asked.then(({ job }) => engine.jobs.ended(job.id)).then(mustHaveSucceeded));
    let started: Promise<string>;
    let cloned: Promise<string>;
    if (order === 'start, clone') {
      started = start();
      cloned = end(ask());
    } else {
      const asked = ask();
      cloned = end(asked);
      if (order === 'clone asked for, start') await asked;
      started = start();
    }
    expect(await started).toBe('fine');
    const outcome = await cloned;
    await untilStatus(engine, id, 'running');
    await engine.guests.forceOff(id);
    await untilStatus(engine, id, 'off');
    if (outcome === 'fine') {
      expect(engine.guests.list()).toHaveLength(2);
      for (const guest of engine.guests.list()) run('qemu-img', 'check', '-q', '-f', 'qcow2', diskOfGuest(engine, guest.id));
    } else {
      // Asked for while it starts, or found starting when its turn came.
      expect(outcome).toMatch(/^guest\/denied: The guest is (still starting|starting\. Shut it down first)\.$/);
      await until('nothing is left of the clone', () => engine.guests.list().length === 1);
    }
  }
}, 120_000);

test('a guest that is being copied whole is not started meanwhile, and says why', async () => {
  const engine = await bench();
  const id = await addOriginal(engine);
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 3 0 60M', diskOfGuest(engine, id));
  const { job } = await engine.clones.clone({ guest: id, name: 'copy', count: 8, share: false }, who);
  await until('the copying to begin', () => engine.guests.show(id).state.busy !== undefined);
  expect(await codeOf(engine.guests.start(id))).toBe('guest/denied: The guest is being copied. It can be used when that has ended.');
  expect(await codeOf(engine.guests.delete(id))).toContain('guest/denied');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  expect(engine.guests.show(id).state.busy).toBeUndefined();
});

test('a cancelled job keeps the clones that are whole and leaves nothing of the others', async () => {
  const engine = await bench();
  const id = await addOriginal(engine);
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 3 0 60M', diskOfGuest(engine, id));
  const { job } = await engine.clones.clone({ guest: id, name: 'copy', count: 40, share: false }, who);
  await until('a clone is whole', () => engine.guests.list().some(({ spec, state }) => spec.name === 'copy-2' && state.status === 'off'));
  engine.jobs.cancel(job.id, 'Enough.');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'cancelled' });
  await until('no guest is half made', () => engine.guests.list().every(({ state }) => state.status === 'off'));
  const left = engine.guests.list();
  expect(left.length).toBeGreaterThan(2);
  expect(left.length).toBeLessThan(41);
  expect(readdirSync(engine.layout.guests).sort()).toEqual(left.map((guest) => guest.id).sort());
  for (const guest of left)
    run('qemu-img', 'compare', '-q', '-f', 'qcow2', '-F', 'qcow2', diskOfGuest(engine, id), diskOfGuest(engine, guest.id));
});

test('a clone that is made independent reads as before, and is held by nothing and holds nothing', async () => {
  const engine = await bench();
  const id = await addOriginal(engine);
  const [copy] = await clone(engine, { guest: id, name: 'Copy' });
  const disk = diskOfGuest(engine, copy?.id as GuestId);
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 5 8M 1M', disk);
  const before = join(engine.home, 'before.raw');
  run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', disk, before);
  expect(baseOf(disk)).toBeDefined();
  const job = await engine.clones.flatten(copy?.id as GuestId, null, who);
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded', error: null });
  expect(baseOf(disk)).toBeUndefined();
  run('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'qcow2', before, disk);
  run('qemu-img', 'check', '-q', '-f', 'qcow2', disk);
  expect(await codeOf(engine.clones.flatten(copy?.id as GuestId, null, who))).toContain('guest/stands-alone');
  expect((await engine.clones.lineage()).filter((node) => node.guestId === copy?.id)).toEqual([]);
});

test('making a guest independent can be cancelled, and leaves it as it was', async () => {
  const engine = await bench();
  const id = await addOriginal(engine);
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 3 0 60M', diskOfGuest(engine, id));
  const [copy] = await clone(engine, { guest: id, name: 'Copy' });
  const disk = diskOfGuest(engine, copy?.id as GuestId);
  const base = baseOf(disk);
  const job = await engine.clones.flatten(copy?.id as GuestId, null, who);
  await until('it to begin', () => engine.guests.show(copy?.id as GuestId).state.busy !== undefined);
  engine.jobs.cancel(job.id, 'Enough.');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'cancelled' });
  expect([baseOf(disk), readdirSync(engine.layout.guest(copy?.id as GuestId).folder).filter((name) => name.endsWith('.arriving'))]).toEqual(
    [base, []],
  );
  expect(engine.guests.show(copy?.id as GuestId).state.busy).toBeUndefined();
  run('qemu-img', 'compare', '-q', '-f', 'qcow2', '-F', 'qcow2', diskOfGuest(engine, id), disk);
});

test('a disposable guest runs on disks that are thrown away, and goes when it ends or crashes', async () => {
  const engine = await bench();
  const id = await addOriginal(engine, { nics: [] });
  const before = await hashOf(diskOfGuest(engine, id));
  for (const ending of ['forced off', 'killed'] as const) {
    const { guest, job } = await engine.clones.disposable({ guest: id }, who);
    expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
    const { state, disposable } = engine.guests.show(guest.id);
    expect([state.status, disposable]).toEqual(['running', true]);
    expect(engine.layout.guest(guest.id).folder).not.toBe(engine.layout.guest(id).folder);
    if (ending === 'forced off') await engine.guests.forceOff(guest.id);
    else if (state.run) process.kill(state.run.pid, 'SIGKILL');
    await until('it is gone', () => engine.guests.list().every((one) => one.id !== guest.id));
    await until('its folder is gone', () => !existsSync(engine.layout.guest(guest.id).folder));
  }
  // While the frozen layer is folded back into the disk, nobody else can open that.
  const works = (program: string, ...args: string[]) => spawnSync(program, [...args, diskOfGuest(engine, id)]).status === 0;
  await until(
    'the disk is let go of, whole and with what was on it',
    () => works('qemu-img', 'check', '-q', '-f', 'qcow2') && works('qemu-io', '-r', '-f', 'qcow2', '-c', 'read -P 7 1M 2M'),
  );
  expect(before).toHaveLength(64);
  await until('both ends are told', () => engine.events.filter(({ kind }) => kind === 'guest.disposed').length === 2);
});

test('a disposable guest that ended while no engine was there is gone when one is, and one that was kept stays', async () => {
  const engine = await bench();
  const id = await addOriginal(engine, { nics: [] });
  const make = async () => {
    const { guest, job } = await engine.clones.disposable({ guest: id }, who);
    await engine.jobs.ended(job.id);
    return guest.id;
  };
  const [gone, kept, running] = [await make(), await make(), await make()] as const;
  engine.guests.keep(kept);
  const pids = [gone, kept].map((one) => engine.guests.show(one).state.run?.pid ?? 0);
  await engine.close();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await engine.reopen();
  await until('the one that ended is gone', () => engine.guests.list().every((one) => one.id !== gone));
  expect(existsSync(engine.layout.guest(gone).folder)).toBe(false);
  expect(engine.guests.show(kept)).toMatchObject({ state: { status: 'crashed' } });
  expect(engine.guests.show(kept).disposable).toBeUndefined();
  expect(engine.guests.show(running)).toMatchObject({ disposable: true, state: { status: 'running' } });
}, 60_000);

test('a disposable guest that cannot be started leaves nothing', async () => {
  const engine = await bench();
  const id = await addOriginal(engine, { nics: [], extraArguments: ['-no-such-option'] });
  const { job } = await engine.clones.disposable({ guest: id }, who);
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'guest/start-failed' } });
  await until('it is gone', () => engine.guests.list().length === 1);
  expect(readdirSync(engine.layout.guests)).toEqual([id]);
});

test('a clone of what cloud-init set up gets a disc that makes it another machine; other clones get none', async () => {
  const engine = await bench();
  const linux = { id: 'debian12', name: 'Debian 12', family: 'linux', version: '12', distro: 'debian' } as const;
  const [plain, cloud] = [await addOriginal(engine, { os: linux }), await addOriginal(engine, { os: linux, nics: [] })];
  const form = {
    hostname: 'first',
    user: { name: 'ann', fullName: '', password: 'correct-horse', sshKeys: [] },
    locale: 'en_US.UTF-8',
    keyboard: { layout: 'us', variant: '' },
    timeZone: 'Etc/UTC',
    packages: [],
  };
  const seed = await engine.seeds.prepare('cloud-init', form, { os: linux, firmware: 'bios', tpm: false });
  await engine.seeds.write(cloud, seed, null);
  const metaOf = async (id: GuestId) => {
    const disc = (await readFile(engine.layout.guest(id).seed)).toString('latin1');
    return JSON.parse(/\{\s*"instance-id"[^}]*\}/.exec(disc)?.[0] ?? '{}') as { 'instance-id': string; 'local-hostname': string };
  };
  const copies = await clone(engine, { guest: cloud, name: 'Web {n}', count: 2 });
  const metas = await Promise.all([cloud, ...copies.map(({ id }) => id)].map(metaOf));
  expect(metas.map((meta) => meta['local-hostname'])).toEqual(['first', 'web-1', 'web-2']);
  expect(new Set(metas.map((meta) => meta['instance-id'])).size).toBe(3);
  for (const { id } of copies) {
    expect((await readFile(engine.layout.guest(id).seed)).includes('ann')).toBe(false);
    expect((await engine.guests.arguments(id)).join(' ')).toContain(engine.layout.guest(id).seed);
  }
  const [other] = await clone(engine, { guest: plain, name: 'Other' });
  expect(existsSync(engine.layout.guest((other as { id: GuestId }).id).seed)).toBe(false);
});

test('the system in a clone is given a host name and a machine id of its own when its agent answers', async () => {
  const engine = await bench();
  const id = await addStarter(engine, {
    name: 'Starter',
    os: { id: null, name: 'Guesthouse starter', family: 'linux', version: '1', distro: null },
  });
  const [one, two] = (await clone(engine, { guest: id, name: 'web {n}', count: 2 })).map((guest) => guest.id) as [GuestId, GuestId];
  expect(engine.guests.show(one).identity).toMatchObject({ state: 'waiting', hostname: 'web-1' });
  const ids: string[] = [];
  for (const each of [one, two]) {
    await engine.guests.start(each);
    (await untilBooted(engine, each)).detach();
    await until('it has its identity', () => engine.guests.show(each).identity?.state === 'done', 120_000);
    const { stdoutBase64 } = await engine.guests.exec(each, ['/bin/sh', '-c', 'hostname; cat /etc/machine-id'], 30);
    ids.push(Buffer.from(stdoutBase64, 'base64').toString('utf8'));
    await engine.guests.forceOff(each);
  }
  expect(ids[0]).toMatch(/^web-1\n[0-9a-f]{32}\n$/);
  expect(ids[1]).toMatch(/^web-2\n[0-9a-f]{32}\n$/);
  expect(ids[0]?.split('\n')[1]).not.toBe(ids[1]?.split('\n')[1]);
}, 300_000);
