/** What is known of many images and what is made of them, from the command line as a user runs it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { guest as guestSchema } from '../../contract/guest-state.ts';
import { image as imageSchema } from '../../contract/image.ts';
import { commandLine } from '../support/command-line.ts';
import { makeLinuxDisk } from '../support/linux-disk.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

test('images that a search finds are edited at once and taken back, and a series gets another name', async () => {
  const home = await engineHome();
  const client = await connect(home);
  client.close();
  const { guesthouse, ok } = commandLine(home, 'image');
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

test('a template is made of an image, and what is out of date is moved to the newest version or says why not', async () => {
  const home = await engineHome();
  const client = await connect(home);
  client.close();
  const { guesthouse, ok } = commandLine(home);
  for (const [pattern, name] of [
    [1, 'first'],
    [2, 'second'],
  ] as const) {
    const path = join(home, `${name}.qcow2`);
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '64M']);
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -P ${pattern} 1M 1M`, path]);
    const { status, err } = await guesthouse('image', 'import', path, '--name', name);
    expect(status, err).toBe(0);
  }
  const guests = async () => z.array(guestSchema).parse(JSON.parse(await ok('guest', 'list', '--json')));
  const made = await guesthouse('guest', 'template', '--image', 'first', '--name', 'Golden');
  expect(made).toMatchObject({ status: 0, out: '“Golden” is a template.\n' });
  expect(await guests()).toMatchObject([{ spec: { name: 'Golden' }, state: { status: 'template' } }]);
  await ok('guest', 'edit', 'Golden', '--memory-mib', '640');
  expect((await guests())[0]?.spec.memoryMiB).toBe(640);
  for (const words of [
    ['guest', 'template'],
    ['guest', 'template', 'Golden', '--image', 'first'],
  ]) {
    expect((await guesthouse(...words)).err).toContain('What should the template be made of?');
  }

  await ok('image', 'edit', 'first', '--series', 'Web');
  expect(await ok('image', 'outdated', '--rebase')).toBe('No guest is out of date.\n');
  await ok('image', 'edit', 'second', '--series', 'Web');
  expect((await guesthouse('guest', 'template', '--image', 'first', '--name', 'Written')).status).toBe(0);
  const written = (await guests()).find(({ spec }) => spec.name === 'Written');
  const location = written?.spec.disks[0]?.location;
  const disk = join(home, 'guests', written?.id ?? '', location?.kind === 'store' ? location.file : '');
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 9 8M 64k', disk]);
  const { status, out } = await guesthouse('image', 'outdated', '--rebase');
  expect(status).toBe(0);
  expect(out).toContain('“Golden” builds upon “second”.');
  expect(out).toContain('“Written” stays as it is: The disk disk0 of Written holds data of its own');
  expect(await ok('image', 'outdated')).not.toContain('Golden');
});
