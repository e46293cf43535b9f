/** `guesthouse image download`, `image move`, `image reclaim` and `storage …` as a user runs them: the built program and a real engine. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { downloadList } from '../../contract/download.ts';
import { storageReport } from '../../contract/storage.ts';
import { type CommandRun, runGuesthouse } from '../support/command-line.ts';
import { startFileServer } from '../support/file-server.ts';
import { engineHome } from '../support/whole-engine.ts';

const memtest = readFileSync('/usr/lib/memtest86+/memtest86+x64.iso');
const sha256 = createHash('sha256').update(memtest).digest('hex');

async function commandLine(): Promise<(...words: string[]) => Promise<CommandRun>> {
  const home = await engineHome();
  const environment = { GUESTHOUSE_STARTER: join(home, 'no-starter') };
  return (...words) => runGuesthouse(home, words, { environment });
}

test('the list of downloads, a download from an address, and what is refused, on the command line', async () => {
  const guesthouse = await commandLine();
  const listed = await guesthouse('image', 'download');
  expect(listed).toMatchObject({ status: 0, err: '' });
  expect(listed.out).toMatch(/^ENTRY +SIZE +STATE +WHAT$/m);
  expect(listed.out).toMatch(/^alpine-virt +[\d.]+ MiB +Alpine Linux, for virtual machines \(newest stable\)$/m);
  const { entries } = downloadList.parse(JSON.parse((await guesthouse('image', 'download', 'list', '--json')).out));
  expect(entries.length).toBeGreaterThanOrEqual(25);

  const server = await startFileServer();
  server.serve('/disc.iso', memtest);
  expect(await guesthouse('image', 'download', `${server.origin}/disc.iso`, '--sha256', sha256, '--name', 'Tester')).toMatchObject({
    status: 0,
    out: '“Tester” is in the library.\n',
  });
  const wrong = await guesthouse('image', 'download', `${server.origin}/disc.iso?again`, '--sha256', '0'.repeat(64));
  expect(wrong).toMatchObject({ status: 1, out: '' });
  expect(wrong.err).toContain('download/checksum-mismatch');
  expect(await guesthouse('image', 'download', 'disc.iso', '--discard')).toMatchObject({
    status: 0,
    out: 'What was kept of “disc.iso” is deleted.\n',
  });
  expect((await guesthouse('image', 'download', 'disc.iso', '--discard')).status).toBe(3);
  const unknown = await guesthouse('image', 'download', 'alpine');
  expect(unknown.status).toBe(3);
  expect(unknown.err).toContain('alpine-virt');
  expect((await guesthouse('image', 'download', 'windows-11')).status).toBe(4);
  expect((await guesthouse('image', 'download', 'ftp://example.com/a.iso')).status).toBe(2);
  expect((await guesthouse('image', 'download', 'alpine-virt', '--sha256', sha256)).status).toBe(2);
});

test('what takes up room, another location, and an image that moves there and back, on the command line', async () => {
  const guesthouse = await commandLine();
  await guesthouse('image', 'import', '/usr/lib/memtest86+/memtest86+x64.iso', '--name', 'Tester');
  const folder = mkdtempSync('/tmp/gh-other-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  expect((await guesthouse('storage', 'list')).out).toContain('There are none');
  expect(await guesthouse('storage', 'add', 'Big disk', folder)).toMatchObject({ status: 0, out: `“Big disk” is ${folder}.\n` });
  expect((await guesthouse('storage', 'add', 'Again', folder)).status).toBe(2);
  expect(await guesthouse('image', 'move', 'Tester', 'Big disk')).toMatchObject({ status: 0, out: '“Tester” lies in “Big disk” now.\n' });
  expect((await guesthouse('storage', 'list')).out).toMatch(/^Big disk +\S+ GiB +1 +0 +\/tmp\/gh-other-/m);
  expect((await guesthouse('storage', 'remove', 'Big disk')).status).toBe(4);
  expect((await guesthouse('image', 'move', 'Tester', 'Nowhere')).status).toBe(3);
  const report = await guesthouse('storage', 'report');
  expect(report.out).toMatch(/^images +\S+ \S+ +\S+ \S+ +\d+$/m);
  expect(report.out).toMatch(/^Tester +\d\S* MiB/m);
  const { images } = storageReport.parse(JSON.parse((await guesthouse('storage', 'report', '--json')).out));
  expect(images[0]?.location).not.toBeNull();
  expect((await guesthouse('image', 'reclaim', 'Tester')).out).toMatch(/^“Tester” (gave back|had nothing)/);
  expect((await guesthouse('image', 'move', 'Tester')).status).toBe(0);
  expect((await guesthouse('guest', 'create', 'web', '--image', 'Tester', '--location', 'Nowhere')).status).toBe(3);
  expect((await guesthouse('guest', 'create', 'web', '--image', 'Tester', '--location', 'Big disk')).status).toBe(0);
  expect((await guesthouse('storage', 'list')).out).toMatch(/^Big disk +\S+ GiB +0 +1 +\/tmp\/gh-other-/m);
  expect(await guesthouse('guest', 'move', 'web', '--to', 'home')).toMatchObject({ status: 0, out: 'web lies in the data folder now.\n' });
  expect(await guesthouse('guest', 'move', 'web', '--to', 'Big disk')).toMatchObject({ status: 0, out: 'web lies in “Big disk” now.\n' });
  expect((await guesthouse('guest', 'move', 'web', '--to', 'Nowhere')).status).toBe(3);
  expect((await guesthouse('storage', 'default', '--guests', 'Big disk')).out).toMatch(
    /^New guests: Big disk\nNew images: the data folder, /,
  );
  expect((await guesthouse('guest', 'clone', 'web', 'web2', '--location', 'home')).status).toBe(0);
  expect((await guesthouse('storage', 'list')).out).toMatch(/^Big disk +\S+ GiB +0 +1 +\/tmp\/gh-other-/m);
  expect((await guesthouse('storage', 'remove', 'Big disk')).status).toBe(4);
  for (const name of ['web', 'web2']) {
    expect((await guesthouse('guest', 'delete', name)).status).toBe(0);
    expect((await guesthouse('guest', 'delete', name, '--purge')).status).toBe(0);
  }
  expect((await guesthouse('storage', 'remove', 'Big disk')).status).toBe(0);
  expect((await guesthouse('storage', 'duplicates')).out).toBe('No two files have the same content.\n');
  expect((await guesthouse('storage', 'delete-orphan', 'images')).status).toBe(4);
});
