/**
 * Whatever is written, kept, gone back to, deleted and cloned in whatever order, and wherever an engine dies over it: every disk is clean, and
 * every snapshot and every guest reads as a model says. GUESTHOUSE_SNAPSHOT_SEQUENCES says how many sequences are tried (200).
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { GuestId, SnapshotId } from '../../contract/ids.ts';
import { diskOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { baseNameFor } from '../../main/engine/layers/disk-chain.ts';
import { freezeDisks, overlayFile } from '../../main/engine/layers/freeze-disks.ts';
import { everyDisk, halfFiles } from '../support/disk-content.ts';
import { folderInMemory } from '../support/folder-in-memory.ts';
import { blankSpec, type GuestEngine, newGuestId, openGuestEngine } from '../support/guest-bench.ts';
import { Life } from '../support/mortal.ts';

vi.mock('node:fs/promises', async (original) => {
  const { mortalFiles } = await import('../support/mortal.ts');
  return mortalFiles(await original<typeof import('node:fs/promises')>());
});
vi.mock('node:child_process', async (original) => {
  const real = await original<typeof import('node:child_process')>();
  const { mortalSpawn } = await import('../support/mortal.ts');
  return { ...real, spawn: mortalSpawn(real.spawn as (...args: unknown[]) => ReturnType<typeof real.spawn>) };
});

const runTool = promisify(execFile);
const sequences = Number(process.env.GUESTHOUSE_SNAPSHOT_SEQUENCES ?? 200);
/** Half a cluster, so that a write copies what is below it. */
const cellBytes = 32 * 1024;
const cellCount = 16;
const diskBytes = cellBytes * cellCount;
/** Four trials at once have 7 MiB: a database each, and some dozens of disks. */
const roomBytes = 48 * 1024 ** 2;

type Action =
  | { kind: 'write'; guest: number; disk: number; cell: number; cells: number }
  | { kind: 'create'; guest: number }
  | { kind: 'revert'; guest: number; snapshot: number; keep: boolean }
  | { kind: 'delete'; guest: number; snapshot: number }
  | { kind: 'clone'; guest: number };
/** `dies`: the engine ends after so many steps of the action; null when it lives. */
type Step = Action & { dies: number | null };

const pick = fc.nat(7);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      guest: pick,
      disk: fc.nat(1),
      cell: fc.nat(cellCount - 4),
      cells: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('create' as const), guest: pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('revert' as const), guest: pick, snapshot: pick, keep: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), guest: pick, snapshot: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clone' as const), guest: pick }) },
);
const dies = fc.option(fc.nat(60), { freq: 2 });
const step: fc.Arbitrary<Step> = fc.tuple(action, dies).map(([one, when]) => ({ ...one, dies: when }));

/** What a disk reads as: the pattern of each cell. */
type Content = number[];
type Contents = Content[];
const sameContents = (a: Contents, b: Contents) => JSON.stringify(a) === JSON.stringify(b);

class Trial {
  readonly home: string;
  readonly time = { nowMs: Date.parse('2026-11-25T10:00:00Z') };
  readonly guests = new Map<GuestId, Contents>();
  readonly snapshots = new Map<SnapshotId, Contents>();
  engine!: GuestEngine;
  life!: Life;
  #pattern = 0;
  readonly #past: { life: Life; engine: GuestEngine }[] = [];

  constructor(home: string) {
    this.home = home;
  }

  async begin(): Promise<void> {
    const life = new Life();
    const clock = { nowMs: () => this.time.nowMs };
    const engine = await life.live(() => openGuestEngine(this.home, { clock, database: life.database }));
    if (!engine) throw new Error('An engine died that should not.');
    this.life = life;
    this.engine = engine;
    this.#past.push({ life, engine });
    mkdirSync(engine.layout.layers, { recursive: true });
    mkdirSync(engine.layout.trash, { recursive: true });
  }

  /** Another engine where the one before died. */
  async takeOver(): Promise<void> {
    this.life.end();
    await this.begin();
    await this.settle();
  }

  async end(): Promise<void> {
    for (const { life, engine } of this.#past) {
      life.end();
      await engine.guests.release().catch(() => undefined);
    }
    await rm(this.home, { recursive: true, force: true });
  }

  addGuest(id: GuestId, files: string[], contents: Contents): void {
    const disks = files.map((file, index) => diskOf({ id: `disk${index}`, location: { kind: 'store', file }, sizeBytes: diskBytes }));
    const spec = blankSpec({ name: `Guest ${id}`, disks });
    this.engine.guests.beginCreation(id, spec);
    this.engine.guests.finishCreation(id, spec);
    this.guests.set(id, contents);
  }

  addEmptyGuest(): void {
    const id = newGuestId();
    const { folder, disk } = this.engine.layout.guest(id);
    mkdirSync(folder, { recursive: true });
    for (const file of ['disk0.qcow2', 'disk1.qcow2'])
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk(file), String(diskBytes)]);
    this.addGuest(
      id,
      ['disk0.qcow2', 'disk1.qcow2'],
      [0, 1].map(() => Array(cellCount).fill(0)),
    );
  }

  paths(id: GuestId): string[] {
    const { disk } = this.engine.layout.guest(id);
    return this.engine.guests.show(id).spec.disks.map(({ location }) => disk(location.kind === 'store' ? location.file : ''));
  }

  /** Until every job has ended, also those that tidy up. */
  async settle(): Promise<void> {
    for (;;) {
      const open = this.engine.jobs.list().filter(({ endedAt }) => endedAt === null);
      if (open.length === 0) return;
      await this.life.live(() => Promise.all(open.map(({ id }) => this.engine.jobs.ended(id))));
      if (this.life.isOver) return;
    }
  }

  async play({ dies: when, ...one }: Step): Promise<void> {
    const ids = [...this.guests.keys()];
    const id = ids[one.guest % ids.length] as GuestId;
    if (one.kind === 'write') return this.write(id, one.disk, one.cell, one.cells);
    if (when !== null) this.life.stepsLeft = when;
    const before = structuredClone(this.guests.get(id) as Contents);
    const mine = this.engine.snapshots.tree(id).snapshots;
    const snapshot = 'snapshot' in one ? mine[one.snapshot % Math.max(1, mine.length)]?.id : undefined;
    const known = new Set(this.snapshots.keys());
    await this.life.live(() => this.carryOut(one, id, snapshot).catch(() => undefined));
    await this.settle();
    if (this.life.isOver) {
      await this.takeOver();
      await this.check();
    }
    this.life.stepsLeft = Number.POSITIVE_INFINITY;
    // What came of it is whole or not there, and which of the two only the engine can say.
    const now = this.engine.snapshots.tree(id).snapshots;
    for (const { id: made, state } of now) {
      expect(state).toBe('ready');
      if (!known.has(made)) this.snapshots.set(made, before);
    }
    if (one.kind === 'revert' && snapshot) {
      const then = this.snapshots.get(snapshot) as Contents;
      const read = await readAll(this.paths(id));
      expect(sameContents(read, then) || (when !== null && sameContents(read, before))).toBe(true);
      this.guests.set(id, structuredClone(read));
    }
    for (const made of known) {
      const isGone = !this.everySnapshot().includes(made);
      if (isGone) expect([one.kind, made]).toEqual(['delete', snapshot]);
      if (isGone) this.snapshots.delete(made);
    }
  }

  everySnapshot(): SnapshotId[] {
    return [...this.guests.keys()].flatMap((id) => this.engine.snapshots.tree(id).snapshots.map((one) => one.id));
  }

  async carryOut(one: Exclude<Action, { kind: 'write' }>, id: GuestId, snapshot: SnapshotId | undefined): Promise<void> {
    const { snapshots, jobs } = this.engine;
    if (one.kind === 'create') {
      await jobs.ended((await snapshots.create(id, {}, 'test')).job.id);
    } else if (one.kind === 'clone') {
      await this.clone(id);
    } else if (snapshot && one.kind === 'revert') {
      await jobs.ended((await snapshots.revert(snapshot, { keepPresent: one.keep, forceOff: false }, 'test')).id);
    } else if (snapshot) {
      snapshots.delete(snapshot);
      this.time.nowMs += 10 * 60_000;
      await snapshots.tick();
    }
    this.time.nowMs += 1000;
  }

  /** A guest of its own upon the same layers. */
  async clone(id: GuestId): Promise<void> {
    const { guests, layout } = this.engine;
    const plan = await guests.hold(id, 'snapshot', (held) =>
      freezeDisks(held.stored.spec, { layout, files: held.files, running: false }, new AbortController().signal, (spec) =>
        held.save({ spec }, (write) => write()),
      ),
    );
    const cloneId = newGuestId();
    const clone = layout.guest(cloneId);
    mkdirSync(clone.folder, { recursive: true });
    const names = plan.map(({ diskId, layer }) => {
      const file = overlayFile(diskId);
      const base = baseNameFor(clone.disk(file), layout.layer(layer));
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', base, '-F', 'qcow2', clone.disk(file), String(diskBytes)]);
      return file;
    });
    this.addGuest(cloneId, names, structuredClone(this.guests.get(id) as Contents));
  }

  async write(id: GuestId, disk: number, cell: number, cells: number): Promise<void> {
    this.#pattern = (this.#pattern % 250) + 1;
    const path = this.paths(id)[disk] as string;
    await runTool('qemu-io', ['-f', 'qcow2', '-c', `write -P ${this.#pattern} ${cell * cellBytes} ${cells * cellBytes}`, path]);
    this.guests.get(id)?.[disk]?.fill(this.#pattern, cell, cell + cells);
  }

  async verify(): Promise<void> {
    for (const [id, contents] of this.guests) expect(await readAll(this.paths(id))).toEqual(contents);
  }

  /** Rejects with what `qemu-img check` says of a disk that is not clean. */
  async check(): Promise<void> {
    expect(halfFiles(this.engine.layout)).toEqual([]);
    for (const path of everyDisk(this.engine.layout)) await runTool('qemu-img', ['check', '-q', '-f', 'qcow2', path]);
  }

  /** Goes back to every snapshot that is left and looks what the guest reads. */
  async verifySnapshots(): Promise<void> {
    for (const id of this.guests.keys()) {
      for (const { id: snapshot } of this.engine.snapshots.tree(id).snapshots) {
        const { jobs, snapshots } = this.engine;
        const job = await this.life.live(async () =>
          jobs.ended((await snapshots.revert(snapshot, { keepPresent: false, forceOff: false }, 'test')).id),
        );
        expect(job).toMatchObject({ state: 'succeeded' });
        await this.settle();
        const then = this.snapshots.get(snapshot) as Contents;
        expect(await readAll(this.paths(id))).toEqual(then);
        this.guests.set(id, structuredClone(then));
      }
    }
  }
}

/** What disks read as, by qemu-io: one process for all of them. */
async function readAll(paths: readonly string[]): Promise<Contents> {
  const commands = paths.flatMap((path) => [
    '-c',
    `open -r -o driver=qcow2 ${path}`,
    ...Array.from({ length: cellCount }, (_, cell) => ['-c', `read -v ${cell * cellBytes + 512} 16`]).flat(),
    ...Array.from({ length: cellCount }, (_, cell) => ['-c', `read -v ${(cell + 1) * cellBytes - 16} 16`]).flat(),
    '-c',
    'close',
  ]);
  const { stdout: out } = await runTool('qemu-io', commands, { maxBuffer: 64 * 1024 ** 2 });
  const bytes = [...out.matchAll(/^[0-9a-f]{8}: {2}((?:[0-9a-f]{2} ){15}[0-9a-f]{2})/gm)].map((match) => {
    const values = new Set((match[1] ?? '').split(' '));
    return values.size === 1 ? Number.parseInt([...values][0] ?? '', 16) : Number.NaN;
  });
  return paths.map((_, index) => {
    const mine = bytes.slice(index * cellCount * 2, (index + 1) * cellCount * 2);
    // The beginning and the end of a cell must agree.
    return Array.from({ length: cellCount }, (__, cell) =>
      mine[cell] === mine[cell + cellCount] ? (mine[cell] ?? Number.NaN) : Number.NaN,
    );
  });
}

/** Side by side, since most of the time goes by waiting for tools, and for the disk where there is no room in memory. */
const parts = 4;
for (let part = 1; part <= parts; part++) {
  test.concurrent(
    `after any sequence, engines dying in it or not, disks are clean and every snapshot reads as it did (${part} of ${parts})`,
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
          const trial = new Trial(folderInMemory(roomBytes));
          try {
            await trial.begin();
            trial.addEmptyGuest();
            for (const one of steps) {
              await trial.play(one);
              await trial.verify();
            }
            await trial.check();
            await trial.verifySnapshots();
            await trial.verify();
            await trial.check();
          } finally {
            await trial.end();
          }
        }),
        { numRuns: Math.ceil(sequences / parts), endOnFailure: true },
      );
    },
    sequences * 10_000,
  );
}
