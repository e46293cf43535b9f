/** Implements `images.ts`: the rows, the files beside them, and the job that brings new ones. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import { type Image, imageFormat, patchLevel } from '../../../contract/image.ts';
import type { Settings } from '../../../contract/settings.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Changes, Feed } from '../feed/feed.ts';
import { moveIntoPlace, removeFile, writeWhole } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { removeWithMoved } from '../files/moved-file.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import { mustHaveNoDependants, namesOfBuilders } from '../layers/dependants.ts';
import { readStoreDisks } from '../layers/layer-graph.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Log } from '../log/log.ts';
import type { OsRecognition } from '../os/os-recognition.ts';
import type { Database } from '../store/database.ts';
import { newImageId } from '../store/new-id.ts';
import { findStarter, type Starter } from './built-in-image.ts';
import { createBulkEdits } from './bulk-edits.ts';
import { copyMedium } from './copy-medium.ts';
import { endOfLifeOf } from './end-of-life.ts';
import { editImage, editOneOfMany } from './image-edit.ts';
import type { Images } from './images.ts';
import { defineImport, type ImportInput, imageNameFor } from './import-job.ts';
import { defineLookInside } from './inside/look-inside-job.ts';
import { createInspector } from './inspect.ts';
import { openMedium } from './open-medium.ts';
import { createPackageStore } from './packages/store.ts';
import { defineReadAgain } from './read-again-job.ts';
import { createImageEditStore, createImageStore, type ImageChange, type StoredImage } from './store.ts';

export type ImagesDeps = {
  layout: Layout;
  database: Database;
  jobs: Pick<JobRunner, 'start'>;
  changes: Pick<Changes, 'image' | 'images'>;
  feed: Feed;
  clock: Clock;
  log: Log;
  settings: () => Pick<Settings, 'keepFreeMiB'>;
  host: Pick<HostCapabilities, 'qemuImgPath' | 'guestfs'>;
  recognition: OsRecognition;
  /** Guests need images and images need guests, so this is asked only when a call is answered. */
  guests: () => Pick<Guests, 'list' | 'listTrash'>;
  /** The image that a guest was made from. */
  originOf: (guest: GuestId) => ImageId | null;
  lineageLock: LineageLock;
  /** Where new images are to lie, and where any can. */
  locations: { forImages(): string | null; reachable(): readonly string[] };
  /** Resources of a packaged app; null in a checkout. */
  resourcesFolder: string | null;
  environment?: NodeJS.ProcessEnv;
};

/** The registry, and the job definitions that the runner needs to recover what an engine before left. */
export type ImageRegistry = Images & {
  jobDefinitions: readonly JobDefinition<never>[];
  /** For jobs of other rooms that end with a file that becomes an image: their last steps are these. */
  importDefinition: JobDefinition<ImportInput>;
  /** A guest came, went or changed: clients are told of images that are now used by others. Cheap to call often. */
  guestsChanged(): void;
  /** Disks build upon others than before, which the guests do not show. */
  lineageChanged(): void;
};

/** Guests change many times a second while they start; who holds which image need not be known that fast. */
const usersToldAfterMs = 200;

export function createImages(deps: ImagesDeps): ImageRegistry {
  const { layout, feed, clock } = deps;
  const log = deps.log.child({ room: 'images' });
  const store = createImageStore(deps.database, log);
  const packages = createPackageStore(deps.database);
  const inspector = createInspector({ recognition: deps.recognition, qemuImgPath: () => deps.host.qemuImgPath() });
  const openedAtMs = Date.now();
  /** Imports whose content was there already: asking for the id that was promised answers with the image that is there. */
  const duplicates = new Map<ImageId, ImageId>();

  const everyGuest = () => [...deps.guests().list(), ...deps.guests().listTrash()];
  /** Names of the guests whose disks build upon an image, as last read from the disks. */
  let builders = new Map<ImageId, string[]>();
  const ties = (): Ties => tiesOf(everyGuest(), deps.originOf);
  /** Most images have no ties; who lists ten thousand of them gets the same objects as long as nothing changed. */
  const untied = new WeakMap<StoredImage, Image>();
  const complete = (stored: StoredImage, { usedBy, madeGuests } = ties()): Image => {
    let image = untied.get(stored);
    if (!image) {
      const { asRead: _asRead, ...known } = stored;
      image = { ...known, path: layout.image(stored.id, stored.format), usedBy: [], builtUponBy: [], madeGuests: [] };
      untied.set(stored, image);
    }
    const holders = usedBy.get(stored.id);
    const guests = madeGuests.get(stored.id);
    const builtUponBy = builders.get(stored.id) ?? [];
    if (!holders && !guests && builtUponBy.length === 0) return image;
    return { ...image, usedBy: holders?.map(({ name }) => name) ?? [], builtUponBy, madeGuests: guests ?? [] };
  };
  const changed = (id: ImageId) => {
    const stored = store.find(id);
    deps.changes.image(id, stored ? complete(stored) : null);
  };
  const tellOf = (ids: readonly ImageId[]): void => {
    const now = ties();
    deps.changes.images(ids.map((id) => complete(find(id), now)));
  };
  const edits = createImageEditStore(deps.database);
  const bulkEdits = createBulkEdits({ database: deps.database, images: store, edits, now: () => instantNow(clock) });
  const keepFreeBytes = () => deps.settings().keepFreeMiB * 1024 ** 2;

  const reading = {
    store,
    packages,
    inspector,
    recognition: deps.recognition,
    host: deps.host,
    feed,
    pathOf: (id: ImageId) => complete(find(id)).path,
    scratchFolder: layout.imageLook,
    changed,
  };
  const readAgain = defineReadAgain(reading);
  const lookInside = defineLookInside(reading);
  /** Only where it may find something: most images need none, and a list of jobs that did nothing says nothing. */
  const lookIntoNew = async (id: ImageId): Promise<void> => {
    const stored = store.find(id);
    if (!stored || (await inspector.unreadOn(reading.pathOf(id), stored.format)).length === 0) return;
    if ((await deps.host.guestfs()).virtInspector === null) return;
    deps.jobs.start(lookInside, {
      title: `Look into ${stored.name}`,
      target: { kind: 'image', id, name: stored.name },
      input: { imageId: id },
      startedBy: stored.addedBy,
    });
  };
  const importDefinition = defineImport({
    layout,
    store,
    packages,
    inspector,
    endOfLifeOf: (os) => endOfLifeOf(os, deps.recognition),
    feed,
    clock,
    keepFreeBytes,
    qemuImgPath: () => deps.host.qemuImgPath(),
    place: () => deps.locations.forImages(),
    places: () => deps.locations.reachable(),
    changed,
    arrived(id) {
      lookIntoNew(id).catch((thrown: unknown) => log.warn({ error: thrown, image: id }, 'A new image could not be looked into.'));
    },
    duplicate(wanted, existing) {
      duplicates.set(wanted, existing.id);
      feed.record({
        severity: 'info',
        kind: 'image.duplicate',
        text: `This file is in the library already, as “${existing.name}”; no second copy was kept.`,
        imageId: existing.id,
      });
    },
  });

  let toldTies = new Map<ImageId, string>();
  let tellPending = false;
  const tellUsers = (): void => {
    tellPending = false;
    const { usedBy, madeGuests } = ties();
    const ids = new Set([...usedBy.keys(), ...madeGuests.keys()]);
    const now = new Map([...ids].map((id) => [id, JSON.stringify([usedBy.get(id), madeGuests.get(id)])]));
    for (const id of new Set([...toldTies.keys(), ...ids])) if (now.get(id) !== toldTies.get(id)) changed(id);
    toldTies = now;
  };

  /** Which guests there are and which disks they have: while that stays, so does what their disks build upon. */
  let readFor: readonly unknown[] = [];
  const readBuilders = async (): Promise<void> => {
    const guests = everyGuest();
    const now = guests.flatMap(({ spec, state }) => [spec.name, spec.disks, state.status === 'creating']);
    if (now.length === readFor.length && now.every((part, at) => part === readFor[at])) return;
    readFor = now;
    const disks = await readStoreDisks(layout);
    const before = builders;
    builders = new Map();
    for (const { id, format, kind } of store.list()) {
      if (kind === 'disk') builders.set(id, namesOfBuilders(layout, disks, layout.image(id, format), guests));
    }
    for (const [id, names] of builders) if (names.join('\n') !== (before.get(id) ?? []).join('\n')) changed(id);
  };

  const find = (id: ImageId): StoredImage => {
    const stored = store.find(id) ?? store.find(duplicates.get(id) ?? id);
    if (!stored) throw new Failure('image/not-found', `There is no image ${id}.`, { hint: 'It may have been deleted.' });
    return stored;
  };

  const remove = async (stored: StoredImage): Promise<void> => {
    // The row first: a file without a row is removed at the next start, a row without a file would be a broken image.
    store.remove(stored.id);
    await removeWithMoved(layout.image(stored.id, stored.format));
    deps.changes.image(stored.id, null);
  };

  /** The starter of an earlier set-up goes, unless guests build upon it: then it stays as an image like any other. */
  const replaceStarter = (old: StoredImage): Promise<void> =>
    deps.lineageLock(async () => {
      try {
        await mustHaveNoDependants(layout, layout.image(old.id, old.format), `The image “${old.name}”`, everyGuest());
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        store.update([{ id: old.id, builtIn: false }]);
        return changed(old.id);
      }
      await remove(old);
    });

  const addStarter = async ({ diskPath, metadata }: Starter): Promise<void> => {
    const id = newImageId();
    const arriving = layout.imageArriving(id);
    makePrivateFolder(layout.images);
    try {
      const report = await inspector.inspect(diskPath);
      const medium = await openMedium(diskPath);
      try {
        const { signal } = new AbortController();
        const sha256 = await copyMedium({
          source: medium.file,
          sourcePath: diskPath,
          target: arriving,
          keepFreeBytes: 0,
          signal,
          onProgress: () => undefined,
        });
        if (sha256 !== metadata.disk.sha256) throw new Failure('image/corrupt', 'The starter guest in the cache is not what set-up built.');
      } finally {
        await medium.file.close();
      }
      const format = imageFormat.parse(report.format);
      const list = await inspector.packagesOn(arriving, format);
      await moveIntoPlace(arriving, layout.image(id, format));
      store.insert({
        id,
        name: metadata.name,
        format,
        kind: 'disk',
        builtIn: true,
        os: metadata.os,
        firmware: metadata.firmware[0] ?? 'bios',
        sizeBytes: report.fileSizeBytes,
        virtualSizeBytes: report.virtualSizeBytes,
        sha256: metadata.disk.sha256,
        label: report.label,
        source: diskPath,
        addedAt: instantNow(clock),
        addedBy: 'set-up',
        ...report.facts,
        patchLevel: patchLevel.safeParse(metadata.builtAt.slice(0, 10)).data ?? null,
        patchLevelFrom: 'The day on which set-up built it.',
      });
      packages.save(id, list);
    } finally {
      await removeFile(arriving);
    }
    for (const old of store.list()) if (old.builtIn && old.id !== id) await replaceStarter(old);
    changed(id);
  };

  /** Files without a row: what an engine that died left of an import or a deletion. What is newer than this engine is work under way. */
  const removeStrays = async (): Promise<void> => {
    const known = new Set(store.list().map((image) => `${image.id}.${image.format}`));
    for (const name of await readdir(layout.images).catch(() => [])) {
      if (!/^i[0-9a-z]{9}\.(iso|qcow2|raw|arriving|capturing|unpacking|look)$/.test(name) || known.has(name)) continue;
      const path = join(layout.images, name);
      const found = await stat(path).catch(() => null);
      if (found && found.mtimeMs < openedAtMs) await removeWithMoved(path);
    }
  };

  return {
    importDefinition,
    jobDefinitions: [importDefinition, readAgain, lookInside] as unknown as JobDefinition<never>[],
    list() {
      const now = ties();
      return store.list().map((image) => complete(image, now));
    },
    pick(ids) {
      const now = ties();
      return ids.map((id) => store.find(id)).flatMap((stored) => (stored ? [complete(stored, now)] : []));
    },
    known: (ids) => ids.map((id) => store.find(id)).filter((stored) => stored !== null),
    uses() {
      const { usedBy, madeGuests } = ties();
      // A guest that was installed from a disc and still holds it counts once.
      const guestsOf = (id: ImageId) => new Set([...(usedBy.get(id) ?? []), ...(madeGuests.get(id) ?? [])].map(({ guest }) => guest));
      return new Map([...usedBy.keys(), ...madeGuests.keys()].map((id) => [id, guestsOf(id).size]));
    },
    show: (id) => complete(find(id)),
    packages: (id) => packages.list(find(id).id),
    inspect: (path) => inspector.inspect(path),

    lineageChanged() {
      readFor = [];
      this.guestsChanged();
    },

    guestsChanged() {
      if (tellPending) return;
      tellPending = true;
      setTimeout(() => {
        try {
          tellUsers();
        } catch (thrown) {
          // The engine is stopping and its database is closed.
          log.debug({ error: thrown }, 'Clients could not be told who uses the images.');
        }
        readBuilders().catch((thrown: unknown) => log.debug({ error: thrown }, 'What builds upon the images could not be read.'));
      }, usersToldAfterMs).unref();
    },

    async import(path, name, by) {
      // What is wrong with the file is said at once, not by a job that fails.
      await inspector.inspect(path);
      const input = { imageId: newImageId(), path, name: name ?? imageNameFor(path), addedBy: by };
      return deps.jobs.start(importDefinition, {
        title: `Import ${input.name}`,
        target: { kind: 'image', id: input.imageId, name: input.name },
        input,
        startedBy: by,
      });
    },

    async delete(id) {
      const stored = find(id);
      // What was last read of the disks may be old.
      readFor = [];
      await readBuilders();
      const dependants = [
        ...(ties().usedBy.get(stored.id) ?? []).map(({ name }) => `the CD drive of “${name}” holds it`),
        ...(builders.get(stored.id) ?? []).map((name) => `the disk of “${name}” builds upon it`),
      ];
      if (dependants.length > 0) {
        throw new Failure('image/in-use', `“${stored.name}” cannot be deleted: ${dependants.join(', ')}.`, {
          hint: 'Delete these guests first, those in the trash as well, or make them independent.',
        });
      }
      await deps.lineageLock(async () => {
        // Now nobody can begin to build upon it.
        await mustHaveNoDependants(layout, layout.image(stored.id, stored.format), `The image “${stored.name}”`, everyGuest());
        if (stored.builtIn) await writeWhole(layout.starterDeleted, `${stored.sha256}\n`);
        await remove(stored);
      });
      feed.record({ severity: 'info', kind: 'image.deleted', text: `“${stored.name}” was deleted from the library.` });
    },

    async edit(id, wanted, asRead) {
      const stored = find(id);
      // The day on which updates end goes with the system, unless a hand wrote it.
      const endOfLife = wanted.os ? await endOfLifeOf(wanted.os, deps.recognition) : null;
      const before = find(stored.id);
      const change = editImage(before, wanted, asRead, store.list());
      const follows = wanted.os && wanted.endOfLife === undefined && !before.byHand.includes('endOfLife');
      store.update([follows ? { ...change, endOfLife } : change]);
      changed(before.id);
      return complete(find(before.id));
    },

    editMany(ids, wanted, by) {
      const changes = [...new Set(ids)].map((id) => editOneOfMany(find(id), wanted));
      const { changed: ofThem, edit } = bulkEdits.write(changes, { who: by, seriesRenamed: null });
      tellOf(ofThem);
      return { changed: ofThem.length, edit };
    },

    renameSeries(series, name, by) {
      const members = store.list().filter((image) => image.series?.name.toLowerCase() === series.toLowerCase());
      const from = members[0]?.series?.name;
      if (from === undefined) {
        throw new Failure('image/series-unknown', `No image is in a series “${series}”.`, { hint: 'Look at “guesthouse image versions”.' });
      }
      const isSame = name.toLowerCase() === from.toLowerCase();
      if (!isSame && store.list().some((image) => image.series?.name.toLowerCase() === name.toLowerCase())) {
        throw new Failure('image/series-taken', `There is a series “${name}” already.`, { hint: 'Choose another name.', path: 'name' });
      }
      const changes = members.map(({ id, series: place }): ImageChange => ({ id, series: place && { ...place, name } }));
      const { changed: ofThem, edit } = bulkEdits.write(changes, { who: by, seriesRenamed: { from, to: name } });
      tellOf(ofThem);
      return { changed: ofThem.length, edit };
    },

    undoEdit(edit) {
      const { restored, kept, seriesRenamed } = bulkEdits.undo(edit);
      tellOf(restored);
      return { restored: restored.length, kept, seriesRenamed };
    },

    async fillIn(id, { os, firmware, facts }) {
      const before = find(id);
      const isKnown = before.os.id !== null || before.os.distro !== null;
      const read = { ...before.asRead, ...(isKnown ? {} : { os, firmware }) };
      const change: ImageChange = {
        id: before.id,
        ...(isKnown ? {} : { os, firmware, endOfLife: await endOfLifeOf(os, deps.recognition) }),
      };
      if (facts) {
        change.architecture = before.architecture ?? facts.architecture;
        if (before.patchLevel === null) Object.assign(change, { patchLevel: facts.patchLevel, patchLevelFrom: facts.patchLevelFrom });
        if (before.kernels.length === 0) change.kernels = facts.kernels;
        change.packages = before.packages ?? facts.packages;
      }
      const { kernels: _kernels, packages: _packages, id: _id, ...readable } = change;
      store.update([{ ...change, asRead: { ...read, ...readable } }]);
      changed(before.id);
    },

    readAgain(id, by) {
      const stored = find(id);
      return deps.jobs.start(readAgain, {
        title: `Read ${stored.name} again`,
        target: { kind: 'image', id: stored.id, name: stored.name },
        input: { imageId: stored.id },
        startedBy: by,
      });
    },

    async ensureBuiltIn() {
      try {
        await readBuilders();
        await removeStrays();
        const starter = await findStarter(deps.environment ?? process.env, deps.resourcesFolder);
        if (!starter) return;
        const { sha256 } = starter.metadata.disk;
        if (store.findByHash(sha256)) return;
        const deleted = await readFile(layout.starterDeleted, 'utf8').catch(() => '');
        if (deleted.trim() !== sha256) await addStarter(starter);
      } catch (thrown) {
        // The engine is of use without its starter, and the health page says what is wrong with the store.
        log.warn({ error: thrown }, 'The starter guest could not be put into the library.');
      }
    },
  };
}

/** Guests whose CD drive holds an image, and guests that were made from it. */
type Ties = { usedBy: Map<ImageId, Image['madeGuests']>; madeGuests: Map<ImageId, Image['madeGuests']> };

/** @param guests those in the trash as well, which may come back */
function tiesOf(guests: readonly Guest[], originOf: ImagesDeps['originOf']): Ties {
  const usedBy: Ties['usedBy'] = new Map();
  const madeGuests: Ties['madeGuests'] = new Map();
  for (const { id, spec } of guests) {
    for (const { medium } of spec.cdDrives) {
      if (medium?.kind === 'image') add(usedBy, medium.imageId, { guest: id, name: spec.name });
    }
    const origin = originOf(id);
    if (origin) add(madeGuests, origin, { guest: id, name: spec.name });
  }
  return { usedBy, madeGuests };
}

function add<Value>(lists: Map<ImageId, Value[]>, id: ImageId, value: Value): void {
  const list = lists.get(id);
  if (list) list.push(value);
  else lists.set(id, [value]);
}
