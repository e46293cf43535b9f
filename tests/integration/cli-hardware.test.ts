/** Hardware from the command line, as a user runs it: the built program, a real engine, a guest that is off and one that runs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guest as guestSchema } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { commandLine } from '../support/command-line.ts';
import { makeStarterGuest, untilStatus } from '../support/starter-guest.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

test('hardware is changed, limited, shared and taken back from the command line', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const { id } = await makeStarterGuest(client, 'web');
  client.close();
  const { guesthouse, ok } = commandLine(home, 'guest');
  const shown = async () => guestSchema.parse(JSON.parse(await ok('show', 'web', '--json'))).spec;

  expect(await ok('edit', 'web', '--memory-mib', '320', '--dry-run')).toContain('memoryMiB changed');
  expect((await shown()).memoryMiB).toBe(256);
  await ok('edit', 'web', '--memory-mib', '320', '--cpus', '1', '--cpus-max', '2', '--balloon-mib', '128', '--boot-menu', 'on');
  expect(await shown()).toMatchObject({ memoryMiB: 320, balloonTargetMiB: 128, bootMenu: true, cpu: { cores: 2, online: 1 } });
  await ok('disk', 'add', 'web', '--gib', '1');
  await ok('disk', 'grow', 'web', 'disk1', '2');
  await ok('disk', 'limit', 'web', 'disk1', '--mib-per-second', '10');
  expect((await shown()).disks[1]).toMatchObject({ id: 'disk1', sizeBytes: 2 * 1024 ** 3, limits: { bytesPerSecond: 10 * 1024 ** 2 } });
  await ok('disk', 'remove', 'web', 'disk1');
  expect(readdirSync(join(home, 'guests', id)).some((name) => name.startsWith('removed-disk1'))).toBe(true);
  await ok('undo', 'web');
  expect((await shown()).disks).toHaveLength(2);
  await ok('nic', 'add', 'web', '--network', 'lab');
  await ok('nic', 'link', 'web', 'nic1', 'off');
  await ok('forward', 'add', 'web', 'tcp:28080:80');
  await ok('share', 'add', 'web', home, '--tag', 'all', '--read-only');
  await ok('usb', 'attach', 'web', '046D:C52B');
  expect(await shown()).toMatchObject({
    nics: [{ forwards: [{ hostPort: 28_080, guestPort: 80 }] }, { mode: 'isolated', network: 'lab', linkUp: false }],
    shares: [{ tag: 'all', path: home, readOnly: true }],
    usbDevices: [{ vendorId: '046d', productId: 'c52b' }],
  });
  expect(await ok('share', 'list', 'web')).toContain('mount -t 9p');
  await ok('share', 'add', 'web', home, '--tag', 'over', '--via', 'webdav');
  expect(await ok('share', 'list', 'web')).toContain('http://localhost:9843/over/');
  expect(await ok('xml', 'web')).toContain('<name>web</name>');
  expect((await ok('undo', 'web', '--list')).trim().split('\n').length).toBeGreaterThan(5);

  const refused = await guesthouse('disk', 'grow', 'web', 'disk7', '3');
  expect(refused.status).not.toBe(0);
  expect(refused.err).toContain('has no disk7');
  const smaller = await guesthouse('disk', 'grow', 'web', 'disk1', '1');
  expect(smaller.err).toContain('cannot be made smaller');
});

/** What QEMU itself says lies in the drives: files by the id of their device. */
async function inDrives(client: EngineClient, guest: GuestId): Promise<(string | null)[]> {
  const { answer } = await client.call('guest.qmpQuery', { guest, command: 'query-block' });
  const drives = (answer as { removable: boolean; inserted?: { image: { filename: string } } }[]).filter(({ removable }) => removable);
  return drives.map(({ inserted }) => inserted?.image.filename ?? null);
}

test('CDs are put in and taken out, and QEMU is asked and told, of a guest that runs', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const { id } = await makeStarterGuest(client, 'web');
  const { guesthouse, ok } = commandLine(home, 'guest');
  const iso = (name: string) => {
    mkdirSync(join(home, name));
    writeFileSync(join(home, name, 'readme.txt'), name);
    execFileSync('xorriso', ['-as', 'mkisofs', '-quiet', '-V', name, '-o', join(home, `${name}.iso`), join(home, name)], { stdio: 'pipe' });
    return join(home, `${name}.iso`);
  };
  const [tools, drivers] = [iso('tools'), iso('drivers')];

  // While it is off, with the first drive by default and another by its name.
  const { guest } = await client.call('guest.edit', { guest: id, change: { cdDrives: [{}, {}] } });
  const second = guest.spec.cdDrives[1]?.id ?? '';
  await ok('cd', 'insert', 'web', '--file', tools);
  const shown = async () => guestSchema.parse(JSON.parse(await ok('show', 'web', '--json'))).spec.cdDrives.map(({ medium }) => medium);
  expect(await shown()).toEqual([{ kind: 'in-place', path: tools }, null]);
  const refusals = [
    [['cd', 'insert', 'web'], 'Which CD?'],
    [['cd', 'insert', 'web', '--file', join(home, 'nowhere.iso')], 'nowhere.iso'],
    [['cd', 'insert', 'web', '--file', tools, '--drive', 'cd7'], 'cd7'],
    [['cd', 'insert', 'web', '--image', 'Nobody'], 'Nobody'],
    [['cd', 'eject', 'web', '--drive', 'cd7'], 'cd7'],
    [['qmp', 'web', 'query-status'], 'is off'],
  ] as const;
  for (const [words, said] of refusals) {
    const { status, err } = await guesthouse(...words);
    expect(status, words.join(' ')).not.toBe(0);
    expect(err).toContain(said);
  }
  expect(await shown()).toEqual([{ kind: 'in-place', path: tools }, null]);

  await ok('start', 'web');
  await untilStatus(client, id, 'running');
  await ok('cd', 'insert', 'web', '--file', drivers, '--drive', second);
  expect(await inDrives(client, id)).toEqual([tools, drivers]);
  await ok('cd', 'eject', 'web');
  expect(await inDrives(client, id)).toEqual([null, drivers]);
  await ok('cd', 'eject', 'web', '--drive', second);
  expect(await inDrives(client, id)).toEqual([null, null]);

  expect(JSON.parse(await ok('qmp', 'web', 'query-status'))).toMatchObject({ running: true });
  expect(JSON.parse(await ok('qmp', 'web', 'qom-get', '{"path":"/machine","property":"type"}'))).toContain('machine');
  const written = await guesthouse('qmp', 'web', 'stop');
  expect(written.status).not.toBe(0);
  expect(written.err).toContain('only questions are allowed');
  expect((await client.call('guest.show', { guest: id })).state.status).toBe('running');
  await ok('qmp', 'web', 'stop', '--write');
  await untilStatus(client, id, 'paused');
  await ok('qmp', 'web', 'cont', '--write');
  await untilStatus(client, id, 'running');
  expect((await guesthouse('qmp', 'web', 'query-nothing')).err).toContain('query-nothing');
  expect((await guesthouse('qmp', 'web', 'qom-get', '[1]')).err).toContain('A JSON object is needed');
  client.close();
});
