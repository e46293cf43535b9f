/** What every part of the engine says to the outside: things that changed, things that happened. Implemented over the store in `feed-recorder.ts`. */
import type { FeedEvent } from '../../../contract/events.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, ImageId, JobId } from '../../../contract/ids.ts';
import type { Image } from '../../../contract/image.ts';
import type { Job } from '../../../contract/job.ts';
import type { Settings } from '../../../contract/settings.ts';

/** Tells connected clients the new value of something. Cheap to call; nothing is stored. */
export type Changes = {
  guest(id: GuestId, guest: Guest | null): void;
  image(id: ImageId, image: Image | null): void;
  /** Several that changed at once. */
  images(images: readonly Image[]): void;
  job(id: JobId, job: Job | null): void;
  settings(settings: Settings): void;
};

export type NewFeedEvent = Pick<FeedEvent, 'severity' | 'kind' | 'text'> & { guestId?: GuestId; imageId?: ImageId; jobId?: JobId };

/** Stores an event and tells connected clients. */
export type Feed = { record(event: NewFeedEvent): void };
