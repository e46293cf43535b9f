/** Implements `creation.ts`: from a source and some choices to a whole spec with notes, and from that to a job. */
import { statfs } from 'node:fs/promises';
import { type SetupForm, type SetupOffer, setupFormatOf, setupNotes, startsKernel } from '../../../contract/answers.ts';
import type { CallOutput } from '../../../contract/calls.ts';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import type { CreateChoices, CreateSource } from '../../../contract/guest-creation.ts';
import type { GuestSpec, OsIdentity } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { jobEnded } from '../../../contract/job.ts';
import type { Settings } from '../../../contract/settings.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Layout } from '../files/layout.ts';
import { isCreating } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { Jobs } from '../jobs/job-runner.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Log } from '../log/log.ts';
import { type OsRecognition, starterOsId } from '../os/os-recognition.ts';
import { newGuestId } from '../store/new-id.ts';
import type { InstallerWork, PreparedSeed, Seeds } from '../unattended/seeds.ts';
import { type CreationGuests, defineCreate } from './create-job.ts';
import type { Creation } from './creation.ts';
import { suggestName } from './guest-names.ts';
import { hardwareDefaults } from './hardware-defaults.ts';
import { checkBoot, checkInPlace, checkMachine, checkName, checkNeeds, checkRoom, checkShape, checkSize } from './plan-checks.ts';
import { failureOf, type PlanNote, publicNote } from './plan-note.ts';
import { type DiskWork, disksInPlace, planMedia, readSource } from './plan-source.ts';
import { buildSpec } from './plan-spec.ts';
import { checkForwards, forwardsOf } from './port-checks.ts';

export type { CreationGuests } from './create-job.ts';

export type CreationDeps = {
  layout: Layout;
  jobs: Pick<JobRunner, 'start' | 'ended'> & Pick<Jobs, 'list'>;
  guests: CreationGuests;
  images: Pick<Images, 'show' | 'inspect'>;
  catalogue: Pick<Catalogue, 'recordOrigin'>;
  seeds: Pick<Seeds, 'prepare' | 'write' | 'takeInstaller' | 'forget'>;
  host: HostCapabilities;
  recognition: OsRecognition;
  lineageLock: LineageLock;
  log: Log;
  locations: { /** @throws Failure `storage/*` */ forGuest(wanted: string | null | undefined): string | null };
  settings: () => Pick<Settings, 'keepFreeMiB'>;
};

export type GuestCreation = Creation & {
  jobDefinitions: readonly JobDefinition<never>[];
  /**
   * Removes guests that were being created when an engine died and that no job cares for. Called once, after the jobs were recovered.
   * @param caredFor those that jobs of others make
   */
  settleLeftovers(caredFor?: ReadonlySet<GuestId>): Promise<void>;
};

type Plan = {
  spec: GuestSpec | null;
  work: DiskWork;
  medium: CallOutput<'guest.plan'>['medium'];
  diskGiB: number | null;
  sharesImage: boolean | null;
  setup: SetupOffer | null;
  notes: PlanNote[];
};

export function createCreation(deps: CreationDeps): GuestCreation {
  const { layout, jobs, guests, images, catalogue, seeds, host, recognition, lineageLock, settings } = deps;
  const log = deps.log.child({ room: 'creation' });
  const definition = defineCreate({
    layout,
    guests,
    images,
    seeds,
    host,
    lineageLock,
    keepFreeBytes: () => settings().keepFreeMiB * 1024 ** 2,
  });
  const taken = (name: string) => guests.nameTaken(name);

  const makePlan = async (source: CreateSource, choices: CreateChoices): Promise<Plan> => {
    const nameNotes = choices.name === undefined ? [] : checkName(choices.name, taken);
    const { read, notes: sourceNotes } = await readSource(source, images);
    if (!read) {
      const notes = [...sourceNotes, ...nameNotes];
      return { spec: null, work: { kind: 'none' }, medium: null, diskGiB: null, sharesImage: null, setup: null, notes };
    }

    const { medium, fileName } = read;
    const report = await host.report();
    const known = await recognition.knowledgeOf(medium.os);
    const defaults = hardwareDefaults({ os: medium.os, known, medium, host: report });
    const { media, work, notes: diskNotes } = planMedia(source, read, choices, defaults.diskGiB);
    const others = [...guests.list(), ...guests.listTrash()].map((guest) => guest.spec);
    const macs = new Set(others.flatMap((spec) => spec.nics.map((nic) => nic.mac)));
    const name = choices.name ?? suggestName(medium.os, fileName, taken);
    const spec = buildSpec(name, medium.os, defaults, choices, media, macs);
    const inPlace = source.kind === 'disk' && source.inPlace ? await checkInPlace(source.path, disksInPlace(others), layout.home) : [];
    const place = await placeOf(choices);
    const forwards = spec.nics.flatMap((nic) => nic.forwards);
    const notes = [
      ...sourceNotes,
      ...inPlace,
      ...nameNotes,
      ...checkSize(spec, report, known),
      ...(await checkMachine(spec, host, report)),
      ...checkBoot(spec, medium.bootable),
      ...checkNeeds(spec),
      ...diskNotes,
      ...place.notes,
      ...checkRoom(work, place.freeBytes ?? report.storeFreeBytes, settings().keepFreeMiB),
      ...(await checkForwards(forwards, forwardsOf(guests.list().map((guest) => guest.spec)))),
    ];
    // A complaint of the schema about a field that has a better note already would only repeat it.
    const told = new Set(notes.map((note) => note.path));
    const shape = checkShape(spec).filter((note) => !told.has(note.path));
    const sizeBytes = spec.disks[0]?.sizeBytes ?? null;
    return {
      spec: shape.length > 0 || nameNotes.length > 0 ? null : spec,
      work,
      medium,
      diskGiB: sizeBytes === null ? null : Math.round((sizeBytes / 1024 ** 3) * 100) / 100,
      sharesImage: source.kind === 'image' && read.isDisk ? work.kind === 'share' : null,
      setup: offerOf(medium.os, read.isDisk ? 'disk' : 'iso'),
      notes: [...notes, ...shape],
    };
  };

  /** How much room there is where it is to lie; null where that is the data folder. */
  const placeOf = async ({ location }: CreateChoices): Promise<{ freeBytes: number | null; notes: PlanNote[] }> => {
    try {
      const folder = deps.locations.forGuest(location);
      if (folder === null) return { freeBytes: null, notes: [] };
      const { bavail, bsize } = await statfs(folder);
      return { freeBytes: bavail * bsize, notes: [] };
    } catch (thrown) {
      const { code, message, hint } = toGuesthouseError(thrown);
      return { freeBytes: null, notes: [{ code, path: 'location', severity: 'problem', message, ...(hint ? { hint } : {}) }] };
    }
  };

  /** A guest whose job did not succeed goes, also when the job was cancelled before its first step. */
  const abandonUnless = async (id: GuestId, succeeded: boolean): Promise<void> => {
    if (succeeded || !isCreating(guests, id)) return;
    await abandon(id);
  };

  const abandon = async (id: GuestId): Promise<void> => {
    await guests.abandonCreation(id);
    seeds.forget(id);
  };

  return {
    jobDefinitions: [definition as unknown as JobDefinition<never>],

    async plan(source, choices) {
      const { work: _, notes, ...plan } = await makePlan(source, choices);
      return { ...plan, notes: notes.map(publicNote) };
    },

    async create(source, choices, by, setup) {
      const { spec, work, medium, setup: offer, notes } = await makePlan(source, choices);
      const first = notes.find((note) => note.severity === 'problem');
      if (first) throw failureOf(first);
      if (!spec) throw new Failure('guest/spec-invalid', 'This guest cannot be built.');
      const seed = setup === undefined ? null : await prepareSeed(spec, offer, setup);
      // Nothing is awaited between this and the row, so two guests cannot get the same name.
      const again = checkName(spec.name, taken)[0];
      if (again) throw failureOf(again);
      const id = newGuestId();
      const guest = guests.beginCreation(id, spec, undefined, deps.locations.forGuest(choices.location));
      if (source.kind === 'image') catalogue.recordOrigin(id, source.imageId);
      const isoPath = medium?.format === 'iso' ? medium.path : null;
      const installer = seed === null ? null : await writeSeed(id, seed, isoPath);
      const job = startOrAbandon(id, spec, work, installer, by);
      void jobs
        .ended(job.id)
        .then((ended) => abandonUnless(id, ended.state === 'succeeded'))
        .catch((thrown: unknown) => log.warn({ error: thrown, guest: id }, 'A guest that was not created could not be removed.'));
      return { guest, job };
    },

    async settleLeftovers(caredFor = new Set()) {
      const cared = new Set(
        jobs
          .list()
          .filter((job) => (job.kind === 'guest.create' || job.kind === 'machine.import') && !jobEnded.has(job.state))
          .map((job) => (job.target.kind === 'guest' ? job.target.id : null)),
      );
      for (const guest of guests.list()) {
        if (guest.state.status === 'creating' && !cared.has(guest.id) && !caredFor.has(guest.id)) await abandon(guest.id);
      }
    },
  };

  async function prepareSeed(spec: GuestSpec, offer: SetupOffer | null, form: SetupForm): Promise<PreparedSeed> {
    if (!offer) {
      throw new Failure('seed/unsupported', `${spec.os.name} cannot be set up by itself: no answer file is known for it.`, {
        hint: 'Leave the set-up out, and answer the installer yourself.',
        path: 'setup',
      });
    }
    const wrong = setupNotes(offer.format, form, spec).find((note) => note.severity === 'problem');
    if (wrong) throw failureOf({ ...wrong, code: 'seed/answers-invalid' });
    return seeds.prepare(offer.format, form, spec);
  }

  /** Before the job, and not by it: what a job is given is kept in the database, and the answers are not. */
  async function writeSeed(id: GuestId, seed: PreparedSeed, isoPath: string | null): Promise<InstallerWork | null> {
    try {
      return await seeds.write(id, seed, isoPath);
    } catch (thrown) {
      await abandon(id);
      throw thrown;
    }
  }

  function startOrAbandon(id: GuestId, spec: GuestSpec, work: DiskWork, installer: InstallerWork | null, by: string) {
    try {
      return jobs.start(definition, {
        title: `Create ${spec.name}`,
        target: { kind: 'guest', id, name: spec.name },
        input: { guestId: id, spec, work, installer },
        startedBy: by,
      });
    } catch (thrown) {
      void abandon(id).catch(() => undefined);
      throw thrown;
    }
  }
}

/** The starter is its own system, and has nothing that reads answers. */
function offerOf(os: OsIdentity, medium: 'iso' | 'disk'): SetupOffer | null {
  const format = os.id === starterOsId ? null : setupFormatOf(os, medium);
  return format === null ? null : { format, startsKernel: startsKernel(format) };
}
