import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { cacheDirectory } from '../../build/places.ts';
import { ensureStarter } from '../../build/starter/make.ts';
import { dataRootAt } from '../../contract/data-root.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { findQemu } from '../../main/engine/drivers/qemu/find-qemu.ts';
import { layoutOf } from '../../main/engine/files/layout.ts';
import { ended } from '../support/outcomes.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

let starterDisk = '';
beforeAll(async () => {
  starterDisk = (await ensureStarter(cacheDirectory(), () => undefined)).diskPath;
}, 600_000);

async function engine(): Promise<{ client: EngineClient; home: string }> {
  const home = await engineHome();
  const client = await connect(home);
  onTestFinished(() => client.close());
  return { client, home };
}

const filesOf = (home: string, id: GuestId) => layoutOf(dataRootAt(home)).guest(id);
const endOf = (client: EngineClient, job: Pick<Job, 'id'>) => ended(client, job, 240_000);

test('a copy that boots is seen to, on an overlay that is gone afterwards, and its picture is kept', async () => {
  const { client, home } = await engine();
  const disk = join(home, 'starter.vmdk');
  run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'vmdk', starterDisk, disk);
  const { guest, job } = await client.call('machine.import', { path: disk, name: 'Tried' });
  const files = filesOf(home, guest.id);
  // While it is tried it has a network card that leads nowhere.
  const argv = await until(
    'the copy to be tried',
    async () => (existsSync(files.run) ? commandLineOf(findQemu(files)?.pid) : null),
    120_000,
  );
  expect(argv).toContain('restrict=on');
  expect(argv).not.toContain('hostfwd');
  const before = sha256(files.disk('disk0.qcow2'));
  expect(await endOf(client, job)).toMatchObject({ state: 'succeeded' });

  const result = await client.call('machine.bootTest', { guest: guest.id });
  expect(result).toMatchObject({ verdict: 'booted' });
  expect(result?.text).toMatch(/read \d+\.\d MiB of its disk and its screen changed/);
  expect(
    Buffer.from(result?.pngBase64 ?? '', 'base64')
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG');
  // The test wrote nothing to the copy, and left nothing but what it found out.
  expect(sha256(files.disk('disk0.qcow2'))).toBe(before);
  expect((await readdir(files.folder)).sort()).toEqual(['boot-test.json', 'boot-test.png', 'disk0.qcow2', 'last-frame.png']);
  expect(existsSync(files.run)).toBe(false);
  expect((await client.call('guest.show', { guest: guest.id })).state.status).toBe('off');
  expect(run('qemu-img', 'compare', '-f', 'qcow2', '-F', 'qcow2', starterDisk, files.disk('disk0.qcow2'))).toContain('identical');
  const events = await client.call('event.list', { guest: guest.id });
  expect(events.map(({ kind }) => kind)).toContain('machine.bootTest');
});

test('a copy with nothing to start on it is imported, and said not to boot', async () => {
  const { client, home } = await engine();
  const disk = join(home, 'empty.raw');
  run('qemu-img', 'create', '-q', '-f', 'raw', disk, '64M');
  const { guest, job } = await client.call('machine.import', { path: disk });
  expect(await endOf(client, job)).toMatchObject({ state: 'succeeded' });
  expect(await client.call('machine.bootTest', { guest: guest.id })).toMatchObject({
    verdict: 'idle',
    text: expect.stringContaining('nothing to start'),
  });
});

test('an engine killed during the test leaves no QEMU running, and the next one finishes the import', async () => {
  const { client, home } = await engine();
  const { guest, job } = await client.call('machine.import', { path: starterDisk, name: 'Killed' });
  const files = filesOf(home, guest.id);
  const first = await until('the copy to be tried', async () => (existsSync(files.run) ? (findQemu(files)?.pid ?? null) : null), 120_000);
  await killEngine(client);
  const next = await connect(home);
  onTestFinished(() => next.close());
  await until('the first QEMU to be ended', async () => commandLineOf(first) === null, 60_000);
  expect(await endOf(next, job)).toMatchObject({ state: 'succeeded' });
  expect(await next.call('machine.bootTest', { guest: guest.id })).toMatchObject({ verdict: 'booted' });
  expect(existsSync(files.run)).toBe(false);
});

function commandLineOf(pid: number | undefined): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') || null;
  } catch {
    return null;
  }
}
