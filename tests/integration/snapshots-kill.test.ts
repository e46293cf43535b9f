/** Engines that are really killed, at moments that nobody chose, while they make snapshots and take a guest back. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, truncateSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { GuestId, SnapshotId } from '../../contract/ids.ts';
import { diskOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { checkEveryDisk, contentOf, everyDisk, halfFiles, writePattern } from '../support/disk-content.ts';
import { forkEngine } from '../support/fork-engine.ts';
import { addGuest, blankSpec, type GuestEngine, openGuestEngine } from '../support/guest-bench.ts';
import type { EngineOrder } from '../support/guest-engine-process.ts';
import { Life } from '../support/mortal.ts';

vi.mock('node:fs/promises', async (original) => {
  const { mortalFiles } = await import('../support/mortal.ts');
  return mortalFiles(await original<typeof import('node:fs/promises')>());
});

const rounds = 12;
const slowestMs = 150;

async function withEngineOver<T>(home: string, work: (engine: GuestEngine) => Promise<T>): Promise<T> {
  const engine = await openGuestEngine(home);
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

async function addGuestWithDisks(engine: GuestEngine): Promise<GuestId> {
  const disks = ['disk0', 'disk1'].map((disk) =>
    diskOf({ id: disk, location: { kind: 'store', file: `${disk}.qcow2` }, sizeBytes: 4 * 1024 ** 2 }),
  );
  for (const folder of [engine.layout.layers, engine.layout.trash]) mkdirSync(folder, { recursive: true });
  const id = await addGuest(engine, blankSpec({ disks }));
  for (const disk of disks)
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', engine.layout.guest(id).disk(`${disk.id}.qcow2`), '4M']);
  return id;
}

function pathsOf({ guests, layout }: GuestEngine, id: GuestId): string[] {
  return guests.show(id).spec.disks.map(({ location }) => layout.guest(id).disk(location.kind === 'store' ? location.file : ''));
}

test('after an engine was killed with -9 every disk is clean, every snapshot reads as it did, and none is half', async () => {
  const home = await mkdtemp('/tmp/gh-');
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const withEngine = <T>(work: (engine: GuestEngine) => Promise<T>) => withEngineOver(home, work);
  const id = await withEngine(addGuestWithDisks);
  const pathsIn = (engine: GuestEngine) => pathsOf(engine, id);

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
      // Jobs that the dead engine had begun go on, and others come of them: looked at is what came of all.
      for (;;) {
        const [open] = next.jobs.list().filter(({ endedAt }) => endedAt === null);
        if (!open) break;
        await next.jobs.ended(open.id);
      }
      const said = `round ${round}, ${order.verb} killed after ${afterMs} ms`;
      checkEveryDisk(next.layout);
      expect([said, halfFiles(next.layout)]).toEqual([said, []]);
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

test('an overlay of which a part is missing does not become the disk of a guest that was off', async () => {
  const home = await mkdtemp('/tmp/gh-');
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const { id, content } = await withEngineOver(home, async (engine) => {
    const made = await addGuestWithDisks(engine);
    for (const [index, path] of pathsOf(engine, made).entries()) writePattern(path, index + 1, 0, 65_536);
    return { id: made, content: pathsOf(engine, made).map(contentOf) };
  });
  // Nothing, a part of the header, the header, all but the first table.
  const lengths = [0, 100, 4096, 2 * 65_536];
  for (let steps = 0; lengths.length > 0; steps++) {
    const life = new Life();
    const engine = await openGuestEngine(home, { database: life.database });
    const paths = pathsOf(engine, id);
    life.stepsLeft = steps;
    const making = async () => engine.jobs.ended((await engine.snapshots.create(id, {}, 'test')).job.id);
    await life.live(() => making().catch(() => undefined));
    expect(life.isOver).toBe(true);
    await engine.guests.release();
    const { folder } = engine.layout.guest(id);
    // What has a second name is a disk and no overlay.
    const overlays = everyDisk(engine.layout).filter(
      (path) => path.startsWith(folder) && statSync(path).nlink === 1 && !paths.includes(path),
    );
    if (overlays.length === 0) continue;
    const bytes = lengths.pop();
    for (const path of overlays) truncateSync(path, bytes);
    await withEngineOver(home, async (next) => {
      const said = `died after ${steps} steps, ${bytes} bytes of an overlay are there`;
      checkEveryDisk(next.layout);
      expect([said, halfFiles(next.layout)]).toEqual([said, []]);
      expect([said, next.snapshots.tree(id).snapshots]).toEqual([said, []]);
      expect([said, pathsOf(next, id), paths.map(contentOf)]).toEqual([said, paths, content]);
    });
  }
}, 240_000);
