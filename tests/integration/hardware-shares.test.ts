/** Shared folders in a real guest, by virtiofs and by 9p, and what experts can ask of its hypervisor. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { makeStarterGuest, untilAgent } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

async function openEngine() {
  const home = await engineHome();
  const client = await connect(home);
  onTestFinished(() => client.close());
  return { home, client };
}

async function inside(client: EngineClient, guest: GuestId, command: string): Promise<string> {
  const { stdoutBase64 } = await client.call('guest.exec', { guest, command: ['/bin/sh', '-c', command], timeoutSeconds: 30 });
  return Buffer.from(stdoutBase64, 'base64').toString('utf8').trim();
}

test('a guest reads and writes a folder of this computer, and cannot write one that it may only read', async () => {
  const { home, client } = await openEngine();
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  const work = join(home, 'work, at home');
  const music = join(home, 'music');
  for (const folder of [work, music]) mkdirSync(folder);
  writeFileSync(join(work, 'from-host'), 'hello guest');
  writeFileSync(join(music, 'song'), 'la la');
  await client.call('guest.edit', { guest, change: { shares: [{ path: work }, { path: music, readOnly: true }] } });
  const shares = await client.call('guest.shares', { guest });
  expect(shares.map(({ tag, protocol }) => `${tag} ${protocol}`)).toEqual([
    expect.stringMatching(/^work-at-home (virtiofs|9p)$/),
    'music 9p',
  ]);

  await client.call('guest.start', { guest }, { timeoutMs: 60_000 });
  await untilAgent(client, guest);
  for (const { id: share, folder } of shares) expect(await client.call('guest.mountShare', { guest, share })).toEqual({ folder });
  const [first, second] = shares;
  if (!first || !second) throw new Error('The shares are not there.');
  expect(await inside(client, guest, `cat ${first.folder}/from-host`)).toBe('hello guest');
  await inside(client, guest, `echo hello host > ${first.folder}/from-guest; sync`);
  expect(readFileSync(join(work, 'from-guest'), 'utf8')).toBe('hello host\n');
  expect(await inside(client, guest, `mount | grep -c 'type ${first.protocol}'`)).toBe('1');
  expect(await inside(client, guest, `cat ${second.folder}/song; touch ${second.folder}/mine 2>/dev/null || echo refused`)).toBe(
    'la larefused',
  );
  // A second time is as good.
  await client.call('guest.mountShare', { guest, share: first.id });

  const daemons = () =>
    execFileSync('ps', ['-eo', 'args'])
      .toString()
      .split('\n')
      .filter((line) => line.includes(join(home, 'run', guest, 'share0.sock')) && line.includes('virtiofsd'));
  if (first.protocol === 'virtiofs') expect(daemons().length).toBeGreaterThan(0);
  await expect(client.call('guest.suspend', { guest })).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await client.call('guest.forceOff', { guest });
  expect(daemons()).toEqual([]);
});

test('a folder that is gone keeps the guest from starting, in words', async () => {
  const { home, client } = await openEngine();
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  const folder = join(home, 'gone');
  await expect(client.call('guest.edit', { guest, change: { shares: [{ path: folder }] } })).rejects.toMatchObject({
    error: { code: 'guest/share-missing', path: 'shares.share0.path' },
  });
  mkdirSync(folder);
  await client.call('guest.edit', { guest, change: { shares: [{ path: folder }] } });
  execFileSync('rmdir', [folder]);
  await expect(client.call('guest.start', { guest })).rejects.toMatchObject({ error: { code: 'guest/share-missing' } });
});

test('a folder goes over the console of guests that have a screen, and of no others', async () => {
  const { home, client } = await openEngine();
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  const share = { path: home, tag: 'home', via: 'webdav' } as const;
  const refused = { error: { code: 'guest/spec-invalid', path: 'shares.share0.via' } };
  await expect(client.call('guest.edit', { guest, change: { shares: [share], display: { device: 'none' } } })).rejects.toMatchObject(
    refused,
  );
  await client.call('guest.edit', { guest, change: { shares: [share] } });
  await expect(client.call('guest.edit', { guest, change: { display: { device: 'none' } } })).rejects.toMatchObject({
    error: { code: 'guest/spec-invalid', path: 'display.device' },
  });
  // Nobody is served by a guest that does not run.
  const socket = client.openFolders(guest);
  expect(await new Promise((settle) => socket.once('error', (error) => settle(error.message)))).toMatch(/409/);
});

test('experts ask QEMU, and what might change something is refused and audited apart', async (context) => {
  if (cpus().length < 2) context.skip('there is one processor only');
  const { client } = await openEngine();
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  await client.call('guest.edit', { guest, change: { usbDevices: [{ vendorId: '046d', productId: 'c52b' }] } });
  await client.call('guest.start', { guest }, { timeoutMs: 60_000 });
  const ask = async (command: string, input: Record<string, unknown> = {}) =>
    (await client.call('guest.qmpQuery', { guest, command, arguments: input })).answer;
  expect(await ask('query-status')).toMatchObject({ status: 'running' });
  // A USB device that is not plugged in waits for the day that it is.
  expect(await ask('qom-get', { path: '/machine/peripheral/usb0', property: 'attached' })).toBe(false);
  await client.call('guest.edit', { guest, change: { usbDevices: [] } });
  expect(JSON.stringify(await ask('qom-list', { path: '/machine/peripheral' }))).not.toContain('"usb0"');
  await client.call('guest.edit', { guest, change: { usbDevices: [{ vendorId: '0951', productId: '1666', port: '1-2.1' }] } });
  expect(await ask('qom-get', { path: '/machine/peripheral/usb0', property: 'hostport' })).toBe('2.1');

  // Limits and the watchdog, as QEMU itself has them.
  const { disks } = (await client.call('guest.show', { guest })).spec;
  const limits = { bytesPerSecond: 5_000_000, operationsPerSecond: 200 };
  await client.call('guest.edit', { guest, change: { disks: disks.map((disk) => ({ ...disk, limits })) } });
  expect(JSON.stringify(await ask('query-block'))).toMatch(/"iops":200,.*"bps":5000000|"bps":5000000.*"iops":200/);

  const { pid } = (await client.call('guest.show', { guest })).state.run ?? {};
  await client.call('guest.edit', { guest, change: { cpu: { pins: [1] } } });
  for (const { 'thread-id': thread } of (await ask('query-cpus-fast')) as { 'thread-id': number }[]) {
    expect(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')).toMatch(/Cpus_allowed_list:\t1\n/);
  }
  await untilAgent(client, guest);
  await client.call('guest.edit', { guest, change: { balloonTargetMiB: 192 } });
  await until('the balloon took the memory', async () => ((await ask('query-balloon')) as { actual: number }).actual === 192 * 1024 ** 2);

  await expect(client.call('guest.qmpQuery', { guest, command: 'quit' })).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await client.call('guest.qmpCommand', { guest, command: 'stop' });
  expect(await ask('query-status')).toMatchObject({ status: 'paused' });
  await expect(client.call('guest.qmpCommand', { guest, command: 'no-such-command' })).rejects.toMatchObject({
    error: { code: 'guest/qemu-refused' },
  });
  const calls = (await client.call('audit.list', { limit: 10 })).map(({ call }) => call);
  expect(calls).toContain('guest.qmpCommand');
  expect(calls).not.toContain('guest.qmpQuery');
});
