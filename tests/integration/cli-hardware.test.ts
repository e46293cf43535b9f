/** Hardware from the command line, as a user runs it: the built program, a real engine, a guest that is off. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundle } from '../../build/bundle.ts';
import { projectRoot } from '../../build/places.ts';
import { guest as guestSchema } from '../../contract/guest-state.ts';
import { findEngineNode } from '../../main/client/start-engine.ts';
import { makeStarterGuest } from '../support/starter-guest.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

const program = join(projectRoot, 'out', 'cli', 'index.js');

function guesthouse(home: string, ...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((settle, fail) => {
    const child = spawn(findEngineNode(projectRoot).executable, [program, 'guest', ...args], {
      env: { ...process.env, GUESTHOUSE_HOME: home, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', fail);
    child.on('close', (status) => settle({ status, out, err }));
  });
}

test('hardware is changed, limited, shared and taken back from the command line', async () => {
  await bundle(() => undefined, { names: ['engine', 'cli'] });
  const home = await engineHome();
  const client = await connect(home);
  const { id } = await makeStarterGuest(client, 'web');
  client.close();
  const ok = async (...args: string[]) => {
    const { status, out, err } = await guesthouse(home, ...args);
    expect(err).toBe('');
    expect(status, args.join(' ')).toBe(0);
    return out;
  };
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
  expect(await ok('xml', 'web')).toContain('<name>web</name>');
  expect((await ok('undo', 'web', '--list')).trim().split('\n').length).toBeGreaterThan(5);

  const refused = await guesthouse(home, 'disk', 'grow', 'web', 'disk7', '3');
  expect(refused.status).not.toBe(0);
  expect(refused.err).toContain('has no disk7');
  const smaller = await guesthouse(home, 'disk', 'grow', 'web', 'disk1', '1');
  expect(smaller.err).toContain('cannot be made smaller');
});
