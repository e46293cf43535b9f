/** A running guest gives back room: its agent trims its file systems, and QEMU lets go of what they no longer hold. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { succeeded } from '../support/outcomes.ts';
import { makeStarterGuest, untilAgent } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

test('a guest that runs gives back what its file systems no longer hold, by its agent, and is refused without one', async () => {
  const home = await engineHome();
  const client = await connect(home);
  onTestFinished(() => client.close());
  const { id: guest } = await makeStarterGuest(client, 'Trimmed');
  await client.call('guest.start', { guest });
  const early = await client.call('guest.reclaim', { guest }).then(
    () => 'done',
    (thrown) => thrown.error.code,
  );
  expect(['guest/denied', 'guest/agent-absent']).toContain(early);
  await untilAgent(client, guest);
  const [disk] = (await client.call('guest.show', { guest })).spec.disks;
  const path = join(home, 'guests', guest, disk?.location.kind === 'store' ? disk.location.file : '');
  const realBytes = () => statSync(path).blocks * 512;
  const run = (script: string) => client.call('guest.exec', { guest, command: ['/bin/sh', '-c', script], timeoutSeconds: 60 });
  const wrote = await run('dd if=/dev/urandom of=/home/filler bs=1M count=12 && sync && rm /home/filler && sync');
  expect(wrote.exitStatus).toBe(0);
  await until('the disk has grown', () => realBytes() > 10 * 1024 ** 2);
  const before = realBytes();
  const job = await client.call('guest.reclaim', { guest });
  await succeeded(client, job);
  expect(realBytes()).toBeLessThan(before - 8 * 1024 ** 2);
}, 180_000);
