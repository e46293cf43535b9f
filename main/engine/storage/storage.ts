/** All that the rest of the engine can ask about space. Implemented by `storage-room.ts`. */
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import type { StorageLocation, StorageReport } from '../../../contract/storage.ts';

export type Storage = {
  report(): Promise<StorageReport>;
  findDuplicates(by: string): Job;
  /** @throws Failure `storage/not-an-orphan`, `image/in-use` */
  deleteOrphan(path: string): Promise<void>;
  /** @throws Failure `storage/location-invalid` */
  addLocation(path: string, name: string): Promise<StorageLocation>;
  /** @throws Failure `storage/location-unknown`, `storage/location-in-use` */
  removeLocation(id: string): Promise<void>;
  /** @throws Failure `image/not-found`, `storage/location-unknown`, `store/full` */
  moveImage(id: ImageId, location: string | null, by: string): Promise<Job>;
  /** @throws Failure `guest/not-found`, `guest/denied`, `guest/agent-absent` */
  reclaimGuest(id: GuestId, by: string): Job;
  /** @throws Failure `image/not-found` */
  reclaimImage(id: ImageId, by: string): Job;
};
