/** The rooms of the engine, put together. Guests and images know each other by functions that are called once both are there. */
import { dirname, sep } from 'node:path';
import type { Catalogue } from './catalogue/catalogue.ts';
import { createCatalogue } from './catalogue/image-catalogue.ts';
import { createClones } from './clones/guest-clones.ts';
import { createIdentityGiver } from './clones/inner-identity.ts';
import { createCreation } from './creation/guest-creation.ts';
import { createDownloads } from './downloads/download-registry.ts';
import { createQemuDriver } from './drivers/qemu/qemu-driver.ts';
import type { Foundation, Rooms } from './engine.ts';
import { createGuests, type GuestRegistry } from './guests/guest-registry.ts';
import { createEditing } from './hardware/guest-editing.ts';
import { createHostCapabilities } from './host/host-capabilities.ts';
import { createImages } from './images/image-registry.ts';
import { createDiskWork } from './layers/disk-work.ts';
import { createLineageLock } from './layers/lineage-lock.ts';
import { createOsRecognition } from './os/os-recognition.ts';
import { createSnapshots } from './snapshots/snapshot-registry.ts';
import { createLocations } from './storage/locations.ts';
import { createStorage } from './storage/storage-room.ts';
import { createTransfer } from './transfer/machine-transfer.ts';
import { createSeeds } from './unattended/seed-registry.ts';
import { createSeedTools } from './unattended/seed-tools.ts';

export function composeRooms(foundation: Foundation): Rooms {
  const { layout, database, changes, feed, jobs, settings, clock, log } = foundation;
  const recognition = createOsRecognition({ layout });
  const host = createHostCapabilities({ layout, settings: settings.get });
  const lineageLock = createLineageLock();
  const diskWork = createDiskWork();
  const locations = createLocations({ layout, database, clock, settings: settings.get });
  const forGuest = (wanted: string | null | undefined) =>
    wanted === undefined ? locations.defaultFolder('guestLocation') : locations.folderOf(wanted);
  const catalogue = createCatalogue({
    database,
    clock,
    feed,
    jobs,
    host,
    recognition,
    images: () => images,
    guests: () => guests,
    importDefinition: () => images.importDefinition,
    settings: settings.get,
    layout,
  });
  const images = createImages({
    layout,
    database,
    jobs,
    changes,
    feed,
    clock,
    log,
    settings: settings.get,
    host,
    recognition,
    guests: () => guests,
    lineageLock,
    locations: {
      forImages: () => locations.defaultFolder('imageLocation'),
      reachable: () => locations.list().flatMap((location) => (locations.isReachable(location) ? [location.path] : [])),
    },
    originOf: catalogue.originOf,
    resourcesFolder: packageResources(import.meta.dirname),
  });
  const identities = createIdentityGiver(() => guests, log.child({ room: 'clones' }));
  const driver = createQemuDriver({ host, log: log.child({ room: 'qemu' }) });
  const seeds = createSeeds({
    layout,
    database,
    tools: createSeedTools(),
    clock,
    log: log.child({ room: 'seeds' }),
    guests: () => guests,
    memorySnapshot: (id) => snapshots.tree(id).snapshots.find(({ withMemory }) => withMemory)?.name ?? null,
  });
  const guests = createGuests({
    layout,
    database,
    driver,
    changes: {
      guest(id, guest) {
        changes.guest(id, guest);
        images.guestsChanged();
        if (guest) identities.guestChanged(guest);
      },
    },
    feed,
    jobs,
    log: log.child({ room: 'guests' }),
    settler: () => snapshots.settler,
    imagePath: (id) => images.show(id).path,
    seeds,
    defaultLocation: () => forGuest(undefined),
  });
  const creation = createCreation({
    layout,
    jobs,
    guests,
    images,
    catalogue,
    seeds,
    host,
    recognition,
    lineageLock,
    locations: { forGuest },
    log,
    settings: settings.get,
  });
  const snapshots = createSnapshots({
    layout,
    database,
    guests: () => guests,
    driver,
    jobs,
    lineageLock,
    diskWork,
    qemuImgPath: () => host.qemuImgPath(),
    importDefinition: images.importDefinition,
    keepFreeBytes: () => settings.get().keepFreeMiB * 1024 ** 2,
    disposable: (from, by) => clones.disposable(from, by),
    isBeingMoved: () => storage.isMoving(),
    forgetEdits: (id) => hardware.forget(id),
    feed,
    clock,
    log,
  });
  const downloads = createDownloads({
    layout,
    database,
    jobs,
    images,
    importDefinition: images.importDefinition,
    feed,
    clock,
    log,
    settings: settings.get,
  });
  const clones = createClones({
    layout,
    jobs,
    guests: withOrigins(guests, catalogue),
    images,
    catalogue,
    seeds,
    host,
    creation,
    lineageLock,
    diskWork,
    moments: () => snapshots.moments,
    tidyLayers: () => snapshots.tidyLayers(),
    locations: { forGuest },
    feed,
    clock,
    log,
    settings: settings.get,
  });
  const hardware = createEditing({
    layout,
    database,
    guests,
    images,
    host,
    jobs,
    clock,
    settings: settings.get,
    tidyLayers: () => snapshots.tidyLayers(),
    beforeChange: (id, who) => snapshots.beforeHardwareChange(id, who),
  });
  const transfer = createTransfer({
    layout,
    jobs,
    guests,
    snapshots,
    images,
    driver,
    host,
    recognition,
    feed,
    log,
    settings: settings.get,
    windowsDrivers: () => images.list().find(({ kind, label }) => kind === 'iso' && /^virtio-win/i.test(label ?? ''))?.path ?? null,
  });
  const storage = createStorage({
    layout,
    database,
    jobs,
    guests,
    images,
    host,
    locations,
    lineageLock,
    layersByGuest: () => snapshots.layersByGuest(),
    giveWay: (id) => diskWork.giveWay(id),
    lineageChanged: () => images.lineageChanged(),
    feed,
    clock,
    settings,
  });
  return {
    guests,
    snapshots,
    images,
    catalogue,
    downloads,
    storage,
    creation,
    clones,
    hardware,
    transfer,
    seeds,
    host,
    jobDefinitions: [images, catalogue, downloads, storage, guests, snapshots, creation, clones, hardware, transfer].flatMap(
      (room) => room.jobDefinitions,
    ),
    settleMoves: () => storage.settleMoves(),
    async settleLeftovers() {
      await creation.settleLeftovers(clones.inTheMaking());
      seeds.prune();
      await snapshots.settleLeftovers();
    },
  };
}

/** Guests that are made of others know which image those came from. */
function withOrigins(guests: GuestRegistry, catalogue: Catalogue): GuestRegistry {
  return {
    ...guests,
    beginCreation(id, spec, lineage, location) {
      const guest = guests.beginCreation(id, spec, lineage, location);
      catalogue.inheritOrigin(id, guest.origin);
      return guest;
    },
  };
}

/** The resources of the package that this bundle is a part of; null in a checkout. */
export function packageResources(bundleFolder: string): string | null {
  const unpacked = bundleFolder.split(sep).lastIndexOf('app.asar.unpacked');
  return unpacked < 0
    ? null
    : dirname(
        bundleFolder
          .split(sep)
          .slice(0, unpacked + 1)
          .join(sep),
      );
}
