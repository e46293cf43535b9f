import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { diskOf, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { layoutOf } from '../files/layout.ts';
import { baseNameFor, readBases } from './disk-chain.ts';
import { finishFreeze, freezeDisks, frozenSpec, planFreeze, settleFreezes, stageFreeze, undoFreeze } from './freeze-disks.ts';
import { removeUnusedLayers } from './layer-graph.ts';

/** Stands for the death of the engine: the call that is one too many does nothing, and so does what would follow. */
const disk = vi.hoisted(() => ({ callsLeft: Number.POSITIVE_INFINITY, noLinks: false }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const counted =
    <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    (...args: Args): Promise<Answer> => {
      if (disk.callsLeft-- <= 0) return Promise.reject(new Error('killed'));
      return call(...args);
    };
  return {
    ...real,
    link: counted((from: string, to: string) =>
      disk.noLinks ? Promise.reject(Object.assign(new Error('EPERM: no links here'), { code: 'EPERM' })) : real.link(from, to),
    ),
    rename: counted(real.rename),
    rm: counted(real.rm),
    chmod: counted(real.chmod),
    mkdir: counted(real.mkdir),
    open: counted(real.open),
  };
});
beforeEach(() => {
  disk.callsLeft = Number.POSITIVE_INFINITY;
  disk.noLinks = false;
});

const never = new AbortController().signal;
const sizeBytes = 1024 ** 2;
const twoDisks = () =>
  specOf({ disks: [diskOf({ sizeBytes }), diskOf({ id: 'disk1', location: { kind: 'store', file: 'disk1.qcow2' }, sizeBytes })] });

/** Disks that were written to once, for every store of these tests: they are made for each death of each engine. */
const written = mkdtempSync('/tmp/gh-freeze-');
beforeAll(() => {
  for (const [name, pattern] of [
    ['disk0.qcow2', '0x11'],
    ['disk1.qcow2', '0x22'],
  ] as const) {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(written, name), String(sizeBytes)]);
    write(join(written, name), pattern);
  }
});
afterAll(() => rmSync(written, { recursive: true }));

function store() {
  const home = mkdtempSync('/tmp/gh-freeze-');
  onTestFinished(() => rmSync(home, { recursive: true }));
  const layout = layoutOf({ home, run: join(home, 'run'), logs: home, engineSocket: join(home, 's') });
  const files = layout.guest('g000000000' as GuestId);
  for (const folder of [layout.layers, layout.images, files.folder]) mkdirSync(folder, { recursive: true });
  for (const name of ['disk0.qcow2', 'disk1.qcow2']) {
    copyFileSync(join(written, name), files.disk(name));
  }
  return { layout, files, running: false };
}
type Store = ReturnType<typeof store>;

const write = (path: string, pattern: string) =>
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -P ${pattern} 0 64k`, path], { stdio: 'ignore' });
const holds = (path: string, pattern: string) =>
  execFileSync('qemu-io', ['-r', '-f', 'qcow2', '-c', `read -P ${pattern} 0 64k`, path], { encoding: 'utf8' });
const pathOf = (spec: GuestSpec, files: Store['files'], index: number) => {
  const location = spec.disks[index]?.location;
  return files.disk(location?.kind === 'store' ? location.file : '');
};
const namesIn = ({ layout, files }: Store) => ({ guest: readdirSync(files.folder).sort(), layers: readdirSync(layout.layers).sort() });

async function settle(spec: GuestSpec, parts: Store): Promise<void> {
  await settleFreezes(spec, parts);
  await removeUnusedLayers(parts.layout, new Set());
}

function intact(spec: GuestSpec, parts: Store): void {
  for (const [index, pattern] of ['0x11', '0x22'].entries()) {
    const path = pathOf(spec, parts.files, index);
    expect(holds(path, pattern)).not.toContain('verification failed');
    execFileSync('qemu-img', ['check', '-q', path]);
  }
}

test('frozen disks are layers that nobody writes to, and the guest goes on upon empty overlays', async () => {
  const parts = store();
  let stored: GuestSpec | null = null;
  const plan = await freezeDisks(twoDisks(), parts, never, (spec) => {
    stored = spec;
  });
  const spec = stored as unknown as GuestSpec;
  intact(spec, parts);
  expect(namesIn(parts)).toEqual({
    guest: plan.map(({ overlay }) => overlay).sort(),
    layers: plan.map(({ layer }) => layer).sort(),
  });
  for (const { layer } of plan) expect(statSync(parts.layout.layer(layer)).mode & 0o777).toBe(0o400);
  const [first] = plan;
  const path = pathOf(spec, parts.files, 0);
  const base = parts.layout.layer((first as (typeof plan)[number]).layer);
  expect(await readBases(path, parts.files.bases, 'The disk')).toEqual([{ path: base, format: 'qcow2' }]);
  write(path, '0x33');
  expect(holds(base, '0x11')).not.toContain('verification failed');
  expect(baseNameFor(path, base)).toMatch(/^\.\.\/\.\.\/layers\/l/);
});

test('a disk to which nothing was written since is not frozen again, one that was written to or grew is', async () => {
  const parts = store();
  let spec = twoDisks();
  const commit = (next: GuestSpec) => {
    spec = next;
  };
  const first = await freezeDisks(spec, parts, never, commit);
  write(pathOf(spec, parts.files, 1), '0x44');
  const second = await freezeDisks(spec, parts, never, commit);
  expect(second[0]).toMatchObject({ layer: first[0]?.layer, overlay: null });
  expect(second[1]?.layer).not.toBe(first[1]?.layer);
  execFileSync('qemu-img', ['resize', '-q', '-f', 'qcow2', pathOf(spec, parts.files, 0), '2M']);
  const third = await freezeDisks(spec, parts, never, commit);
  expect(third[0]?.overlay).not.toBeNull();
  expect(third[1]).toMatchObject({ layer: second[1]?.layer, overlay: null });
});

test('killed before the spec is stored nothing has changed, and killed after it all is done, wherever it was', async () => {
  const way = { stage: 0, finish: 0 };
  for (const noLinks of [false, true]) {
    for (let calls = 0; ; calls++) {
      const parts = store();
      disk.noLinks = noLinks;
      const spec = twoDisks();
      const plan = await planFreeze(spec, parts);
      disk.callsLeft = calls;
      const done = await stageFreeze(plan, parts, never).then(
        () => true,
        () => false,
      );
      disk.callsLeft = Number.POSITIVE_INFINITY;
      // Without links only the plan says how the file is called again, which is why it is written down first.
      await undoFreeze(plan, parts);
      await undoFreeze(plan, parts);
      await settle(spec, parts);
      intact(spec, parts);
      expect(namesIn(parts)).toEqual({ guest: ['disk0.qcow2', 'disk1.qcow2'], layers: [] });
      way.stage++;
      if (done) break;
    }
  }
  disk.noLinks = false;
  for (let calls = 0; ; calls++) {
    const parts = store();
    const plan = await planFreeze(twoDisks(), parts);
    await stageFreeze(plan, parts, never);
    const spec = frozenSpec(twoDisks(), plan);
    disk.callsLeft = calls;
    const done = await finishFreeze(plan, parts).then(
      () => true,
      () => false,
    );
    disk.callsLeft = Number.POSITIVE_INFINITY;
    await settle(spec, parts);
    intact(spec, parts);
    expect(namesIn(parts)).toEqual({
      guest: plan.map(({ overlay }) => overlay).sort(),
      layers: plan.map(({ layer }) => layer).sort(),
    });
    way.finish++;
    if (done) break;
  }
  expect(way.stage).toBeGreaterThan(10);
  expect(way.finish).toBeGreaterThan(3);
}, 180_000);

test('a kill that nobody wrote a plan down for leaves only names, which are taken away', async () => {
  for (let calls = 0; ; calls++) {
    const parts = store();
    const spec = twoDisks();
    const plan = await planFreeze(spec, parts);
    disk.callsLeft = calls;
    const done = await stageFreeze(plan, parts, never).then(
      () => true,
      () => false,
    );
    disk.callsLeft = Number.POSITIVE_INFINITY;
    await settle(spec, parts);
    intact(spec, parts);
    expect(namesIn(parts)).toEqual({ guest: ['disk0.qcow2', 'disk1.qcow2'], layers: [] });
    if (done) break;
  }
}, 180_000);

test('what could not be stored is taken back', async () => {
  const parts = store();
  const refused = freezeDisks(twoDisks(), parts, never, () => {
    throw new Error('the database is full');
  });
  await expect(refused).rejects.toThrow('the database is full');
  intact(twoDisks(), parts);
  expect(namesIn(parts)).toEqual({ guest: ['disk0.qcow2', 'disk1.qcow2'], layers: [] });
});

test('a raw disk and one used in place are named, and a running guest is refused where files cannot have two names', async () => {
  const parts = store();
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'fine',
      (thrown: { error: { code: string; message: string } }) => `${thrown.error.code}: ${thrown.error.message}`,
    );
  expect(await codeOf(planFreeze(specOf({ disks: [diskOf({ format: 'raw' })] }), parts))).toBe(
    'layer/not-freezable: The disk disk0 of Debian cannot be frozen: it is raw, and only qcow2 disks can.',
  );
  expect(await codeOf(planFreeze(specOf({ disks: [diskOf({ location: { kind: 'in-place', path: '/vm/a.qcow2' } })] }), parts))).toBe(
    'layer/not-freezable: The disk disk0 of Debian cannot be frozen: it is used in place, at /vm/a.qcow2.',
  );
  disk.noLinks = true;
  const running = { ...parts, running: true };
  expect(await codeOf(freezeDisks(twoDisks(), running, never, () => {}))).toContain('layer/no-links');
  expect(namesIn(parts)).toEqual({ guest: ['disk0.qcow2', 'disk1.qcow2'], layers: [] });
});
