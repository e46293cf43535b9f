/** Engines that are really killed, at moments that nobody chose, while they make snapshots and take a guest back. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { SnapshotId } from '../../contract/ids.ts';
import { diskOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { checkEveryDisk, contentOf, writePattern } from '../support/disk-content.ts';
import { forkEngine } from '../support/fork-engine.ts';
import { addGuest, blankSpec, type GuestEngine, openGuestEngine } from '../support/guest-bench.ts';
import type { EngineOrder } from '../support/guest-engine-process.ts';

const rounds = 12;
const slowestMs = 150;

test('after an engine was killed with -9 every disk is clean, every snapshot reads as it did, and none is half', async () => {
  const home = await mkdtemp('/tmp/gh-');
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const withEngine = async <T>(work: (engine: GuestEngine) => Promise<T>): Promise<T> => {
    const engine = await openGuestEngine(home);
    try {
      return await work(engine);
    } finally {
      await engine.close();
    }
  };
  const pathsIn = ({ guests, layout }: GuestEngine) =>
    guests.show(id).spec.disks.map(({ location }) => layout.guest(id).disk(location.kind === 'store' ? location.file : ''));
  const id = await withEngine(async (engine) => {
    const disks = ['disk0', 'disk1'].map((disk) =>
      diskOf({ id: disk, location: { kind: 'store', file: `${disk}.qcow2` }, sizeBytes: 4 * 1024 ** 2 }),
    );
    for (const folder of [engine.layout.layers, engine.layout.trash]) mkdirSync(folder, { recursive: true });
    const made = await addGuest(engine, blankSpec({ disks }));
    for (const disk of disks)
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', engine.layout.guest(made).disk(`${disk.id}.qcow2`), '4M']);
    return made;
  });

  const contents = new Map<SnapshotId, string[]>();
  for (let round = 0; round < rounds; round++) {
    const { before, order } = await withEngine(async (engine) => {
      const paths = pathsIn(engine);
      for (const [index, path] of paths.entries()) writePattern(path, round * 2 + index + 1, ((round * 7 + index) % 32) * 65536, 65536);
      const known = [...contents.keys()];
      const snapshot = known[round % Math.max(1, known.length)];
      const next: EngineOrder =
        round % 3 === 2 && snapshot
          ? { verb: 'revert', id, snapshot, keepPresent: round % 2 === 0 }
          : { verb: 'snapshot', id, memory: false };
      return { before: paths.map(contentOf), order: next };
    });
    const engine = await forkEngine(home);
    const afterMs = Math.floor(Math.random() * slowestMs);
    await engine.orderAndKill(order, afterMs);
    await withEngine(async (next) => {
      // A revert that the dead engine had not decided begins anew by itself: looked at is what came of it.
      for (const { id: resumed } of next.jobs.list(['queued', 'running'])) await next.jobs.ended(resumed);
      const said = `round ${round}, ${order.verb} killed after ${afterMs} ms`;
      checkEveryDisk(next.layout);
      const { snapshots } = next.snapshots.tree(id);
      expect([said, snapshots.filter(({ state }) => state !== 'ready')]).toEqual([said, []]);
      for (const { id: made } of snapshots) if (!contents.has(made)) contents.set(made, before);
      expect([said, [...contents.keys()].filter((one) => !snapshots.some((each) => each.id === one))]).toEqual([said, []]);
      const now = pathsIn(next).map(contentOf);
      const possible = order.verb === 'revert' ? [before, contents.get(order.snapshot)] : [before];
      expect([said, possible.some((one) => JSON.stringify(one) === JSON.stringify(now))]).toEqual([said, true]);
    });
  }
  await withEngine(async ({ snapshots, jobs, ...engine }) => {
    for (const [snapshot, content] of contents) {
      const job = await jobs.ended((await snapshots.revert(snapshot, { keepPresent: false, forceOff: false }, 'test')).id);
      expect(job.state).toBe('succeeded');
      expect(pathsIn({ snapshots, jobs, ...engine } as GuestEngine).map(contentOf)).toEqual(content);
    }
  });
}, 240_000);
