/** One function a call. They convert and pass on; what a verb means stands in the service that it calls. */
import type { CallName, CallOutput, CallParsed } from '../../../contract/calls.ts';
import type { EngineInfo } from '../../../contract/events.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Clones } from '../clones/clones.ts';
import type { Creation } from '../creation/creation.ts';
import type { Downloads } from '../downloads/downloads.ts';
import type { ChangesHub } from '../feed/changes-hub.ts';
import type { FeedRecorder } from '../feed/feed-recorder.ts';
import type { Guests } from '../guests/guests.ts';
import type { Hardware } from '../hardware/hardware.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { Jobs } from '../jobs/job-runner.ts';
import type { Sampler } from '../samples/sampler.ts';
import type { SettingsStore } from '../settings/store.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { Storage } from '../storage/storage.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { Seeds } from '../unattended/seeds.ts';
import type { Caller } from './caller.ts';
import { downloadHandlers } from './handlers/download.ts';
import { engineHandlers } from './handlers/engine.ts';
import { guestHandlers } from './handlers/guest.ts';
import { guestCloneHandlers } from './handlers/guest-clone.ts';
import { guestConsoleHandlers } from './handlers/guest-console.ts';
import { guestHardwareHandlers } from './handlers/guest-hardware.ts';
import { imageHandlers } from './handlers/image.ts';
import { imageCatalogueHandlers } from './handlers/image-catalogue.ts';
import { machineHandlers } from './handlers/machine.ts';
import { recordHandlers } from './handlers/record.ts';
import { seedHandlers } from './handlers/seed.ts';
import { snapshotHandlers } from './handlers/snapshot.ts';
import { storageHandlers } from './handlers/storage.ts';

/** All that answers calls. */
export type Services = {
  info: EngineInfo;
  guests: Guests;
  snapshots: Snapshots;
  images: Images;
  downloads: Downloads;
  storage: Storage;
  catalogue: Catalogue;
  creation: Creation;
  clones: Clones;
  hardware: Hardware;
  transfer: Transfer;
  seeds: Seeds;
  host: HostCapabilities;
  jobs: Jobs;
  feed: FeedRecorder;
  audit: AuditStore;
  settings: SettingsStore;
  sampler: Sampler;
  hub: ChangesHub;
  /** Begins the engine's end; settles at once. */
  stop(): void;
};

export type Handlers = {
  [Name in CallName]: (input: CallParsed<Name>, caller: Caller) => CallOutput<Name> | Promise<CallOutput<Name>>;
};

export function createHandlers(services: Services): Handlers {
  return {
    ...engineHandlers(services),
    ...imageHandlers(services),
    ...downloadHandlers(services),
    ...storageHandlers(services),
    ...imageCatalogueHandlers(services),
    ...guestHandlers(services),
    ...guestCloneHandlers(services),
    ...guestConsoleHandlers(services),
    ...guestHardwareHandlers(services),
    ...machineHandlers(services),
    ...seedHandlers(services),
    ...snapshotHandlers(services),
    ...recordHandlers(services),
  };
}
