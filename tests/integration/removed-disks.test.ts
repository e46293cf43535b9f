/** Disks that are taken out of a guest: kept, attached again, and deleted for good, by a real engine. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Job, jobEnded } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { commandLine } from '../support/command-line.ts';
import { contentOf, writePattern } from '../support/disk-content.ts';
import { codeOf, succeeded } from '../support/outcomes.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const mib = 1024 ** 2;
async function ended(client: EngineClient, job: Pick<Job, 'id'> | null): Promise<void> {
  if (job) await succeeded(client, job);
}

/** A guest with two disks, on the second of which there is something. */
async function scene() {
  const home = await engineHome();
  const client = await connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'no-starter') } });
  onTestFinished(() => client.close());
  await client.call('settings.set', { keepFreeMiB: 8 });
  const source = join(home, 'source.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', source, '4M']);
  const { guest, job } = await client.call('guest.create', {
    source: { kind: 'disk', path: source, inPlace: false },
    choices: { name: 'Web', memoryMiB: 64 },
  });
  await ended(client, job);
  await client.call('snapshot.setSchedule', { guest: guest.id, schedule: { beforeHardwareChange: false } });
  const disks = async () => (await client.call('guest.show', { guest: guest.id })).spec.disks;
  const added = await client.call('guest.edit', { guest: guest.id, change: { disks: [...(await disks()), { sizeBytes: 8 * mib }] } });
  await ended(client, added.job);
  const folder = join(home, 'guests', guest.id);
  const fileOf = async (id: string) => {
    const location = (await disks()).find((disk) => disk.id === id)?.location;
    return location?.kind === 'store' ? location.file : '';
  };
  writePattern(join(folder, await fileOf('disk1')), 7, 0, mib);
  const content = contentOf(join(folder, await fileOf('disk1')));
  const remove = async (id: string) => {
    const edit = await client.call('guest.edit', { guest: guest.id, change: { disks: (await disks()).filter((disk) => disk.id !== id) } });
    await ended(client, edit.job);
  };
  return { home, client, id: guest.id, folder, disks, fileOf, content, remove };
}

test('a disk that was taken out is listed, comes back as it was, and undo of its removal works until it is deleted for good', async () => {
  const { client, id, folder, disks, fileOf, content, remove } = await scene();
  const limits = { bytesPerSecond: 10 * mib, operationsPerSecond: null };
  const before = await disks();
  const limited = before.map((disk) => (disk.id === 'disk1' ? { ...disk, limits } : disk));
  await ended(client, (await client.call('guest.edit', { guest: id, change: { disks: limited } })).job);
  const file = await fileOf('disk1');
  expect(await client.call('guest.removedDisks', { guest: id })).toEqual([]);
  await remove('disk1');
  const away = join(folder, `removed-${file}`);
  const realBytes = statSync(away).blocks * 512;
  expect(await client.call('guest.removedDisks', { guest: id })).toMatchObject([{ file, id: 'disk1', sizeBytes: 8 * mib, realBytes }]);
  expect((await client.call('storage.report', {})).guests[0]?.removedDisks).toMatchObject([{ path: away, use: { realBytes } }]);

  await ended(client, (await client.call('guest.attachRemovedDisk', { guest: id, file })).job);
  expect((await disks())[1]).toMatchObject({ id: 'disk1', limits, sizeBytes: 8 * mib, location: { file } });
  expect(contentOf(join(folder, file))).toBe(content);
  expect(await client.call('guest.removedDisks', { guest: id })).toEqual([]);

  // Taken out once more, it comes back by undo.
  await remove('disk1');
  await ended(client, (await client.call('guest.undoEdit', { guest: id })).job);
  expect(contentOf(join(folder, await fileOf('disk1')))).toBe(content);

  await remove('disk1');
  const inUse = await fileOf('disk0');
  for (const other of ['disk9.qcow2', '../../guesthouse.db', inUse])
    expect([other, await codeOf(client.call('guest.deleteRemovedDisk', { guest: id, file: other }))]).toEqual([
      other,
      'image/file-missing',
    ]);
  expect(await codeOf(client.call('guest.attachRemovedDisk', { guest: id, file: 'disk9.qcow2' }))).toBe('image/file-missing');
  expect(existsSync(join(folder, inUse))).toBe(true);
  await client.call('guest.deleteRemovedDisk', { guest: id, file });
  expect(existsSync(away)).toBe(false);
  expect(await client.call('guest.removedDisks', { guest: id })).toEqual([]);
  const undo = await client.call('guest.undoEdit', { guest: id }).then(
    () => null,
    (thrown) => thrown.error,
  );
  expect(undo).toMatchObject({ code: 'guest/disk-deleted', message: expect.stringContaining('disk1') });
  expect(await disks()).toHaveLength(1);
  // Nothing was made in its place.
  expect(readdirSync(folder).filter((name) => name.includes('disk1'))).toEqual([]);
}, 90_000);

test('another disk in its place does not keep a removed one from coming back, and a killed engine loses neither', async () => {
  const { home, client: first, id, folder, disks, fileOf, content, remove } = await scene();
  let client = first;
  const file = await fileOf('disk1');
  await remove('disk1');
  await ended(client, (await client.call('guest.edit', { guest: id, change: { disks: [...(await disks()), { sizeBytes: mib }] } })).job);
  const there = async () => (await client.call('guest.show', { guest: id })).spec.disks;
  for (const afterMs of [0, 5, 20, 60]) {
    void client.call('guest.attachRemovedDisk', { guest: id, file }).catch(() => undefined);
    await new Promise((settle) => setTimeout(settle, afterMs));
    await killEngine(client);
    client = await connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'no-starter') } });
    await until('what was begun has ended', async () => (await client.call('job.list', {})).every(({ state }) => jobEnded.has(state)));
    const now = (await there()).find(({ location }) => location.kind === 'store' && location.file === file);
    const name = now ? file : `removed-${file}`;
    expect([afterMs, contentOf(join(folder, name))]).toEqual([afterMs, content]);
    expect(new Set((await there()).map((disk) => disk.id)).size).toBe((await there()).length);
    if (now)
      await ended(
        client,
        (await client.call('guest.edit', { guest: id, change: { disks: (await there()).filter((disk) => disk.id !== now.id) } })).job,
      );
  }
  const { guesthouse, ok } = commandLine(home, 'guest');
  expect(await ok('disk', 'removed', 'Web')).toContain(file);
  await ok('disk', 'attach', 'Web', file);
  expect((await there()).some(({ location }) => location.kind === 'store' && location.file === file)).toBe(true);
  await ok('disk', 'remove', 'Web', (await there()).at(-1)?.id ?? '');
  expect(await ok('disk', 'delete', 'Web', file)).toContain('is deleted');
  expect((await guesthouse('undo', 'Web')).err).toContain('guest/disk-deleted');
  expect((await ok('disk', 'removed', 'Web')).trim()).toBe('There are none.');
  client.close();
}, 120_000);
