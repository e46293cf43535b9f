/** Implements `clones.ts`: what may be cloned and how, the rows of the clones, and the jobs that make their disks. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { suggestHostname } from '../../../contract/answers.ts';
import { Failure } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { CloneMoment, ClonePlan, CloneRequest, RebaseMove } from '../../../contract/guest-clone.ts';
import type { GuestOrigin } from '../../../contract/guest-lineage.ts';
import { snapshotNameMaxLength } from '../../../contract/guest-snapshot.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import type { Image } from '../../../contract/image.ts';
import type { Job } from '../../../contract/job.ts';
import type { Settings } from '../../../contract/settings.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Creation } from '../creation/creation.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import { freeName } from '../guests/guest-names.ts';
import { type Guests, isCreating } from '../guests/guests.ts';
import { type Lineage, noLineage } from '../guests/store.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { demandSpace } from '../images/copy-medium.ts';
import type { ImageRegistry } from '../images/image-registry.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { Jobs } from '../jobs/job-runner.ts';
import { readBases } from '../layers/disk-chain.ts';
import type { DiskWork } from '../layers/disk-work.ts';
import { cannotFreeze } from '../layers/freeze-disks.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Log } from '../log/log.ts';
import { newGuestId } from '../store/new-id.ts';
import { type CloneGuests, type CloneInput, type CloneJobParts, type CloneSource, defineClone, defineDisposable } from './clone-job.ts';
import { cloneNames } from './clone-names.ts';
import { cloneSpec, continuedSpec, isSharedInPlace, takenBy } from './clone-spec.ts';
import type { Clones } from './clones.ts';
import { defineFlatten } from './flatten-job.ts';
import { awaited, identityProblem } from './inner-identity.ts';
import { clonesOf, readLineage } from './lineage.ts';
import { defineRebase, groundImage, hasDataOfItsOwn, holdsNothingOfItsOwn, linkedDisks } from './rebuild-jobs.ts';
import { defineVerify, tellOfChangedBases } from './verify-job.ts';

export type ClonesDeps = {
  layout: Layout;
  jobs: Pick<JobRunner, 'start' | 'ended'> & Pick<Jobs, 'inputsOf'>;
  guests: CloneGuests & Pick<Guests, 'listTrash' | 'nameTaken' | 'beginCreation' | 'setTemplate' | 'isIdle' | 'liveDisks' | 'runsWith'>;
  images: Pick<ImageRegistry, 'show' | 'list' | 'lineageChanged'>;
  catalogue: Pick<Catalogue, 'originOf' | 'origin' | 'recordOrigin'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  creation: Pick<Creation, 'plan'>;
  lineageLock: LineageLock;
  moments: CloneJobParts['moments'];
  diskWork: DiskWork;
  /** Snapshots need clones and clones layers, so this is asked only when a guest was made independent. */
  tidyLayers(): Promise<void>;
  seeds: CloneJobParts['seeds'];
  feed: Feed;
  clock: Clock;
  log: Log;
  locations: { /** @throws Failure `storage/*` */ forGuest(wanted: string | null | undefined): string | null };
  settings: () => Pick<Settings, 'keepFreeMiB'>;
};

export type GuestClones = Clones & {
  jobDefinitions: readonly JobDefinition<never>[];
  /** Guests that jobs of this room are making. */
  inTheMaking(): ReadonlySet<GuestId>;
};

const mib = 1024 ** 2;

export function createClones(deps: ClonesDeps): GuestClones {
  const { layout, jobs, guests, images, creation, settings } = deps;
  const log = deps.log.child({ room: 'clones' });
  const keepFreeBytes = () => settings().keepFreeMiB * mib;
  const parts = {
    layout,
    guests,
    images,
    host: deps.host,
    lineageLock: deps.lineageLock,
    moments: deps.moments,
    seeds: deps.seeds,
    keepFreeBytes,
    recordOrigin: deps.catalogue.recordOrigin,
  };
  const everyGuest = () => [...guests.list(), ...guests.listTrash()];
  const specOf = (id: GuestId) => everyGuest().find((guest) => guest.id === id)?.spec ?? null;
  const definitions = {
    share: defineClone('guest.clone', parts),
    copy: defineClone('guest.copy', parts),
    disposable: defineDisposable(parts),
    flatten: defineFlatten({ ...parts, diskWork: deps.diskWork, tidyLayers: deps.tidyLayers }, specOf),
    rebase: defineRebase(parts, specOf),
    verify: defineVerify(parts),
  };
  const isTaken = (name: string) => guests.nameTaken(name);

  const planOf = async (request: CloneRequest): Promise<ClonePlan> => {
    const original = guests.show(request.guest);
    mustAllow(original, 'cloneNow');
    const { spec } = original;
    const copyProblem = copyProblemOf(original);
    const count = request.count ?? 1;
    const names = cloneNames(request.name, count, isTaken);
    const shareProblem = cannotFreeze({ ...spec, disks: spec.disks.filter((disk) => !isSharedInPlace(disk)) })?.message ?? null;
    if (shareProblem !== null && copyProblem !== null) {
      throw new Failure('layer/not-freezable', shareProblem, { hint: 'Shut the guest down first; then its disks can be copied.' });
    }
    const share = request.share ?? shareProblem === null;
    if (!share && copyProblem !== null) {
      throw new Failure('guest/denied', copyProblem, { hint: 'Clone it now and make the clone independent afterwards.', path: 'share' });
    }
    if (share && shareProblem !== null) {
      throw new Failure('layer/not-freezable', shareProblem, { hint: 'Copy the disks instead.', path: 'share' });
    }
    const problem = identityProblem(spec);
    if (request.newIdentity && problem !== null) throw new Failure('guest/spec-invalid', problem, { path: 'newIdentity' });
    return {
      names,
      share,
      shareProblem,
      copyProblem,
      moment: momentOf(original.state),
      neededBytes: count * (share ? mib : await sizeOnDisk(layout, original)),
      newIdentity: request.newIdentity ?? problem === null,
      identityProblem: problem,
      hasTpm: spec.tpm,
      notes: notesOn(spec),
    };
  };

  /** The rows of all clones, or none: nothing is awaited, so that no name can be taken meanwhile. */
  const begin = (
    wanted: readonly { spec: GuestSpec; lineage: Lineage }[],
    image: ImageId | null,
    place: string | null,
  ): { clones: CloneInput['clones']; shown: Guest[] } => {
    const clones: CloneInput['clones'] = [];
    const shown: Guest[] = [];
    try {
      for (const { spec, lineage } of wanted) {
        const id = newGuestId();
        shown.push(guests.beginCreation(id, spec, lineage, place));
        clones.push({ guestId: id, spec });
        // The image itself may have been deleted since.
        if (image && images.list().some((one) => one.id === image)) deps.catalogue.recordOrigin(id, image);
      }
      return { clones, shown };
    } catch (thrown) {
      abandonAll(clones);
      throw thrown;
    }
  };

  const abandonAll = (clones: CloneInput['clones']): void => {
    for (const { guestId: id } of clones) {
      if (!isCreating(guests, id)) continue;
      void guests.abandonCreation(id).catch((thrown: unknown) => log.warn({ guest: id, error: thrown }, 'A clone could not be removed.'));
    }
  };

  const start = (
    definition: JobDefinition<CloneInput>,
    title: string,
    from: CloneSource,
    clones: CloneInput['clones'],
    by: string,
  ): Job => {
    const [first] = clones;
    try {
      const job = jobs.start(definition, {
        title,
        target: { kind: 'guest', id: first?.guestId ?? null, name: first?.spec.name ?? '' },
        input: { source: from, clones },
        startedBy: by,
      });
      // A job that was cancelled before its first step has nothing to undo, and still its guests must go.
      void jobs
        .ended(job.id)
        .then(async (ended) => {
          if (ended.state === 'succeeded') return;
          abandonAll(clones);
          if (from.kind === 'present') await deps.moments().end(from.snapshotId, from.stays);
        })
        .catch((thrown: unknown) => log.warn({ error: thrown }, 'What a job of clones left could not be removed.'));
      return job;
    } catch (thrown) {
      abandonAll(clones);
      if (from.kind === 'present') void deps.moments().end(from.snapshotId, false);
      throw thrown;
    }
  };

  const originOf = (kind: GuestOrigin['kind'], id: string, name: string): GuestOrigin => ({ kind, id, name, at: instantNow(deps.clock) });

  const disposableSpec = async (
    from: Parameters<Clones['disposable']>[0],
  ): Promise<{ original: GuestSpec; source: CloneSource; origin: GuestOrigin }> => {
    if ('guest' in from) {
      const guest = guests.show(from.guest);
      mustAllow(guest, 'clone');
      // The same computer for a while: what is sealed to its TPM opens.
      const source: CloneSource = { kind: 'guest', guestId: guest.id, share: true, keepTpm: true };
      return { original: guest.spec, source, origin: originOf('guest', guest.id, guest.spec.name) };
    }
    if ('frozen' in from) {
      const { guest, name, spec, layers, nvram, tpmState, memory } = from.frozen;
      // It goes on with the hardware that it was saved with, which becomes its own.
      const kept = memory && { path: memory.path, saved: { ...memory.saved, spec: null } };
      const source: CloneSource = { kind: 'layers', layers: { ...layers }, nvram, tpmState, memory: kept };
      return { original: memory?.saved.spec ?? spec, source, origin: originOf('guest', guest, name) };
    }
    return uponImage(from.image, {
      message: (name) => `“${name}” is a disc. A disposable guest is made from a disk image.`,
      hint: 'Create a guest from the disc without a disk instead.',
    });
  };

  /** A guest that builds upon an image, with the hardware that its system wants. */
  const uponImage = async (id: ImageId, ofDisc: { message(name: string): string; hint: string }) => {
    const image = images.show(id);
    if (image.kind !== 'disk') throw new Failure('image/not-an-image', ofDisc.message(image.name), { hint: ofDisc.hint });
    const { spec, notes } = await creation.plan({ kind: 'image', imageId: image.id }, { shareImage: true });
    const problem = notes.find((note) => note.severity === 'problem');
    if (!spec || problem) throw new Failure('guest/spec-invalid', problem?.message ?? `No guest can be made of “${image.name}”.`);
    const source: CloneSource = { kind: 'image', imageId: image.id, path: image.path, format: image.format === 'raw' ? 'raw' : 'qcow2' };
    return { original: spec, source, origin: originOf('image', image.id, image.name) };
  };

  /** @throws Failure why the guest cannot build upon the image now */
  const checkRebase = async (guest: Guest, image: Image): Promise<void> => {
    mustAllow(guest, 'rebuild');
    const { id, spec } = guest;
    if (image.kind !== 'disk') throw new Failure('image/not-an-image', `“${image.name}” is a disc, and disks build upon disk images.`);
    const linked = (await linkedDisks(spec, layout.guest(id))).filter((disk) => groundImage(disk, layout) !== null);
    if (linked.length === 0) throw standsAlone(spec.name);
    for (const disk of linked) {
      if (disk.disk.sizeBytes < image.virtualSizeBytes) {
        throw new Failure('guest/spec-invalid', `“${image.name}” is larger than the disk ${disk.disk.id} of ${spec.name}.`, {
          hint: 'Make a new guest from the image.',
        });
      }
      if (!(await holdsNothingOfItsOwn(disk))) throw hasDataOfItsOwn(spec.name, disk.disk.id);
    }
  };

  return {
    jobDefinitions: Object.values(definitions) as unknown as JobDefinition<never>[],

    inTheMaking() {
      const inputs = [...jobs.inputsOf('guest.clone'), ...jobs.inputsOf('guest.copy')] as CloneInput[];
      return new Set(inputs.flatMap(({ clones }) => clones.map((clone) => clone.guestId)));
    },

    plan: planOf,

    async clone(request, by) {
      const plan = await planOf(request);
      const place = deps.locations.forGuest(request.location);
      await demandSpace(join(place ?? layout.guests, 'clone'), plan.neededBytes, keepFreeBytes());
      const original = guests.show(request.guest);
      mustAllow(original, 'cloneNow');
      const taken = takenBy(everyGuest().map((guest) => guest.spec));
      const origin = originOf('guest', original.id, original.spec.name);
      const lineage = (name: string): Lineage => ({
        ...noLineage,
        template: request.asTemplate ?? false,
        origin,
        identity: plan.newIdentity ? awaited(suggestHostname(name)) : null,
      });
      // Again, because what was free may have been taken while the room was looked at.
      const names = cloneNames(request.name, plan.names.length, isTaken);
      const { clones, shown } = begin(
        names.map((name) => ({ spec: cloneSpec(original.spec, name, taken), lineage: lineage(name) })),
        deps.catalogue.originOf(original.id),
        place,
      );
      const title = clones.length === 1 ? `Clone ${original.spec.name}` : `Make ${clones.length} clones of ${original.spec.name}`;
      const keepTpm = request.keepTpm ?? false;
      if (plan.moment === 'off') {
        const from: CloneSource = { kind: 'guest', guestId: original.id, share: plan.share, keepTpm };
        return { guests: shown, job: start(plan.share ? definitions.share : definitions.copy, title, from, clones, by) };
      }
      const stays = request.keepSnapshot ?? false;
      try {
        const called = names.length === 1 ? `Cloned as ${names[0]}` : `Cloned ${names.length} times`;
        const snapshotId = deps.moments().begin(original.id, called.slice(0, snapshotNameMaxLength), stays);
        const from: CloneSource = { kind: 'present', guestId: original.id, snapshotId, stays, keepTpm };
        return { guests: shown, job: start(definitions.share, title, from, clones, by) };
      } catch (thrown) {
        abandonAll(clones);
        throw thrown;
      }
    },

    async disposable(from, by) {
      const { original, source, origin } = await disposableSpec(from);
      const taken = takenBy(everyGuest().map((guest) => guest.spec));
      const name = freeName(`${origin.name} (disposable)`, isTaken);
      const lineage = { ...noLineage, disposable: true, origin };
      const goesOn = source.kind === 'layers' && source.memory !== null;
      const spec = goesOn ? continuedSpec(original, name, taken) : cloneSpec(original, name, taken);
      const { clones, shown } = begin([{ spec, lineage }], 'image' in from ? from.image : null, deps.locations.forGuest(undefined));
      const [guest] = shown as [Guest];
      return { guest, job: start(definitions.disposable, `Start a disposable ${origin.name}`, source, clones, by) };
    },

    makeTemplate: (id) => guests.setTemplate(id, true),

    async templateOfImage(image, wantedName, by) {
      const { original, source, origin } = await uponImage(image, {
        message: (name) => `“${name}” is a disc, and has no system to make guests of.`,
        hint: 'Install a guest from it, and make a template of that.',
      });
      if (wantedName !== undefined && isTaken(wantedName)) {
        throw new Failure('guest/name-taken', `There is a guest “${wantedName}” already.`, { hint: 'Choose another name.', path: 'name' });
      }
      const name = wantedName ?? freeName(original.name, isTaken);
      const spec = cloneSpec(original, name, takenBy(everyGuest().map((guest) => guest.spec)));
      const { clones, shown } = begin(
        [{ spec, lineage: { ...noLineage, template: true, origin } }],
        image,
        deps.locations.forGuest(undefined),
      );
      const [guest] = shown as [Guest];
      return { guest, job: start(definitions.share, `Make a template of ${origin.name}`, source, clones, by) };
    },

    async makeGuest(id) {
      const { spec } = guests.show(id);
      const clones = await clonesOf(layout, id, everyGuest());
      if (clones.length > 0) {
        throw new Failure(
          'guest/denied',
          `The template “${spec.name}” is still built upon by ${clones.map((name) => `“${name}”`).join(', ')}.`,
          {
            hint: 'Make a new guest from the template, or make its clones independent first.',
          },
        );
      }
      return guests.setTemplate(id, false);
    },

    async flatten(id, bytesPerSecond, by) {
      const guest = guests.show(id);
      mustAllow(guest, 'flatten');
      const spec = guests.runsWith(id) ?? guest.spec;
      if ((await linkedDisks(spec, layout.guest(id))).length === 0) throw standsAlone(spec.name);
      await demandSpace(layout.guest(id).disk('any'), await sizeOnDisk(layout, guest), keepFreeBytes());
      return jobs.start(definitions.flatten, {
        title: `Make ${spec.name} independent`,
        target: { kind: 'guest', id, name: spec.name },
        input: { guestId: id, bytesPerSecond },
        startedBy: by,
      });
    },

    async rebase(id, imageId, by) {
      const guest = guests.show(id);
      const image = images.show(imageId);
      await checkRebase(guest, image);
      const { spec } = guest;
      return jobs.start(definitions.rebase, {
        title: `Move ${spec.name} to ${image.name}`,
        target: { kind: 'guest', id, name: spec.name },
        input: { guestId: id, imageId: image.id, path: image.path, format: image.format === 'raw' ? 'raw' : 'qcow2' },
        startedBy: by,
      });
    },

    async planRebase({ guests: only, image: to }) {
      const target = to === undefined ? null : images.show(to);
      const asked = only === undefined ? guests.list() : only.map((id) => guests.show(id));
      const moves: RebaseMove[] = [];
      for (const guest of asked) {
        const { origin } = deps.catalogue.origin(guest.id);
        const isOfSeries = target?.series?.name.toLowerCase() === origin?.series?.name.toLowerCase();
        const next = target ?? (origin?.newer ? images.show(origin.newer.imageId) : null);
        // Who names guests and an image means just that; otherwise it is versions of one series that guests are moved between.
        const isMeant = target === null || only !== undefined || (isOfSeries && target.series !== null);
        if (!origin || !next || origin.imageId === next.id || !isMeant) continue;
        const { imageId, imageName, present, series } = origin;
        moves.push({
          guest: guest.id,
          name: guest.spec.name,
          from: { imageId, imageName, series, present },
          to: { imageId: next.id, imageName: next.name, series: next.series && { name: next.series.name, version: next.series.version } },
          problem: await checkRebase(guest, next).then(() => null, problemOf),
        });
      }
      return moves;
    },

    verify(imageId, by) {
      const wanted = imageId ? [images.show(imageId)] : images.list().filter((image) => image.builtUponBy.length > 0);
      const [first] = wanted;
      const name = imageId && first ? first.name : 'what disks build upon';
      return jobs.start(definitions.verify, {
        title: `Verify ${name}`,
        target: { kind: 'image', id: imageId && first ? first.id : null, name },
        input: { images: wanted.map((image) => image.id), layers: imageId === null },
        startedBy: by,
      });
    },

    tellOfChangedBases: () => tellOfChangedBases({ images }, deps.feed),

    lineage: () => readLineage(layout, everyGuest(), images.list()),
  };
}

/** @throws Failure `guest/denied` unless that can be done with its disks now. */
function mustAllow(guest: Guest, verb: 'clone' | 'cloneNow' | 'rebuild' | 'flatten'): void {
  if (guest.trashedAt !== null) throw new Failure('guest/denied', `${guest.spec.name} is in the trash.`, { hint: 'Restore it first.' });
  const reason = guestCannot(guest.state, verb);
  if (reason !== null) throw new Failure('guest/denied', reason);
}

function momentOf({ status, run }: Guest['state']): CloneMoment {
  if (status === 'suspended') return 'suspended';
  if (status === 'running') return run?.qemuAgent ? 'quiesced' : 'power-cut';
  return status === 'paused' ? 'power-cut' : 'off';
}

/** Reading whole disks takes as long as they are large, and what writes to them must not run meanwhile. */
function copyProblemOf({ state }: Guest): string | null {
  return momentOf(state) === 'off' ? null : 'While the guest is not off its disks cannot be copied whole.';
}

function problemOf(thrown: unknown): NonNullable<RebaseMove['problem']> {
  if (!(thrown instanceof Failure)) throw thrown;
  return { message: thrown.error.message, hint: thrown.error.hint ?? null };
}

function standsAlone(name: string): Failure {
  return new Failure('guest/stands-alone', `The disks of ${name} build upon nothing, so there is nothing to change.`);
}

function notesOn(spec: GuestSpec): string[] {
  const ports = spec.nics.flatMap((nic) => nic.forwards.map((forward) => forward.hostPort));
  return [
    ...(ports.length > 0 ? [`The clones get free ports of this computer in place of ${ports.join(', ')}.`] : []),
    ...(spec.disks.some(isSharedInPlace) ? ['Disks that are used in place and only read are used by the clones as well.'] : []),
  ];
}

/** Room that all data of a guest's disks take, those of their bases included. */
async function sizeOnDisk(layout: Layout, { id, spec }: Guest): Promise<number> {
  const files = layout.guest(id);
  let sum = 0;
  for (const disk of spec.disks) {
    if (isSharedInPlace(disk)) continue;
    const path = disk.location.kind === 'store' ? files.disk(disk.location.file) : disk.location.path;
    const bases = disk.format === 'qcow2' ? await readBases(path, files.bases, `The disk ${disk.id} of ${spec.name}`) : [];
    let allocated = 0;
    for (const file of [path, ...bases.map((base) => base.path)]) allocated += (await stat(file).catch(() => null))?.blocks ?? 0;
    sum += Math.min(allocated * 512, disk.sizeBytes);
  }
  return sum;
}
