/** Capsules with snapshots: as whole as they left, from strangers, and with engines killed over them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { dataRootAt } from '../../contract/data-root.ts';
import type { GuestSnapshot } from '../../contract/guest-snapshot.ts';
import type { GuestId, ImageId, SnapshotId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { type Layout, layoutOf } from '../../main/engine/files/layout.ts';
import { checkEveryDisk, contentOf } from '../support/disk-content.ts';
import { ended, succeeded } from '../support/outcomes.ts';
import { makeStarterGuest, untilAgent } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

type Opened = { client: EngineClient; home: string; out: string; layout: Layout };

async function engine(): Promise<Opened> {
  const home = await engineHome();
  const client = await connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'none') } });
  onTestFinished(() => client.close());
  await client.call('settings.set', { keepFreeMiB: 0 });
  // A folder of the user's own, outside the data folder.
  return { client, home, out: await engineHome(), layout: layoutOf(dataRootAt(home)) };
}

const specOf = async (client: EngineClient, guest: GuestId) => (await client.call('guest.show', { guest })).spec;

/** Where the disk of a guest that is off lies now. */
async function diskOf({ client, layout }: Opened, guest: GuestId, index = 0): Promise<string> {
  const location = (await specOf(client, guest)).disks[index]?.location;
  return layout.guest(guest).disk(location?.kind === 'store' ? location.file : '');
}

/** What the guest would have written. */
async function write(opened: Opened, guest: GuestId, pattern: number, at: string, length: string, index = 0): Promise<void> {
  run('qemu-io', '-f', 'qcow2', '-c', `write -P ${pattern} ${at} ${length}`, await diskOf(opened, guest, index));
}

/** Layers that nothing needs are merged by and by, which takes files away: `look` comes before or after that, or looks again. */
async function besidesTidying<T>({ client }: Opened, look: () => T | Promise<T>): Promise<T> {
  for (;;) {
    const known = await until('the layers to be tidied', async () => {
      const jobs = await client.call('job.list', {});
      return jobs.every(({ endedAt }) => endedAt !== null) ? new Set(jobs.map(({ id }) => id)) : null;
    });
    try {
      return await look();
    } catch (thrown) {
      if ((await client.call('job.list', {})).every(({ id }) => known.has(id))) throw thrown;
    }
  }
}

const contents = (opened: Opened, guest: GuestId): Promise<string[]> =>
  besidesTidying(opened, async () => {
    const { disks } = await specOf(opened.client, guest);
    return Promise.all(disks.map(async (_, index) => contentOf(await diskOf(opened, guest, index))));
  });

async function take({ client }: Opened, guest: GuestId, name: string, note = ''): Promise<SnapshotId> {
  const { snapshot, job } = await client.call('snapshot.create', { guest, name, note });
  await succeeded(client, job);
  return snapshot.id;
}

const goBack = async ({ client }: Opened, snapshot: SnapshotId) =>
  succeeded(client, await client.call('snapshot.revert', { snapshot, keepPresent: false }));

/** A guest with a disk that builds upon a raw image of the library. */
async function guestUponImage({ client, out }: Opened, name: string): Promise<GuestId> {
  const path = join(out, 'base.img');
  run('qemu-img', 'create', '-q', '-f', 'raw', path, '96M');
  run('qemu-io', '-f', 'raw', '-c', 'write -P 0x55 510 1', '-c', 'write -P 0xaa 511 1', '-c', 'write -P 7 1M 3M', path);
  const { target } = await succeeded(client, await client.call('image.import', { path, name: 'Base' }));
  const { guest, job } = await client.call('guest.create', {
    source: { kind: 'image', imageId: target.id as ImageId },
    choices: { name, shareImage: true },
  });
  await succeeded(client, job);
  return guest.id;
}

type Tree = { guest: GuestId; names: Map<string, string[]>; present: string[] };

/** first ── second ── (deleted) ── third, and first ── branch, upon which the present builds. */
async function tree(opened: Opened): Promise<Tree> {
  const { client } = opened;
  const guest = await guestUponImage(opened, 'Original');
  const names = new Map<string, string[]>();
  const keep = async (name: string, note = '') => {
    const id = await take(opened, guest, name, note);
    names.set(name, await contents(opened, guest));
    return id;
  };
  await write(opened, guest, 1, '8M', '2M');
  const first = await keep('first', 'Two lines,\nand “quotes”.');
  await write(opened, guest, 2, '9M', '2M');
  await keep('second');
  await write(opened, guest, 3, '10M', '64k');
  const gone = await take(opened, guest, 'gone');
  await write(opened, guest, 4, '2M', '1M');
  // What is explicitly zero above data is not the same as what is not there.
  run('qemu-io', '-f', 'qcow2', '-c', 'write -z 8M 1M', await diskOf(opened, guest));
  await keep('third');
  await client.call('snapshot.delete', { snapshot: gone });
  await goBack(opened, first);
  await write(opened, guest, 5, '40M', '1M');
  await keep('branch');
  await write(opened, guest, 6, '41M', '1M');
  return { guest, names, present: await contents(opened, guest) };
}

/** A tree as a person sees it, with names in place of ids. */
async function seen({ client }: Opened, guest: GuestId) {
  const { snapshots, currentId, schedule } = await client.call('snapshot.list', { guest });
  const nameOf = (id: SnapshotId | null) => snapshots.find((one) => one.id === id)?.name ?? null;
  const shown = (one: GuestSnapshot) => ({ ...one, id: null, guestId: null, parentId: nameOf(one.parentId), sizeBytes: 0 });
  return { snapshots: snapshots.map(shown), current: nameOf(currentId), schedule };
}

async function exportCapsule({ client, out }: Opened, guest: GuestId, withSnapshots = true, file = 'it.capsule'): Promise<string> {
  const path = join(out, file);
  await succeeded(client, await client.call('guest.export', { guest, format: 'capsule', path, withSnapshots, overwrite: true }));
  return path;
}

async function importCapsule({ client }: Opened, path: string): Promise<GuestId> {
  const { guest, job } = await client.call('machine.import', { path, bootTest: false });
  await succeeded(client, job);
  return guest.id;
}

async function expectTree(there: Opened, guest: GuestId, { names, present }: Omit<Tree, 'guest'>): Promise<void> {
  expect(await contents(there, guest)).toEqual(present);
  await besidesTidying(there, () => checkEveryDisk(there.layout));
  const { snapshots } = await there.client.call('snapshot.list', { guest });
  for (const { id, name } of snapshots) {
    await goBack(there, id);
    expect([name, await contents(there, guest)]).toEqual([name, names.get(name)]);
  }
  await besidesTidying(there, () => checkEveryDisk(there.layout));
}

const layersIn = ({ layout }: Opened) => readdirSync(layout.layers);

test('another Guesthouse opens a tree of snapshots exactly as it was', async () => {
  const [here, there] = [await engine(), await engine()];
  const { guest, names, present } = await tree(here);
  await here.client.call('snapshot.setSchedule', { guest, schedule: { keepDaily: 3 } });
  // As a firmware and a TPM leave it there after the guest ran.
  const { snapshots } = await here.client.call('snapshot.list', { guest });
  const files = here.layout.guest(guest);
  await writeFile(files.nvram, Buffer.alloc(540_672, 5));
  await mkdir(files.tpmState);
  await writeFile(join(files.tpmState, 'tpm2-00.permall'), Buffer.alloc(6000, 9));
  await take(here, guest, 'with firmware');
  names.set('with firmware', await contents(here, guest));
  await writeFile(files.nvram, Buffer.alloc(540_672, 6));
  const path = await exportCapsule(here, guest);

  // Each layer is in it once, the image of the library too, and an unpacked capsule is a chain that QEMU reads by itself.
  const members = run('tar', '-tf', path).trim().split('\n');
  expect(members.filter((name) => name.startsWith('layer.')).length).toBe(7);
  const unpacked = join(here.out, 'unpacked');
  await mkdir(unpacked);
  run('tar', '-C', unpacked, '-xf', path);
  expect(contentOf(join(unpacked, 'disk0.qcow2'))).toBe(present[0]);
  expect(
    JSON.parse(run('qemu-img', 'info', '--output=json', '--backing-chain', join(unpacked, 'disk0.qcow2'))).map(
      ({ format }: { format: string }) => format,
    ),
  ).toEqual(Array.from({ length: 5 }, () => 'qcow2'));

  const report = await there.client.call('machine.inspect', { path });
  expect(report.findings.map(({ id }) => id)).toEqual(expect.arrayContaining(['capsule/same', 'capsule/snapshots']));
  const arrived = await importCapsule(there, path);
  expect(await seen(there, arrived)).toEqual(await seen(here, guest));
  const [spec, original] = [await specOf(there.client, arrived), await specOf(here.client, guest)];
  expect({ ...spec, disks: [] }).toEqual({ ...original, disks: [] });
  const kept = there.layout.guest(arrived);
  expect((await readFile(kept.nvram))[0]).toBe(6);
  await expectTree(there, arrived, { names, present });
  // The last that it was taken back to is the one with firmware and a TPM.
  expect((await readFile(kept.nvram))[0]).toBe(5);
  expect(readdirSync(kept.tpmState)).toEqual(['tpm2-00.permall']);
  expect(snapshots.length).toBe(4);

  // Where the original is, the copy has its own layers, and neither knows of the other.
  const twin = await importCapsule(here, path);
  expect((await specOf(here.client, twin)).uuid).not.toBe(original.uuid);
  await here.client.call('guest.delete', { guest });
  await succeeded(here.client, await here.client.call('guest.purge', { guest }));
  await expectTree(here, twin, { names, present });
  await here.client.call('guest.delete', { guest: twin });
  await succeeded(here.client, await here.client.call('guest.purge', { guest: twin }));
  await until('no layer to be left', () => layersIn(here).length === 0);
});

type Action = { kind: 'write'; disk: number; cell: number; cells: number } | { kind: 'create' | 'revert' | 'delete'; which: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('write' as const), disk: fc.nat(1), cell: fc.nat(40), cells: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('create' as const), which: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('revert' as const, 'delete' as const), which: fc.nat(7) }) },
);

test('whatever was written, kept, gone back to and deleted, a capsule holds it all', { timeout: 600_000 }, async () => {
  const [here, there] = [await engine(), await engine()];
  const disks = ['a', 'b'].map((name) => join(here.out, `${name}.img`));
  for (const path of disks) run('qemu-img', 'create', '-q', '-f', 'raw', path, '16M');
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 14 }), async (actions) => {
      const [path = '', ...moreDisks] = disks;
      const name = `Guest ${++round}`;
      const { guest, job } = await here.client.call('machine.import', { path, moreDisks, name, bootTest: false });
      await succeeded(here.client, job);
      const names = new Map<string, string[]>();
      const living: { id: SnapshotId; name: string }[] = [];
      for (const [at, one] of actions.entries()) {
        const chosen = one.kind === 'write' || living.length === 0 ? undefined : living[one.which % living.length];
        if (one.kind === 'write') await write(here, guest.id, at + 1, `${one.cell * 32}k`, `${one.cells * 32}k`, one.disk);
        else if (one.kind === 'create') {
          const kept = { id: await take(here, guest.id, `step ${at}`), name: `step ${at}` };
          names.set(kept.name, await contents(here, guest.id));
          living.push(kept);
        } else if (chosen && one.kind === 'revert') await goBack(here, chosen.id);
        else if (chosen) {
          await here.client.call('snapshot.delete', { snapshot: chosen.id });
          living.splice(living.indexOf(chosen), 1);
        }
      }
      const present = await contents(here, guest.id);
      const arrived = await importCapsule(there, await exportCapsule(here, guest.id));
      expect(await seen(there, arrived)).toEqual(await seen(here, guest.id));
      await expectTree(there, arrived, { names, present });
      expect(await contents(here, guest.id)).toEqual(present);
    }),
    { numRuns: Number(process.env.GUESTHOUSE_CAPSULE_SEQUENCES ?? 6), endOnFailure: true },
  );
});

test('without its snapshots a capsule is smaller and holds disks that stand alone', async () => {
  const opened = await engine();
  const { guest, present } = await tree(opened);
  const all = await exportCapsule(opened, guest);
  const path = await exportCapsule(opened, guest, false, 'alone.capsule');
  expect((await stat(path)).size).toBeLessThan((await stat(all)).size);
  const manifest = JSON.parse(run('tar', '-xOf', path, 'capsule.json'));
  expect(manifest).toMatchObject({ capsule: 1, snapshots: [] });
  const arrived = await importCapsule(opened, path);
  expect(await contents(opened, arrived)).toEqual(present);
  expect((await opened.client.call('snapshot.list', { guest: arrived })).snapshots).toEqual([]);
});

test('a layer with large holes is written without them', async () => {
  const opened = await engine();
  const guest = await guestUponImage(opened, 'Holes');
  const disk = await diskOf(opened, guest);
  run('qemu-io', '-f', 'qcow2', '-d', 'unmap', '-c', 'write -P 9 8M 60M', '-c', 'discard 8M 58M', disk);
  await take(opened, guest, 'one');
  const present = await contents(opened, guest);
  const path = await exportCapsule(opened, guest);
  expect((await stat(path)).size).toBeLessThan(16 * 2 ** 20);
  expect(await contents(opened, await importCapsule(opened, path))).toEqual(present);
});

test('a capsule from a stranger with layers that are not what they should be is refused, and nothing is left', async () => {
  const [here, there] = [await engine(), await engine()];
  const { guest } = await tree(here);
  const path = await exportCapsule(here, guest);
  const folder = join(here.out, 'unpacked');
  await mkdir(folder);
  run('tar', '-C', folder, '-xf', path);
  const members = run('tar', '-tf', path).trim().split('\n');
  type Layer = { name: string; base: string | null; sizeBytes: number; sha256: string };
  type Snapshot = { id: string; parent: string | null; disks: { id: string; layer: string }[]; spec: { disks: object[] }; memory: unknown };
  type Manifest = { layers: Layer[]; snapshots: Snapshot[]; files: (Layer & { role: string; diskId: string | null })[]; present: string };
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'capsule.json'), 'utf8'));
  const repack = async (change: (manifest: Manifest) => void, leftOut: string[] = []) => {
    const changed = structuredClone(manifest);
    change(changed);
    await writeFile(join(folder, 'capsule.json'), JSON.stringify(changed));
    run('tar', '-C', folder, '--format=ustar', '-cf', path, ...members.filter((name) => !leftOut.includes(name)));
  };
  /** Changes a file of the capsule so that its list of contents knows it. */
  const tampered = async (name: string, tamper: (file: string) => void, check: () => Promise<void>) => {
    const file = join(folder, name);
    const before = await readFile(file);
    tamper(file);
    const bytes = await readFile(file);
    await repack(({ layers, files }) => {
      const entry = [...layers, ...files].find((one) => one.name === name);
      Object.assign(entry ?? {}, { sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    });
    await check();
    await writeFile(file, before);
  };
  const refused = async (code: string) => {
    await expect(there.client.call('machine.inspect', { path })).rejects.toMatchObject({ error: { code } });
    await expect(there.client.call('machine.import', { path, bootTest: false })).rejects.toMatchObject({ error: { code } });
  };
  const [ground = '', above = '', top = ''] = manifest.layers.map(({ name }) => name);
  const at = <One>(list: readonly One[], index: number): One => list[index] as One;

  const wrong: ((manifest: Manifest) => void)[] = [
    // A loop, and a layer that builds upon itself.
    ({ layers }) => Object.assign(at(layers, 0), { base: top }),
    ({ layers }) => Object.assign(at(layers, 1), { base: above }),
    // Layers that are not there, or that nothing needs.
    ({ layers }) => layers.splice(0, 1),
    ({ layers }) => layers.push({ ...at(layers, 0), name: 'layer.99.qcow2' }),
    ({ layers }) => Object.assign(at(layers, 1), { base: '../../images/i000000000.qcow2' }),
    ({ layers }) => Object.assign(at(layers, 1), { base: '/etc/shadow' }),
    // The same name twice.
    ({ layers }) => Object.assign(at(layers, 1), { name: ground }),
    // Snapshots with disks that are not there, or not the ones of their hardware.
    ({ snapshots }) => Object.assign(at(at(snapshots, 0).disks, 0), { layer: 'layer.77.qcow2' }),
    ({ snapshots }) => Object.assign(at(at(snapshots, 0).disks, 0), { id: 'disk9' }),
    ({ snapshots }) => Object.assign(at(snapshots, 0), { disks: [] }),
    // A tree with a loop, and a present upon nothing.
    ({ snapshots }) => Object.assign(at(snapshots, 0), { parent: at(snapshots, 1).id }),
    ({ snapshots }) => Object.assign(at(snapshots, 1), { parent: at(snapshots, 1).id }),
    ({ snapshots }) => Object.assign(at(snapshots, 1), { id: at(snapshots, 0).id }),
    (all) => Object.assign(all, { present: 's-none' }),
    // Memory without a file, and with a place that is no port of QEMU.
    ({ snapshots }) => Object.assign(at(snapshots, 0), { memory: { machine: 'q35', accelerator: 'tcg', spec: null, plugged: {} } }),
    ({ snapshots }) => Object.assign(at(snapshots, 0), { memory: { machine: 'q35,x=y', accelerator: 'tcg', spec: null, plugged: {} } }),
    // Sizes that the archive does not have.
    ({ layers }) => Object.assign(at(layers, 0), { sizeBytes: 2 ** 50 }),
    ({ layers }) => Object.assign(at(layers, 0), { sizeBytes: -1 }),
    // A name that leads out.
    ({ layers }) => Object.assign(at(layers, 0), { name: '../../evil.qcow2' }),
  ];
  for (const [index, change] of wrong.entries()) {
    await repack(change);
    await refused('machine/not-understood').catch((thrown: unknown) => {
      throw new Error(`Change ${index} was taken.`, { cause: thrown });
    });
  }
  await repack(() => undefined, [ground]);
  await refused('machine/not-understood');

  // What stands in the files themselves.
  for (const name of ['/etc/shadow', ground, 'json:{"driver":"nbd"}']) {
    await tampered(
      top,
      (file) => run('qemu-img', 'rebase', '-u', '-f', 'qcow2', '-b', name, '-F', 'raw', file),
      () => refused('image/outside-reference'),
    );
  }
  await tampered(
    ground,
    (file) => run('qemu-img', 'rebase', '-u', '-f', 'qcow2', '-b', '/etc/shadow', '-F', 'raw', file),
    () => refused('image/outside-reference'),
  );
  await tampered(
    top,
    (file) => run('qemu-img', 'rebase', '-u', '-f', 'qcow2', '-b', '', file),
    () => refused('image/corrupt'),
  );
  await tampered(
    ground,
    (file) => run('qemu-img', 'snapshot', '-c', 'inner', file),
    () => refused('image/corrupt'),
  );
  await tampered(
    ground,
    (file) => {
      run('rm', file);
      run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', `data_file=${join(here.out, 'data.raw')}`, file, '96M');
    },
    () => refused('image/outside-reference'),
  );

  // What is only found while it is copied: another hash, and tables that lead nowhere.
  const fails = async (code: string) => {
    const { job } = await there.client.call('machine.import', { path, bootTest: false });
    expect(await ended(there.client, job)).toMatchObject({ state: 'failed', error: { code } });
  };
  await repack(({ layers }) => Object.assign(at(layers, 1), { sha256: '0'.repeat(64) }));
  await fails('machine/wrong-hash');
  await repack(({ files }) => Object.assign(at(files, 0), { sha256: '0'.repeat(64) }));
  await fails('machine/wrong-hash');
  await tampered(
    ground,
    (file) => void run('dd', 'if=/dev/urandom', `of=${file}`, 'bs=64k', 'seek=3', 'count=1', 'conv=notrunc', 'status=none'),
    () => fails('image/corrupt'),
  );

  expect(await there.client.call('guest.list', {})).toEqual([]);
  for (const folder of [there.layout.layers, there.layout.guests, there.layout.trash, there.layout.images])
    expect([folder, readdirSync(folder)]).toEqual([folder, []]);
});

test('hardware of a snapshot brings as little as that of the present', async () => {
  const opened = await engine();
  const { guest } = await tree(opened);
  const path = await exportCapsule(opened, guest);
  const folder = join(opened.out, 'unpacked');
  await mkdir(folder);
  run('tar', '-C', folder, '-xf', path);
  const members = run('tar', '-tf', path).trim().split('\n');
  const manifest = JSON.parse(await readFile(join(folder, 'capsule.json'), 'utf8'));
  const hostile = {
    extraArguments: ['-drive', 'file=/etc/shadow'],
    autostart: true,
    shares: [{ id: 'share0', tag: 'home', path: '/root', readOnly: false, via: 'mount' }],
    usbDevices: [{ id: 'usb0', vendorId: '0951', productId: '1666', port: null }],
  };
  Object.assign(manifest.snapshots[0].spec, hostile, {
    cdDrives: [{ id: 'cd0', bus: 'sata', medium: { kind: 'in-place', path: '/etc/passwd' }, bootOrder: null }],
    disks: manifest.snapshots[0].spec.disks.map((disk: object) => ({
      ...disk,
      location: { kind: 'in-place', path: '/etc/shadow' },
      sizeBytes: 2 ** 40,
    })),
  });
  await writeFile(join(folder, 'capsule.json'), JSON.stringify(manifest));
  run('tar', '-C', folder, '--format=ustar', '-cf', path, ...members);
  const report = await opened.client.call('machine.inspect', { path });
  expect(report.findings.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['capsule/extra-arguments', 'capsule/shares', 'capsule/usb', 'capsule/media']),
  );
  const arrived = await importCapsule(opened, path);
  const { snapshots } = await opened.client.call('snapshot.list', { guest: arrived });
  await goBack(opened, snapshots.find(({ name }) => name === 'first')?.id as SnapshotId);
  expect(await specOf(opened.client, arrived)).toMatchObject({
    extraArguments: [],
    autostart: false,
    shares: [],
    usbDevices: [],
    cdDrives: [{ medium: null }],
    disks: [{ location: { kind: 'store' }, sizeBytes: 96 * 2 ** 20 }],
  });
});

test('an import that engines die in, at any moment, is finished by the next, and one that is cancelled leaves nothing', {
  timeout: 600_000,
}, async () => {
  const here = await engine();
  const { guest, names, present } = await tree(here);
  const path = await exportCapsule(here, guest);
  const times = Number(process.env.GUESTHOUSE_CAPSULE_KILLS ?? 8);
  for (let round = 0; round < times; round++) {
    const home = await engineHome();
    const environment = { GUESTHOUSE_STARTER: join(home, 'none') };
    let client = await connect(home, { environment });
    await client.call('settings.set', { keepFreeMiB: 0 });
    const { guest: arrived, job } = await client.call('machine.import', { path, bootTest: false });
    // Over the whole of the import, which takes about a second; twice, so that the second engine dies over what it goes on with.
    await pause((round / times) * 1500);
    await killEngine(client);
    if (round % 2 === 1) {
      client = await connect(home, { environment });
      await pause(((round * 7) % 10) * 60);
      await killEngine(client);
    }
    client = await connect(home, { environment });
    onTestFinished(() => client.close());
    const there: Opened = { client, home, out: home, layout: layoutOf(dataRootAt(home)) };
    await succeeded(client, job);
    expect((await seen(there, arrived.id)).snapshots.map(({ name }) => name)).toEqual(['first', 'second', 'third', 'branch']);
    // Six came, and some may have been taken in by what lies above them since.
    expect(layersIn(there).length).toBeLessThanOrEqual(6);
    expect(readdirSync(there.layout.guest(arrived.id).folder).filter((name) => name.includes('arriving'))).toEqual([]);
    await expectTree(there, arrived.id, { names, present });
  }

  const there = await engine();
  for (const waitMs of [0, 100, 300]) {
    const { job } = await there.client.call('machine.import', { path, bootTest: false });
    await pause(waitMs);
    await there.client.call('job.cancel', { job: job.id });
    const end = await ended(there.client, job);
    if (end.state === 'succeeded') continue;
    expect(end.state).toBe('cancelled');
    expect(await there.client.call('guest.list', {})).toEqual([]);
    expect([readdirSync(there.layout.layers), readdirSync(there.layout.guests)]).toEqual([[], []]);
  }
});

test('an export that an engine died in is finished by the next one, snapshots and all', async () => {
  const opened = await engine();
  const { guest, names, present } = await tree(opened);
  await write(opened, guest, 8, '44M', '48M');
  await take(opened, guest, 'large');
  const all = { names: names.set('large', await contents(opened, guest)), present: await contents(opened, guest) };
  expect(all.present).not.toEqual(present);
  const path = join(opened.out, 'it.capsule');
  const job = await opened.client.call('guest.export', { guest, format: 'capsule', path });
  await until('bytes to be written', async () => ((await opened.client.call('job.show', { job: job.id })).bytesDone ?? 0) > 0);
  await killEngine(opened.client);
  const client = await connect(opened.home);
  onTestFinished(() => client.close());
  await succeeded(client, job);
  expect(readdirSync(opened.out).filter((name) => name.startsWith('.'))).toEqual([]);
  expect(existsSync(path)).toBe(true);
  const next = { ...opened, client };
  await expectTree(next, await importCapsule(next, path), all);
});

test('a snapshot with memory goes on in another Guesthouse from where it was', async () => {
  const there = await engine();
  const home = await engineHome();
  const client = await connect(home);
  onTestFinished(() => client.close());
  const here: Opened = { client, home, out: there.out, layout: layoutOf(dataRootAt(home)) };
  const { id: guest } = await makeStarterGuest(client, 'Awake');
  const inside = async (opened: Pick<Opened, 'client'>, id: GuestId, command: string) => {
    const answer = await opened.client.call(
      'guest.exec',
      { guest: id, command: ['/bin/sh', '-c', command], timeoutSeconds: 60 },
      { timeoutMs: 70_000 },
    );
    expect([command, answer.exitStatus]).toEqual([command, 0]);
    return Buffer.from(answer.stdoutBase64, 'base64').toString().trim();
  };
  await client.call('guest.start', { guest }, { timeoutMs: 60_000 });
  await untilAgent(client, guest);
  // Only in memory.
  await inside(here, guest, 'mkdir -p /run && echo kept > /run/marker');
  const boot = await inside(here, guest, 'cat /proc/sys/kernel/random/boot_id');
  const { job } = await client.call('snapshot.create', { guest, name: 'awake', memory: true });
  await succeeded(client, job);
  await client.call('guest.forceOff', { guest });
  const path = await exportCapsule(here, guest);

  const report = await there.client.call('machine.inspect', { path });
  expect(report.findings.map(({ id }) => id)).toContain('capsule/memory');
  const arrived = await importCapsule(there, path);
  const { snapshots } = await there.client.call('snapshot.list', { guest: arrived });
  expect(snapshots).toMatchObject([{ name: 'awake', withMemory: true, guestWas: 'running', hasThumbnail: true }]);
  await goBack(there, snapshots[0]?.id as SnapshotId);
  expect((await there.client.call('guest.show', { guest: arrived })).state.status).toBe('suspended');
  // What is suspended is not exported, and that is said.
  await expect(
    there.client.call('guest.export', { guest: arrived, format: 'capsule', path: join(there.out, 'x.capsule') }),
  ).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await there.client.call('guest.start', { guest: arrived }, { timeoutMs: 60_000 });
  await untilAgent(there.client, arrived);
  expect(await inside(there, arrived, 'cat /run/marker')).toBe('kept');
  expect(await inside(there, arrived, 'cat /proc/sys/kernel/random/boot_id')).toBe(boot);
  await there.client.call('guest.forceOff', { guest: arrived });

  // The boot test starts from disks that build upon layers, and leaves them as they are.
  const tried = await there.client.call('machine.import', { path, bootTest: true });
  await succeeded(there.client, tried.job);
  expect(await there.client.call('machine.bootTest', { guest: tried.guest.id })).toMatchObject({ verdict: 'booted' });
  expect(await contents(there, tried.guest.id)).toEqual(await contents(here, guest));
  await besidesTidying(there, () => checkEveryDisk(there.layout));
});
