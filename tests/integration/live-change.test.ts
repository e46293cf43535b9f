/** A change of a running guest whose second part QEMU itself refuses, after all checks were passed and the first part was made. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { specDifferences } from '../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../contract/guest-spec.ts';
import { cdOf, diskOf, nicOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { addGuest, blankSpec, openBench } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

type Block = { qdev?: string; tray_open?: boolean; inserted?: { file: string; bps: number; iops: number } };

test('when QEMU refuses the second part of a change, it has taken the first back, and the error names the device', async () => {
  const bench = await openBench();
  onTestFinished(() => bench.dispose());
  const { guests } = bench;
  const id = await addGuest(
    bench,
    blankSpec({ disks: [diskOf({ sizeBytes: 2 ** 20 })], cdDrives: [cdOf()], nics: [nicOf({ forwards: [] })] }),
  );
  const { folder, disk } = bench.layout.guest(id);
  mkdirSync(folder, { recursive: true });
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk('disk0.qcow2'), '1M']);
  await guests.start(id);
  const blocks = async () => (await guests.expert(id, 'query-block', {})) as Block[];
  const limitOf = async () => (await blocks()).find(({ qdev }) => qdev?.includes('disk0'))?.inserted?.bps;
  const trayOf = async () => (await blocks()).find(({ qdev }) => qdev?.includes('cd0'));
  const before = guests.show(id).spec;

  const disc = join(bench.home, 'held.iso');
  writeFileSync(disc, Buffer.alloc(2 ** 20));
  // Another program has it open for writing, which nobody but QEMU notices.
  const holder = spawn('qemu-io', ['-f', 'raw', disc], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void holder.kill());
  await once(holder.stdout, 'data');

  const wanted: GuestSpec = {
    ...before,
    disks: [diskOf({ sizeBytes: 2 ** 20, limits: { bytesPerSecond: 5_000_000, operationsPerSecond: null } })],
    cdDrives: [cdOf({ medium: { kind: 'in-place', path: disc } })],
  };
  const differences = specDifferences(before, wanted);
  expect(differences.map(({ path }) => path)).toEqual(['disks.disk0.limits', 'cdDrives.cd0.medium']);
  const change = () =>
    guests.hold(id, 'edit', async ({ run, changeContext }) => {
      await run?.change(differences, wanted, { ...changeContext(), signal: new AbortController().signal });
    });

  // Looked at all the time, so that it is seen that the first part really was there.
  const seen = new Set<number | undefined>();
  let looking = true;
  const looked = (async () => {
    while (looking) seen.add(await limitOf());
  })();
  const refused = await change().catch((thrown: { error: unknown }) => thrown.error);
  looking = false;
  await looked;
  expect(refused).toMatchObject({ code: 'guest/qemu-refused', path: 'cdDrives.cd0.medium', message: expect.stringMatching(/cd0.*lock/s) });
  expect([...seen].sort()).toEqual([0, 5_000_000]);
  expect(await limitOf()).toBe(0);
  expect(await trayOf()).toMatchObject({ tray_open: false });
  expect((await trayOf())?.inserted).toBeUndefined();
  const nodes = (await guests.expert(id, 'query-named-block-nodes', { flat: true })) as { 'node-name'?: string }[];
  expect(nodes.filter((node) => node['node-name']?.startsWith('cd0'))).toEqual([]);
  expect(guests.show(id).spec).toEqual(before);

  // The same change is made as a whole once nothing stands in its way.
  holder.kill();
  await until('the disc is let go of', () => holder.exitCode !== null || holder.signalCode !== null);
  await change();
  expect(await limitOf()).toBe(5_000_000);
  expect((await trayOf())?.inserted?.file).toBe(disc);
}, 60_000);
