/** All that can be asked about what is known of images, across them. Implemented by `image-catalogue.ts`. */
import type { CallOutput, CallParsed } from '../../../contract/calls.ts';
import type { OsIdentity } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import type { SystemFacts } from '../../../contract/image.ts';
import type { GuestFacts, ImageDifferences, ImageOrigin, ImagesFound, SavedSearch } from '../../../contract/image-catalogue.ts';
import type { Job } from '../../../contract/job.ts';

export type Catalogue = {
  /** @throws Failure `image/query-invalid` naming the word at fault */
  search(wanted: CallParsed<'image.search'>): ImagesFound;
  searches: {
    list(): SavedSearch[];
    /** @throws Failure `image/query-invalid` */
    save(name: string, query: string, by: string): SavedSearch;
    /** @throws Failure `search/not-found` */
    remove(name: string): void;
  };
  /** Gives a series another name, also where guests remember it. @throws Failure `image/series-unknown`, `image/series-taken` */
  renameSeries(series: string, name: string, by: string): CallOutput<'image.renameSeries'>;
  /** Takes an edit of several images back, by default the last. @throws Failure `image/nothing-to-undo` */
  undoEdit(edit: number | undefined): CallOutput<'image.undoEdit'>;
  /** @throws Failure `image/not-found` */
  differences(one: ImageId, other: ImageId): ImageDifferences;
  /** @throws Failure `image/not-found`, `image/not-comparable` */
  compare(one: ImageId, other: ImageId, by: string): Job;
  /** Makes an image of the disk that a guest boots from. @throws Failure `guest/not-found`, `guest/denied` */
  capture(wanted: CallParsed<'image.capture'>, by: string): Job;
  systems(): Promise<OsIdentity[]>;

  /** Notes from which image a guest is made; what the guest's agent says later is beside it. */
  recordOrigin(guest: GuestId, image: ImageId): void;
  /** Notes that a guest is made of what another is made of, or of an image; nothing for one that is made of neither. */
  inheritOrigin(guest: GuestId, from: Guest['origin']): void;
  originOf(guest: GuestId): ImageId | null;
  origin(guest: GuestId): { origin: ImageOrigin | null; facts: GuestFacts | null };
  outdated(): CallOutput<'image.outdated'>;
  /** @throws Failure `guest/denied`, `guest/agent-absent`, `guest/agent-failed` */
  readFacts(guest: GuestId): Promise<GuestFacts>;
  /** What is known of the system in a guest, for an image that is made of it: null when its agent was never asked. */
  factsOf(guest: GuestId): SystemFacts | null;
};
