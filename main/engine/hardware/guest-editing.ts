/** Implements `hardware.ts`. An edit is three things in this order: disk files come, the running guest changes, the row says so. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { CallOutput } from '../../../contract/calls.ts';
import { planChanges } from '../../../contract/edit-timing.ts';
import { Failure } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import {
  type HardwareChange,
  type PlannedChange,
  specDifferences,
  valueAt,
  withDifferences,
  withHardwareOf,
} from '../../../contract/guest-hardware.ts';
import { type Disk, type GuestSpec, guestSpec } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId } from '../../../contract/ids.ts';
import type { Settings } from '../../../contract/settings.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { failureOf, type PlanNote, publicNote } from '../creation/plan-note.ts';
import type { Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { Database } from '../store/database.ts';
import { completeChange } from './complete-change.ts';
import { checkEdit } from './edit-checks.ts';
import { bringDisksIn, fileNames, growDisks, putDisksAway } from './edit-files.ts';
import { changedWords } from './edit-words.ts';
import { createExpertViews } from './expert-views.ts';
import type { Hardware } from './hardware.ts';
import { deleteRemovedDisk, listRemovedDisks, mustHaveItsFiles, withRemovedDisk } from './removed-disks.ts';
import { createEditStore } from './store.ts';

export type EditingDeps = {
  layout: Layout;
  database: Database;
  guests: Guests;
  images: Pick<Images, 'show' | 'inspect'>;
  host: HostCapabilities;
  jobs: Pick<JobRunner, 'start'>;
  clock: Clock;
  settings: () => Pick<Settings, 'keepFreeMiB'>;
  /** Something that may have been the last to need a layer is gone. Never throws. */
  tidyLayers(): Promise<void>;
  /** Keeps what the guest is, where that is wanted, before its hardware changes. Never fails because of that. */
  beforeChange(id: GuestId, who: string): Promise<void>;
};

export type GuestEditing = Hardware & { jobDefinitions: readonly JobDefinition<never>[] };

/** `undoes` is the edit that this one takes back. */
const editWork = z.object({ guestId, before: guestSpec, wanted: guestSpec, who: z.string(), undoes: z.number().int().nullable() });
type EditWork = z.infer<typeof editWork>;

type Plan = { before: GuestSpec; wanted: GuestSpec; changes: PlannedChange[]; notes: PlanNote[] };

export function createEditing(deps: EditingDeps): GuestEditing {
  const { layout, guests, images, host, jobs, clock, settings } = deps;
  const edits = createEditStore(deps.database);
  const fileDeps = { host, keepFreeBytes: () => settings().keepFreeMiB * 1024 ** 2 };

  const othersOf = (id: GuestId): GuestSpec[] =>
    [...guests.list(), ...guests.listTrash()].filter((guest) => guest.id !== id).map((guest) => guest.spec);

  const planSpec = async (id: GuestId, wanted: GuestSpec): Promise<Plan> => {
    const before = guests.show(id).spec;
    const running = guests.runsWith(id);
    const changes = planChanges(before, wanted, running);
    const notes = await checkEdit(wanted, changes, {
      host,
      image: (image) => images.show(image),
      others: othersOf(id),
      running,
      storeFolder: layout.home,
    });
    return { before, wanted, changes, notes };
  };

  const planChange = async (id: GuestId, change: HardwareChange): Promise<Plan> => {
    const { spec } = guests.show(id);
    const wanted = completeChange(spec, change, {
      files: await fileNames(layout.guest(id)),
      macs: new Set([spec, ...othersOf(id)].flatMap((one) => one.nics.map(({ mac }) => mac))),
      inPlace: await inspectInPlace(change, images),
    });
    return planSpec(id, wanted);
  };

  /** Everything under the guest's own queue, so that nothing else happens to it meanwhile. */
  const carryOut = async ({ guestId: id, before, wanted: asked, who, undoes }: EditWork, signal: AbortSignal): Promise<void> => {
    const made = specDifferences(before, asked);
    await guests.hold(id, 'edit', async (held) => {
      const { files, run, runsWith: running } = held;
      const { spec } = held.stored;
      const stop = AbortSignal.any([signal, held.cutShort]);
      // Whatever else was changed since it was asked for stays.
      const wanted = withDifferences(spec, asked, made);
      const changes = planChanges(spec, wanted, running);
      refuseWhileRunning(changes);
      const atOnce = changes.filter(({ when }) => when === 'now');
      const runsOn = running ? withDifferences(running, wanted, atOnce) : null;
      const takeBack = await bringDisksIn(spec, wanted, files, fileDeps, stop);
      try {
        if (run) await run.change(atOnce, wanted, { ...held.changeContext(), signal: stop });
        else await growDisks(spec, wanted, files, fileDeps, stop);
        const stored = held.stored.run;
        const change = { spec: wanted, ...(run && stored ? { run: { ...stored, facts: run.facts, spec: runsOn } } : {}) };
        held.save(change, (write) =>
          deps.database.transaction(() => {
            if (undoes !== null) edits.forgetFrom(id, undoes);
            else if (changes.length > 0) edits.add(id, { at: instantNow(clock), who, changes: made, spec });
            write();
          }),
        );
      } catch (thrown) {
        await takeBack();
        throw thrown;
      }
      // What was planned upon may have been frozen meanwhile, and have other files now.
      for (const old of [before, spec]) await putDisksAway(old, [wanted, ...(runsOn ? [runsOn] : [])], files);
      if (changes.length > 0) held.say(changedWords(spec.name, changes, undoes !== null));
    });
  };

  const definition: JobDefinition<EditWork> = {
    kind: 'guest.edit',
    parseInput: (value) => editWork.parse(value),
    // What is so already is left alone, so a second time does what is left.
    afterCrash: 'resume',
    cancellable: true,
    steps: [{ name: 'Change the hardware', weight: 1, run: ({ input, signal }) => carryOut(input, signal) }],
  };

  const make = async (id: GuestId, plan: Plan, who: string, undoes: number | null): Promise<CallOutput<'guest.edit'>> => {
    const { before, wanted, changes, notes } = plan;
    const { state, spec } = guests.show(id);
    const denied = guestCannot(state, 'edit');
    if (denied) throw new Failure('guest/denied', denied);
    const first = notes.find((note) => note.severity === 'problem');
    if (first) throw failureOf(first);
    refuseWhileRunning(changes);
    const work: EditWork = { guestId: id, before, wanted, who, undoes };
    if (changes.some(({ path }) => !changedAnyTime.test(path))) await deps.beforeChange(id, who);
    if (takesLong(plan, guests.runsWith(id) !== null)) {
      const target = { kind: 'guest', id, name: spec.name } as const;
      const job = jobs.start(definition, { title: `Change the hardware of ${spec.name}`, target, input: work, startedBy: who });
      return { guest: guests.show(id), changes, job };
    }
    if (changes.length > 0) await carryOut(work, new AbortController().signal);
    return { guest: guests.show(id), changes, job: null };
  };

  return {
    jobDefinitions: [definition as unknown as JobDefinition<never>],

    async plan(id, change) {
      const { wanted, changes, notes } = await planChange(id, change);
      return { spec: wanted, changes, notes: notes.map(publicNote) };
    },

    edit: async (id, change, by) => make(id, await planChange(id, change), by, null),

    async undo(id, by) {
      const { spec } = guests.show(id);
      for (const edit of edits.list(id)) {
        const wanted = withPresentDisks(withHardwareOf(spec, edit.spec), spec);
        if (specDifferences(spec, wanted).length === 0) continue;
        mustHaveItsFiles(spec, wanted, layout.guest(id));
        return make(id, await planSpec(id, wanted), by, edit.id);
      }
      throw new Failure('guest/nothing-to-undo', `No change of the hardware of ${spec.name} is left to be undone.`);
    },

    removedDisks: async (id) => {
      guests.show(id);
      return listRemovedDisks(layout.guest(id), edits.list(id));
    },

    async attachRemovedDisk(id, file, by) {
      const { spec } = guests.show(id);
      return make(id, await planSpec(id, await withRemovedDisk(spec, file, layout.guest(id), edits.list(id))), by, null);
    },

    async deleteRemovedDisk(id, file) {
      const { spec, state } = guests.show(id);
      const denied = guestCannot(state, 'edit');
      if (denied) throw new Failure('guest/denied', denied);
      await guests.hold(id, 'edit', async (held) => {
        await deleteRemovedDisk(spec, file, held.files);
        held.say({ severity: 'info', kind: 'guest.diskDeleted', text: `The removed disk ${file} of ${spec.name} was deleted for good.` });
      });
      await deps.tidyLayers();
    },

    forget: (id) => edits.forgetFrom(id, 0),
    ...createExpertViews({ layout, guests, images, host }),

    past: (id) => {
      guests.show(id);
      return edits.list(id).map(({ spec: _, ...edit }) => edit);
    },
  };
}

/** What is changed as one works with a guest: which disc lies in a drive, which ports lead into it. */
const changedAnyTime = /^(cdDrives\.[^.]+\.medium|nics\.[^.]+\.forwards)$/;

/** Disks that come, go or grow, and devices that a running guest must take or let go of. */
function takesLong({ changes, wanted, before }: Plan, isRunning: boolean): boolean {
  return changes.some(({ path, kind, when }) => {
    if (/^disks\.[^.]+(\.sizeBytes)?$/.test(path)) return true;
    // A guest is not asked whether a USB device goes.
    if (!isRunning || when !== 'now' || path.startsWith('usbDevices.')) return false;
    const media = path.endsWith('.medium') && valueAt(before, path) !== valueAt(wanted, path);
    return media || kind !== 'changed' || path === 'cpu.online' || path === 'memoryMiB';
  });
}

function refuseWhileRunning(changes: readonly PlannedChange[]): void {
  const refused = changes.find(({ when }) => when === 'power-off');
  if (refused) throw new Failure('guest/denied', refused.why ?? '', { hint: 'Shut the guest down first.', path: refused.path });
}

/** A disk that grew stays as large as it is, and one that was frozen meanwhile keeps the file that it has now. */
function withPresentDisks(wanted: GuestSpec, present: GuestSpec): GuestSpec {
  const asNow = (disk: Disk): Disk => {
    const now = present.disks.find(({ id }) => id === disk.id);
    if (!now) return disk;
    const isFrozen = now.location.kind === 'store' && disk.location.kind === 'store';
    return { ...disk, sizeBytes: Math.max(disk.sizeBytes, now.sizeBytes), location: isFrozen ? now.location : disk.location };
  };
  return { ...wanted, disks: wanted.disks.map(asNow) };
}

/** What the files are that new disks would use in place. @throws Failure `image/*` */
async function inspectInPlace(
  change: HardwareChange,
  images: Pick<Images, 'inspect'>,
): Promise<Map<string, Pick<Disk, 'format' | 'sizeBytes'>>> {
  const found = new Map<string, Pick<Disk, 'format' | 'sizeBytes'>>();
  for (const disk of change.disks ?? []) {
    if ('id' in disk || disk.path === undefined || !isAbsolute(disk.path)) continue;
    const report = await images.inspect(disk.path);
    if (report.format === 'iso') {
      throw new Failure('image/not-an-image', `${disk.path} is a CD and not a disk.`, { hint: 'Put it into a CD drive.', path: 'disks' });
    }
    found.set(disk.path, { format: report.format === 'raw' ? 'raw' : 'qcow2', sizeBytes: Math.ceil(report.virtualSizeBytes / 512) * 512 });
  }
  return found;
}
