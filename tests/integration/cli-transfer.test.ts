/** `guesthouse image import` of an OVA, `guest import` and `guest export` as a user runs them: the built program and a real engine. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandLine } from '../support/command-line.ts';
import { ova } from '../support/ova-file.ts';
import { engineHome } from '../support/whole-engine.ts';

test('the disks of an OVA come into the library, and each is described', async () => {
  const { guesthouse, ok } = commandLine(await engineHome());
  const folder = await engineHome();
  const { path } = await ova(join(folder, 'in'), { second: true });
  const imported = await ok('image', 'import', path, '--name', 'Rack');
  expect(imported.match(/^Name: +Rack, disk [12]$/gm)).toHaveLength(2);
  expect(imported).toContain(`${path}: web-disk2.vmdk`);
  const { path: wrong } = await ova(join(folder, 'wrong'), { manifest: 'wrong' });
  const refused = await guesthouse('image', 'import', wrong);
  expect(refused.status).toBe(1);
  expect(refused.err).toContain('machine/wrong-hash');
});

test('a guest is exported with its snapshots or without, and comes back with them', async () => {
  const { ok } = commandLine(await engineHome());
  const folder = await engineHome();
  const { path } = await ova(join(folder, 'in'));
  await ok('guest', 'import', path, '--name', 'Web', '--no-boot-test');
  await ok('snapshot', 'create', 'Web', 'one');
  const [all, alone] = [join(folder, 'all.capsule'), join(folder, 'alone.capsule')];
  expect(await ok('guest', 'export', 'Web', all)).toBe(`Exported “Web” to ${all}.\n`);
  await ok('guest', 'export', 'Web', alone, '--without-snapshots');
  const membersOf = (file: string) => execFileSync('tar', ['-tf', file]).toString().trim().split('\n');
  expect(membersOf(all)).toEqual(expect.arrayContaining(['capsule.json', 'layer.1.qcow2', 'disk0.qcow2']));
  expect(membersOf(alone)).toEqual(['capsule.json', 'disk0.qcow2']);
  expect(await ok('guest', 'import', all, '--check')).toContain('Its snapshot comes along');
  await ok('guest', 'import', all, '--name', 'Back', '--no-boot-test');
  expect(await ok('snapshot', 'list', 'Back')).toContain('one');
});
