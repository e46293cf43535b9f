/** All that the rest of the engine can ask about space. Implemented by `storage-room.ts`. */
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import type { Settings } from '../../../contract/settings.ts';
import type { StoragePlace, StoragePlaces, StorageReport } from '../../../contract/storage.ts';

export type Storage = {
  report(): Promise<StorageReport>;
  places(): Promise<StoragePlaces>;
  findDuplicates(by: string): Job;
  /** @throws Failure `storage/not-an-orphan`, `image/in-use` */
  deleteOrphan(path: string): Promise<void>;
  /** @throws Failure `storage/location-invalid` */
  addLocation(path: string, name: string): Promise<StoragePlace>;
  /** @throws Failure `storage/location-unknown`, `storage/location-in-use` */
  removeLocation(id: string): Promise<void>;
  /** Locations that settings name must be there. @throws Failure `storage/location-unknown` with the setting's `path` */
  mustBeKnown(change: { [Key in keyof Settings]?: Settings[Key] | undefined }): void;
  /** @throws Failure `image/not-found`, `storage/location-unknown`, `storage/location-away` */
  moveImage(id: ImageId, location: string | null, by: string): Promise<Job>;
  /** By name or id of the location, null for the data folder. @throws Failure `guest/not-found`, `guest/denied`, `storage/*` */
  moveGuest(id: GuestId, location: string | null, by: string): Promise<Job>;
  /** @throws Failure `guest/not-found`, `guest/denied`, `guest/agent-absent` */
  reclaimGuest(id: GuestId, by: string): Job;
  /** @throws Failure `image/not-found` */
  reclaimImage(id: ImageId, by: string): Job;
};
