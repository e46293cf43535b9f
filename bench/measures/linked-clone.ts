import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Guest } from '../../contract/guest-state.ts';
import { jobEnded } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { type Figure, type Measure, median, timed } from '../figures.ts';
import { createStarterGuest, withEngine } from '../measured-engine.ts';

const execute = promisify(execFile);
const rounds = 15;
const sizes = [
  { said: '1 GiB', gib: null },
  { said: '1 TiB', gib: 1024 },
] as const;
const many = 50;

/** From the call to the end of its job: the row, the frozen disk, the overlay, all of it durable. */
export const linkedClone: Measure = {
  name: 'linked-clone',
  about: 'guest.clone until the clone can be started, beside “qemu-img create -b” alone',
  run: (log) =>
    withEngine(async ({ client, home }) => {
      const figures: Figure[] = [];
      for (const { said, gib } of sizes) {
        const original = await createStarterGuest(client, `Original of ${said}`, gib === null ? {} : { diskGiB: gib });
        const first = await timed(() => clone(client, original, `First of ${said}`, 1));
        const freezing: number[] = [];
        const ours: number[] = [];
        const bare: number[] = [];
        for (let round = 0; round < rounds; round += 1) {
          // What was written to since it was last frozen is frozen anew.
          await writeTo(client, home, original);
          freezing.push(await timed(() => clone(client, original, `${said} frozen {n}`, 1)));
          ours.push(await timed(() => clone(client, original, `${said} {n}`, 1)));
          bare.push(await createBare(join(home, 'guests', original.id), original));
        }
        log(
          `${said}: ${median(ours).toFixed(0)} ms, with freezing ${median(freezing).toFixed(0)} ms, the very first ${first.toFixed(0)} ms, bare ${median(bare).toFixed(0)} ms`,
        );
        const beside = { what: 'qemu-img create -b', value: median(bare) };
        figures.push(
          { what: `linked clone of ${said}, median`, value: median(ours), unit: 'ms', beside, aim: { kind: 'value', limit: 100 } },
          {
            what: `linked clone of ${said}, with freezing, median`,
            value: median(freezing),
            unit: 'ms',
            beside,
            aim: { kind: 'value', limit: 100 },
          },
        );
      }
      const original = await createStarterGuest(client, 'Original of many', {});
      const each = (await timed(() => clone(client, original, 'many {nn}', many))) / many;
      figures.push({
        what: `${many} linked clones in one job, each`,
        value: each,
        unit: 'ms',
        beside: null,
        aim: { kind: 'value', limit: 100 },
      });
      return figures;
    }),
};

async function writeTo(client: EngineClient, home: string, { id }: Guest): Promise<void> {
  const location = (await client.call('guest.show', { guest: id })).spec.disks[0]?.location;
  const path = join(home, 'guests', id, location?.kind === 'store' ? location.file : '');
  await execute('qemu-io', ['-f', 'qcow2', '-c', 'write -P 1 0 64k', path]);
}

async function clone(client: EngineClient, { id }: Guest, name: string, count: number): Promise<void> {
  const { job } = await client.call('guest.clone', { guest: id, name, count, newIdentity: false });
  for (;;) {
    const now = await client.call('job.show', { job: job.id });
    if (now.state === 'succeeded') return;
    if (jobEnded.has(now.state)) throw new Error(`cloning ${now.state}: ${now.error?.message}`);
    // Asked without a break, the engine would answer instead of working.
    await pause(2);
  }
}

/** @returns ms */
async function createBare(folder: string, { spec }: Guest): Promise<number> {
  const target = await mkdtemp(join(tmpdir(), 'gh-bare-'));
  try {
    const location = spec.disks[0]?.location;
    const base = join(folder, location?.kind === 'store' ? location.file : '');
    const size = String(spec.disks[0]?.sizeBytes);
    return await timed(() =>
      execute('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', base, '-F', 'qcow2', join(target, 'clone.qcow2'), size]),
    );
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}
