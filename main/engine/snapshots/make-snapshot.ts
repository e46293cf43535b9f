/**
 * Makes a snapshot of a guest whose turn it is.
 *
 * ```
 *   row "making" with the plan ─► names and overlays ─► [the guest stands still: disks switched, memory, firmware] ─► one transaction:
 *   the row is whole, the spec names the overlays, the present builds upon it ─► the guest goes on ─► old names go
 * ```
 * As long as the transaction is not made the guest has not written to an overlay, for it stands still from before they are switched. So
 * whoever finds the row "making" takes it back, unless QEMU writes to the overlays already: then the layers stay and the snapshot,
 * if it is complete, comes to be (`settle`).
 *
 * INVARIANT: a snapshot is of all disks at one instant, and whole or not there, wherever the engine or QEMU is killed
 * (`tests/integration/snapshots-property.test.ts`, `tests/integration/snapshots-live.test.ts`).
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { ByteProgress, DriverRun } from '../drivers/driver.ts';
import type { Layout } from '../files/layout.ts';
import type { HeldGuest } from '../guests/held-guest.ts';
import { chainMaxLength, readBases } from '../layers/disk-chain.ts';
import {
  type FreezeParts,
  type FreezePlan,
  finishFreeze,
  frozenSpec,
  isEmptyOverlay,
  planFreeze,
  stageFreeze,
  undoFreeze,
} from '../layers/freeze-disks.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Log } from '../log/log.ts';
import { keepFirmware, keepMemory, keepThumbnail } from './kept-state.ts';
import type { Making, SnapshotStore, StoredSnapshot } from './store.ts';

export type MakeParts = {
  layout: Layout;
  store: SnapshotStore;
  lineageLock: LineageLock;
  log: Log;
};

/** Some room below the most that is accepted, so that a disk with many snapshots can still be cloned. */
const chainRoom = 10;
const endingTimeoutMs = 5_000;

export async function makeSnapshot(
  parts: MakeParts,
  held: HeldGuest,
  begun: StoredSnapshot,
  signal: AbortSignal,
  progress: ByteProgress,
): Promise<void> {
  const { store, layout } = parts;
  const { spec, saved } = held.stored;
  const { run, files } = held;
  const cancel = AbortSignal.any([signal, held.cutShort]);
  const freeze: FreezeParts = { layout, files, running: run !== null };
  mustHaveItsDisks(held);
  await mustHaveRoomInChains(held);
  cancel.throwIfAborted();
  const plan = await planFreeze(spec, freeze);
  const wasRunning = run !== null && held.state.status === 'running';
  const row: StoredSnapshot = {
    ...begun,
    parentId: store.currentOf(held.id),
    guestWas: run ? (wasRunning ? 'running' : 'paused') : saved ? 'suspended' : 'off',
    spec,
    disks: plan.map(({ diskId, layer }) => ({ id: diskId, layer, sizeBytes: sizeOf(spec, diskId) })),
    making: { plan, wantsMemory: begun.making?.wantsMemory ?? false, wasRunning },
  };
  store.save(row);
  try {
    await parts.lineageLock(() => stageFreeze(plan, freeze, cancel));
    if (run) await makeOfRunning(parts, held, run, row, plan, cancel, progress);
    else await makeOfResting(parts, held, row, plan);
  } catch (thrown) {
    await takeBack(parts, held, row);
    throw cancel.aborted ? cancel.reason : thrown;
  }
  await finishFreeze(plan, freeze).catch((thrown: unknown) => {
    parts.log.warn({ error: thrown, guest: held.id }, 'The old names of frozen disks could not be taken away; the next engine does it.');
  });
}

async function makeOfResting(parts: MakeParts, held: HeldGuest, row: StoredSnapshot, plan: FreezePlan): Promise<void> {
  const { files, stored } = held;
  const kept = files.snapshot(row.id);
  const firmware = await keepFirmware(files, kept);
  await keepThumbnail(files, kept);
  if (stored.saved) await keepMemory(files, kept);
  commit(parts, held, { ...row, ...firmware, memory: stored.saved }, plan);
}

async function makeOfRunning(
  parts: MakeParts,
  held: HeldGuest,
  run: DriverRun,
  row: StoredSnapshot,
  plan: FreezePlan,
  cancel: AbortSignal,
  progress: ByteProgress,
): Promise<void> {
  const { files } = held;
  const kept = files.snapshot(row.id);
  const { wantsMemory } = row.making as Making;
  await held.keepFrame();
  await keepThumbnail(files, kept);
  cancel.throwIfAborted();
  // Memory holds what the file systems have not written yet; without it they are brought to rest.
  const quiesced = !wantsMemory && held.state.status === 'running' && (await run.quiesce());
  try {
    await run.whileStill(async (still) => {
      try {
        await still.switchDisks(overlaysOf(held.stored.spec, plan, (file) => files.disk(file)));
        if (wantsMemory) await still.saveMemory(kept.memory, cancel, progress);
        const firmware = await keepFirmware(files, kept);
        const memory = wantsMemory ? memoryOf(run, held.stored) : null;
        commit(parts, held, { ...row, ...firmware, memory, quiesced }, plan);
      } catch (thrown) {
        // Before the guest goes on, so that it never writes where its spec does not say.
        await takeBack(parts, held, row);
        throw thrown;
      }
    });
  } finally {
    if (quiesced) await run.unquiesce();
  }
}

/** With what the memory was saved, so that it can be loaded again. */
const memoryOf = ({ facts }: DriverRun, { spec, run }: HeldGuest['stored']): StoredSnapshot['memory'] => ({
  machine: facts.machine ?? spec.machine,
  accelerator: facts.accelerator,
  spec: run?.spec ?? null,
  plugged: facts.plugged,
});

export function overlaysOf(spec: GuestSpec, plan: FreezePlan, pathOf: (file: string) => string) {
  return plan.flatMap(({ diskId, overlay }) => {
    const disk = spec.disks.find((one) => one.id === diskId);
    return disk && overlay !== null ? [{ disk, path: pathOf(overlay) }] : [];
  });
}

/**
 * What is stored of the guest, with the overlays in place of the frozen files: also in the hardware that it runs with or was suspended
 * with. The guest may have been renamed meanwhile, so the spec of this moment is what gets them.
 */
function frozenStored({ stored }: HeldGuest, plan: FreezePlan): Parameters<HeldGuest['save']>[0] {
  const { spec, run, saved } = stored;
  return {
    spec: frozenSpec(spec, plan),
    ...(run?.spec ? { run: { ...run, spec: frozenSpec(run.spec, plan) } } : {}),
    ...(saved?.spec ? { saved: { ...saved, spec: frozenSpec(saved.spec, plan) } } : {}),
  };
}

/** @throws Failure `guest/denied` while the disks of the guest are others than it will start with */
function mustHaveItsDisks({ stored, runsWith }: HeldGuest): void {
  const there = runsWith ?? stored.saved?.spec;
  if (!there || JSON.stringify(filesOf(there)) === JSON.stringify(filesOf(stored.spec))) return;
  throw new Failure('guest/denied', `The disks of ${stored.spec.name} change at its next start, and a snapshot is of those that it has.`, {
    hint: 'Start it anew, or take that change of its hardware back.',
  });
}

const filesOf = (spec: GuestSpec) => spec.disks.map(({ id, location }) => [id, location]);

/** From here on the snapshot is there. */
function commit({ store }: MakeParts, held: HeldGuest, row: StoredSnapshot, plan: FreezePlan): void {
  held.save(frozenStored(held, plan), (write) =>
    store.together(() => {
      write();
      store.save({ ...row, making: null });
      store.setCurrent(row.guestId, row.id);
    }),
  );
}

/** The guest goes on upon the new layers, and there is no snapshot of them: what cannot be taken back is at least not lost. */
function keepLayers({ store }: MakeParts, held: HeldGuest, row: StoredSnapshot, plan: FreezePlan): void {
  held.save(frozenStored(held, plan), (write) =>
    store.together(() => {
      write();
      store.remove(row.id);
    }),
  );
}

/** After a failure, in the engine that began it. Throws when even that fails: then the row stays, and the guest does not run before it is settled. */
async function takeBack(parts: MakeParts, held: HeldGuest, row: StoredSnapshot): Promise<void> {
  if (!parts.store.find(row.id)?.making) return;
  try {
    await settleMaking(parts, held, row, 'take back');
  } catch (thrown) {
    parts.log.error({ error: thrown, guest: held.id, snapshot: row.id }, 'A snapshot that failed could not be taken back yet.');
  }
}

/**
 * Takes back a snapshot that was being made, or with `finish` brings it about where nothing is missing. Idempotent.
 * @throws Failure when it is not known what the guest writes to
 */
export async function settleMaking(parts: MakeParts, held: HeldGuest, row: StoredSnapshot, how: 'finish' | 'take back'): Promise<void> {
  const { store, layout } = parts;
  const { files } = held;
  const { plan, wantsMemory, wasRunning } = row.making as Making;
  const kept = files.snapshot(row.id);
  const freeze = { layout, files };
  const isMade = () => store.find(row.id)?.making === null;
  const switched = plan !== null && (await isSwitched(held, row, plan));
  const { run } = held;
  if (plan && switched) {
    // What stands still has written nothing since the disks were switched, so its firmware is as old as they are.
    const isComplete = how === 'finish' && run !== null && (await run.observe()).kind === 'paused';
    if (isComplete && (!wantsMemory || existsSync(kept.memory))) {
      const firmware = await keepFirmware(files, kept);
      commit(parts, held, { ...row, ...firmware, memory: wantsMemory ? memoryOf(run, held.stored) : null }, plan);
    } else keepLayers(parts, held, row, plan);
    await finishFreeze(plan, freeze);
  } else {
    if (plan) await parts.lineageLock(() => undoFreeze(plan, freeze));
    store.remove(row.id);
  }
  if (!isMade()) await rm(kept.folder, { recursive: true, force: true });
  if (run && wasRunning) {
    const { kind } = await run.observe();
    if (kind === 'paused') await run.resume();
    if (!wantsMemory) await run.unquiesce();
  }
}

/** Whether the guest writes to the overlays of the plan, or did when it ran. */
async function isSwitched(held: HeldGuest, { guestWas }: StoredSnapshot, plan: FreezePlan): Promise<boolean> {
  // Then nobody could, whatever became of the overlays.
  if (guestWas === 'off' || guestWas === 'suspended') return false;
  const overlays = plan.flatMap(({ overlay }) => (overlay === null ? [] : [held.files.disk(overlay)]));
  if (held.run) {
    try {
      const now = new Set((await held.run.diskFiles()).values());
      return overlays.some((path) => now.has(path));
    } catch (thrown) {
      await untilEnded(held);
      if (held.run) throw thrown;
    }
  }
  for (const path of overlays) if (existsSync(path) && !(await isEmptyOverlay(path))) return true;
  return false;
}

/** A QEMU that does not answer may be about to end, which is known a moment later. */
async function untilEnded(held: HeldGuest): Promise<void> {
  const deadline = Date.now() + endingTimeoutMs;
  while (held.run && Date.now() < deadline) await new Promise((done) => setTimeout(done, 50));
}

async function mustHaveRoomInChains({ stored, files }: HeldGuest): Promise<void> {
  for (const { id, location, format } of stored.spec.disks) {
    if (location.kind !== 'store' || format !== 'qcow2') continue;
    const bases = await readBases(files.disk(location.file), files.bases, `The disk ${id} of ${stored.spec.name}`);
    if (bases.length >= chainMaxLength - chainRoom) {
      throw new Failure(
        'layer/chain-too-long',
        `The disk ${id} of ${stored.spec.name} builds upon ${bases.length} layers, and one more would be too many.`,
        {
          hint: 'Delete snapshots that are no longer needed.',
        },
      );
    }
  }
}

const sizeOf = (spec: GuestSpec, diskId: string): number => spec.disks.find((disk) => disk.id === diskId)?.sizeBytes ?? 0;
