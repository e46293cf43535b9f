import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GuestId, SnapshotId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { diskOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { switchDisks } from '../../main/engine/drivers/qemu/live-disks.ts';
import { QmpClient } from '../../main/engine/qmp/qmp-client.ts';
import { type Figure, type Measure, median, timed } from '../figures.ts';
import { createStarterGuest, withEngine } from '../measured-engine.ts';

const rounds = 9;
const run = promisify(execFile);
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** What rows, checks, fsync and the job add to the files that have to be made, and to the commands that QEMU has to be given. */
export const snapshots: Measure = {
  name: 'snapshots',
  about: 'snapshot.create and snapshot.revert, beside qemu-img and the same QMP commands by hand',
  run: (log) =>
    withEngine(async ({ client }) => {
      const { id } = await createStarterGuest(client, 'snapshots');
      const off: number[] = [];
      const back: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const made = await timed(async () => void (await take(client, id)));
        off.push(made);
        const { currentId } = await client.call('snapshot.list', { guest: id });
        back.push(await timed(() => goBack(client, currentId as SnapshotId)));
        log(`round ${round + 1}: create ${made.toFixed(0)} ms, revert ${back.at(-1)?.toFixed(0)} ms`);
      }
      await client.call('guest.start', { guest: id });
      const live: number[] = [];
      for (let round = 0; round < rounds; round++) live.push(await timed(async () => void (await take(client, id))));
      await client.call('guest.forceOff', { guest: id });
      const bare = await withBareDisk(async (byHand) => ({ off: await byHand.off(), live: await byHand.live() }));
      const figure = (what: string, value: number[], beside: { what: string; value: number[] }): Figure => ({
        what,
        value: median(value),
        unit: 'ms',
        beside: { what: beside.what, value: median(beside.value) },
        aim: null,
      });
      return [
        figure('snapshot.create, guest off, median', off, { what: 'mv and qemu-img create', value: bare.off }),
        figure('snapshot.revert, median', back, { what: 'qemu-img create', value: bare.off }),
        figure('snapshot.create, guest running, median', live, { what: 'qemu-img create and QMP', value: bare.live }),
      ];
    }),
};

async function ended(client: EngineClient, { id }: Job): Promise<void> {
  for (;;) {
    const job = await client.call('job.show', { job: id });
    if (job.state === 'succeeded') return;
    if (job.endedAt !== null) throw new Error(job.error?.message);
    await pause(1);
  }
}

const take = async (client: EngineClient, guest: GuestId) => ended(client, (await client.call('snapshot.create', { guest })).job);
const goBack = async (client: EngineClient, snapshot: SnapshotId) => ended(client, await client.call('snapshot.revert', { snapshot }));

type ByHand = { off(): Promise<number[]>; live(): Promise<number[]> };

/** One disk in a folder of this measurement, and a QEMU that has it open and runs nothing. */
async function withBareDisk<T>(action: (byHand: ByHand) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-bare-'));
  const overlay = (path: string, base: string) =>
    run('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', base, '-F', 'qcow2', path, '1G']);
  const disk = join(folder, 'disk.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1G']);
  let qemu: ReturnType<typeof spawn> | null = null;
  try {
    return await action({
      async off() {
        const took: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const layer = join(folder, `layer${round}.qcow2`);
          took.push(
            await timed(async () => {
              await rename(disk, layer);
              await overlay(disk, layer);
            }),
          );
        }
        return took;
      },
      async live() {
        const socket = join(folder, 'qmp.sock');
        const nodes = [
          { driver: 'file', 'node-name': 'disk0-file', filename: disk },
          { driver: 'qcow2', 'node-name': 'disk0-format', file: 'disk0-file' },
        ].flatMap((node) => ['-blockdev', JSON.stringify(node)]);
        const device = ['-device', 'virtio-blk-pci,id=disk0,drive=disk0-format'];
        const argv = ['-machine', 'q35', '-accel', 'tcg', '-m', '64', '-nodefaults', '-display', 'none', '-S', ...nodes, ...device];
        qemu = spawn('qemu-system-x86_64', [...argv, '-qmp', `unix:${socket},server=on,wait=off`], { stdio: 'ignore' });
        let qmp: QmpClient | null = null;
        while (!qmp) qmp = await QmpClient.connect(socket).catch(() => pause(5).then(() => null));
        const took: number[] = [];
        let base = disk;
        for (let round = 0; round < rounds; round++) {
          const path = join(folder, `live${round}.qcow2`);
          const [client, below] = [qmp, base];
          took.push(
            await timed(async () => {
              await overlay(path, below);
              await switchDisks(client, [{ disk: diskOf(), path }]);
            }),
          );
          base = path;
        }
        qmp.close();
        return took;
      },
    });
  } finally {
    (qemu as ReturnType<typeof spawn> | null)?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}
