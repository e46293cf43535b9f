/** What is known of many images, from the command line as a user runs it. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { image as imageSchema } from '../../contract/image.ts';
import { commandLine } from '../support/command-line.ts';
import { makeLinuxDisk } from '../support/linux-disk.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

test('images that a search finds are edited at once and taken back, and a series gets another name', async () => {
  const home = await engineHome();
  const client = await connect(home);
  client.close();
  const { guesthouse, ok } = await commandLine(home, 'image');
  for (const name of ['alpha', 'beta', 'gamma']) {
    const disk = await makeLinuxDisk(join(home, `${name}.img`), {
      osRelease: `ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian ${name}"\n`,
      database: { path: 'var/lib/dpkg/status', changedOn: '2026-06-17' },
      kernels: [],
    });
    const { status, err } = await guesthouse('import', disk, '--name', name);
    expect(status, err).toBe(0);
    await ok('edit', name, '--series', 'Web', '--tag', 'lab');
  }
  const shown = async (name: string) => imageSchema.parse(JSON.parse(await ok('show', name, '--json')));

  const said = await ok(
    'edit-all',
    'tag:lab',
    '--untag',
    'lab',
    '--tag',
    'june',
    '--lifecycle',
    'draft',
    '--patch-level',
    '2026-07',
    '--note',
    'Patched.',
  );
  expect(said).toContain('3 images are changed');
  const changed = { tags: ['june'], lifecycle: 'draft', patchLevel: '2026-07', notes: 'Patched.', byHand: ['patchLevel'] };
  expect([await shown('alpha'), await shown('gamma')]).toMatchObject([changed, changed]);
  await ok('edit', 'beta', '--lifecycle', 'deprecated');
  const undone = await ok('undo', /undo (\d+)/.exec(said)?.[1] ?? '');
  expect(undone).toContain('2 images are as before');
  expect(undone).toContain('“beta” stays as it is: Its lifecycle was changed since.');
  const before = { tags: ['lab'], lifecycle: 'published', patchLevel: '2026-06-17', notes: '', byHand: [] };
  expect([await shown('alpha'), await shown('beta'), await shown('gamma')]).toMatchObject([before, { tags: ['june'] }, before]);

  expect(await ok('rename-series', 'web', 'Shop')).toContain('3 images are changed');
  expect((await shown('gamma')).series).toMatchObject({ name: 'Shop', version: 3 });
  expect(await ok('versions', 'Shop')).toContain('alpha');
  await ok('undo');
  expect((await shown('alpha')).series).toMatchObject({ name: 'Web', version: 1 });

  await ok('edit', 'beta', '--series', 'Mail');
  const refusals = [
    [['undo'], 'could be taken back'],
    [['edit-all', 'tag:nobody', '--tag', 'x'], 'No image fits'],
    [['edit-all', 'tag:lab'], 'Nothing was said'],
    [['edit-all', 'tag:lab', '--patch-level', 'June'], 'A patch level is a month or a day'],
    [['rename-series', 'Nobody', 'X'], 'No image is in a series “Nobody”'],
    [['rename-series', 'Web', 'mail'], 'There is a series “mail” already'],
  ] as const;
  for (const [words, reason] of refusals) {
    const { status, err } = await guesthouse(...words);
    expect(status, words.join(' ')).not.toBe(0);
    expect(err).toContain(reason);
  }
  expect(await shown('alpha')).toMatchObject({ ...before, series: { name: 'Web' } });
});
