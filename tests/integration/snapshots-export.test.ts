/** A disk of a snapshot as an image of the library, and snapshots from the command line: with the whole engine, and without starting a guest. */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Job } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { contentOf, writePattern } from '../support/disk-content.ts';
import { until } from '../support/until.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

const mib = 1024 ** 2;

async function ended(client: EngineClient, { id }: Job): Promise<Job> {
  return until('the job has ended', async () => {
    const job = await client.call('job.show', { job: id });
    return job.endedAt === null ? null : job;
  });
}

/** A guest that is off, with a disk that somebody wrote to. */
async function guestWithDisk(home: string, client: EngineClient, name: string) {
  const path = join(home, 'given.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '64M']);
  writePattern(path, 7, 0, mib);
  const { guest, job } = await client.call('guest.create', { source: { kind: 'disk', path, inPlace: false }, choices: { name } });
  expect((await ended(client, job)).state).toBe('succeeded');
  const disk = async () => {
    const { location } = (await client.call('guest.show', { guest: guest.id })).spec.disks[0] ?? {};
    return join(home, 'guests', guest.id, location?.kind === 'store' ? location.file : '');
  };
  return { id: guest.id, disk };
}

test('a disk of a snapshot becomes an image that stands alone and reads as the disk did then', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const { id, disk } = await guestWithDisk(home, client, 'Exporter');
  await ended(client, (await client.call('snapshot.create', { guest: id, name: 'First' })).job);
  writePattern(await disk(), 9, 2 * mib, mib);
  const then = contentOf(await disk());
  const { snapshot, job } = await client.call('snapshot.create', { guest: id, name: 'Second' });
  await ended(client, job);
  writePattern(await disk(), 11, 0, mib);
  const exported = await ended(client, await client.call('snapshot.export', { snapshot: snapshot.id, name: 'Exported' }));
  expect(exported).toMatchObject({ state: 'succeeded', target: { kind: 'image', name: 'Exported' } });
  const image = (await client.call('image.list', {})).find(({ name }) => name === 'Exported');
  expect(image).toMatchObject({ format: 'qcow2', virtualSizeBytes: 64 * mib, source: 'Exporter, snapshot “Second”' });
  const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', image?.path ?? ''], { encoding: 'utf8' }));
  expect(info['backing-filename']).toBeUndefined();
  expect(contentOf(image?.path ?? '')).toBe(then);
  await expect(client.call('snapshot.export', { snapshot: snapshot.id, disk: 'disk7' })).rejects.toMatchObject({
    error: { code: 'snapshot/incomplete', path: 'disk' },
  });
  client.close();
});

test('a change of hardware keeps what the guest was, undoing it leaves the disks as they are, and going back forgets it', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const { id, disk } = await guestWithDisk(home, client, 'Changing');
  const before = contentOf(await disk());
  const { memoryMiB } = (await client.call('guest.show', { guest: id })).spec;
  const edit = await client.call('guest.edit', { guest: id, change: { memoryMiB: memoryMiB * 2 } });
  if (edit.job) await ended(client, edit.job);
  const { snapshots } = await client.call('snapshot.list', { guest: id });
  expect(snapshots.map(({ reason, state }) => [reason, state])).toEqual([['hardware', 'ready']]);
  expect(contentOf(await disk())).toBe(before);

  writePattern(await disk(), 13, 4 * mib, mib);
  const [now, path] = [contentOf(await disk()), await disk()];
  const undone = await client.call('guest.undoEdit', { guest: id });
  if (undone.job) await ended(client, undone.job);
  const { spec } = await client.call('guest.show', { guest: id });
  expect(spec.memoryMiB).toBe(memoryMiB);
  expect(contentOf(await disk())).toBe(now);
  expect((await client.call('guest.edits', { guest: id })).length).toBe(0);

  const again = await client.call('guest.edit', { guest: id, change: { memoryMiB: memoryMiB * 2 } });
  if (again.job) await ended(client, again.job);
  expect(await disk()).not.toBe(path);
  expect((await client.call('guest.edits', { guest: id })).length).toBe(1);
  const [first] = snapshots;
  if (!first) throw new Error('There is no snapshot.');
  expect((await ended(client, await client.call('snapshot.revert', { snapshot: first.id }))).state).toBe('succeeded');
  expect(contentOf(await disk())).toBe(before);
  expect((await client.call('guest.show', { guest: id })).spec.memoryMiB).toBe(memoryMiB);
  expect(await client.call('guest.edits', { guest: id })).toEqual([]);
  client.close();
});

test('the command line takes, lists, draws, renames, goes back to, deletes and brings back snapshots', async () => {
  const home = await engineHome();
  const client = await connect(home);
  await guestWithDisk(home, client, 'Web');
  const run = promisify(execFile);
  const guesthouse = async (...words: string[]) =>
    (
      await run(process.execPath, [join(import.meta.dirname, '../../out/cli/index.js'), 'snapshot', ...words], {
        env: { ...process.env, GUESTHOUSE_HOME: home, NO_COLOR: '1' },
      })
    ).stdout;
  expect(await guesthouse('list', 'Web')).toContain('There are no snapshots.');
  expect(await guesthouse('create', 'Web', 'Fresh', '--note', 'as installed')).toMatch(/Name: +Fresh\n.*Note: +as installed/s);
  await guesthouse('create', 'Web');
  await guesthouse('revert', 'Web', 'Fresh', '--keep');
  await guesthouse('rename', 'Web', 'Snapshot 2', 'Later');
  const lines = (await guesthouse('tree', 'Web')).trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/ {2}.*$/, (rest) => (/^ {2}\S/.test(rest) ? '' : rest)))).toEqual([
    '└─ Fresh',
    expect.stringContaining('Later'),
    expect.stringContaining('Before going back to “Fresh”'),
    '   └─ now',
  ]);
  const later = JSON.parse(await guesthouse('show', 'Web', 'Later', '--json'));
  expect(await guesthouse('delete', 'Web', 'Later')).toContain(later.id);
  expect(await guesthouse('list', 'Web')).not.toContain('Later');
  await guesthouse('restore', later.id);
  expect(await guesthouse('list', 'Web')).toContain('Later');
  expect(await guesthouse('schedule', 'Web', '--on', '--hourly', '3')).toContain('the last 3 hours');
  await expect(guesthouse('show', 'Web', 'Nothing')).rejects.toMatchObject({ code: 3 });
  client.close();
});
