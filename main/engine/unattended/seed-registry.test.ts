import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Guest, GuestStatus } from '../../../contract/guest-state.ts';
import { someGuest } from '../../../tests/support/bare-engine.ts';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import { systemClock } from '../clock/clock.ts';
import { layoutOf } from '../files/layout.ts';
import { silentLog } from '../log/log.ts';
import { createSeeds } from './seed-registry.ts';
import { createSeedTools } from './seed-tools.ts';

const form = {
  hostname: 'web-1',
  user: { name: 'ann', fullName: '', password: 'correct-horse', sshKeys: [] },
  locale: 'en_US.UTF-8',
  keyboard: { layout: 'us', variant: '' },
  timeZone: 'Etc/UTC',
  packages: [],
};

/** One guest whose state and snapshots the test decides. */
async function openSeeds() {
  const home = mkdtempSync('/tmp/gh-');
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const layout = layoutOf({ home, run: join(home, 'run'), logs: join(home, 'logs'), engineSocket: join(home, 'run', 'engine.sock') });
  const world = { guest: someGuest(0), memorySnapshot: null as string | null };
  const rest = (status: GuestStatus) => {
    world.guest = { ...world.guest, state: { ...world.guest.state, status } } as Guest;
  };
  const seeds = createSeeds({
    layout,
    database: await freshDatabase(),
    tools: createSeedTools(),
    clock: systemClock,
    log: silentLog,
    guests: () => ({ show: () => world.guest }),
    memorySnapshot: () => world.memorySnapshot,
  });
  return { seeds, world, rest, id: world.guest.id, files: layout.guest(world.guest.id) };
}

const linux = { id: 'debian12', name: 'Debian 12', family: 'linux', version: '12', distro: 'debian' } as const;

test('answers are taken away only from a guest that rests and whose memory is in no snapshot', async () => {
  const { seeds, world, rest, id, files } = await openSeeds();
  await seeds.write(id, await seeds.prepare('cloud-init', form, { os: linux, firmware: 'bios', tpm: false }), null);
  for (const status of ['starting', 'running', 'paused', 'stopping', 'suspending', 'suspended', 'creating'] as const) {
    rest(status);
    await expect(seeds.remove(id), status).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  }
  rest('off');
  world.memorySnapshot = 'Before the update';
  await expect(seeds.remove(id)).rejects.toMatchObject({ error: { code: 'guest/denied', hint: 'Delete that snapshot first.' } });
  expect(existsSync(files.seed)).toBe(true);
  world.memorySnapshot = null;
  await seeds.remove(id);
  expect(existsSync(files.seed)).toBe(false);
  expect([seeds.launch(id), await seeds.show(id)]).toEqual([null, null]);
  await expect(seeds.remove(id)).rejects.toMatchObject({ error: { code: 'seed/not-found' } });
});

test('answers for an installer need its medium, and without one nothing is written', async () => {
  const { seeds, id, files } = await openSeeds();
  const seed = await seeds.prepare('preseed', form, { os: linux, firmware: 'bios', tpm: false });
  await expect(seeds.write(id, seed, null)).rejects.toMatchObject({ error: { code: 'seed/unsupported' } });
  expect([existsSync(files.folder), seeds.launch(id)]).toEqual([false, null]);
});

test('what an installer needs is for its eyes only and gone when it has installed', async () => {
  const { seeds, id, files } = await openSeeds();
  const work = await seeds.write(id, await seeds.prepare('preseed', form, { os: linux, firmware: 'bios', tpm: false }), '/debian.iso');
  expect(work).toMatchObject({ isoPath: '/debian.iso', hasAnswers: true });
  // What a job is given is kept in the database.
  expect(JSON.stringify(work)).not.toContain('ann');
  expect(seeds.launch(id)).toMatchObject({ disc: null, firstStart: { commandLine: 'auto=true priority=critical' } });
  seeds.installed(id);
  expect(seeds.launch(id)).toBeNull();
  await expect.poll(() => readdirSync(files.folder)).toEqual([]);
});
