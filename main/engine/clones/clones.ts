/** Guests made of others: clones, templates, disposable guests. Implemented by `guest-clones.ts`. */
import type { CallOutput, CallParsed } from '../../../contract/calls.ts';
import type { ClonePlan, CloneRequest, RebaseMove } from '../../../contract/guest-clone.ts';
import type { LineageNode } from '../../../contract/guest-lineage.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, ImageId, LayerId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import type { SavedRecord } from '../guests/store.ts';

/** Disks and firmware that a snapshot kept. */
export type FrozenSource = {
  guest: GuestId;
  name: string;
  spec: GuestSpec;
  layers: Readonly<Record<string, LayerId>>;
  /** Paths; null when it had none. */
  nvram: string | null;
  tpmState: string | null;
  /** What the guest goes on from instead of booting; null boots. */
  memory: { path: string; saved: SavedRecord } | null;
};
export type DisposableSource = { guest: GuestId } | { image: ImageId } | { frozen: FrozenSource };

export type Clones = {
  /** Says what `clone` would make, without making it. @throws Failure as `clone` does */
  plan(request: CloneRequest): Promise<ClonePlan>;
  /** @throws Failure `guest/denied`, `guest/name-invalid`, `guest/name-taken`, `guest/spec-invalid`, `layer/not-freezable`, `store/full` */
  clone(request: CloneRequest, by: string): Promise<CallOutput<'guest.clone'>>;
  /** Makes a guest that is started and goes when it ends. */
  disposable(source: DisposableSource, by: string): Promise<CallOutput<'guest.disposable'>>;
  makeTemplate(id: GuestId): Guest;
  /** Makes a template whose disk builds upon the image. @throws Failure `image/not-an-image`, `guest/name-taken`, `guest/spec-invalid` */
  templateOfImage(image: ImageId, name: string | undefined, by: string): Promise<CallOutput<'image.makeTemplate'>>;
  /** @throws Failure `guest/denied` with the clones that still build upon the template */
  makeGuest(id: GuestId): Promise<Guest>;
  /**
   * @param bytesPerSecond the most while the guest runs; null: a pace that leaves it room
   * @throws Failure `guest/denied`, `guest/stands-alone`, `store/full`
   */
  flatten(id: GuestId, bytesPerSecond: number | null, by: string): Promise<Job>;
  /** @throws Failure `guest/denied`, `guest/stands-alone`, `guest/has-own-data`, `image/not-found`, `guest/spec-invalid` */
  rebase(id: GuestId, image: ImageId, by: string): Promise<Job>;
  /** Which guests could be rebased to what, each with the reason why it cannot. @throws Failure `image/not-found`, `guest/not-found` */
  planRebase(wanted: CallParsed<'guest.planRebase'>): Promise<RebaseMove[]>;
  /** Reads an image whole, or all that disks build upon. @throws Failure `image/not-found` */
  verify(image: ImageId | null, by: string): Job;
  /** Says in the feed what disks build upon and was changed by somebody else, as far as that can be told at a glance. */
  tellOfChangedBases(): Promise<void>;
  /** Every file that builds upon another, or is built upon. */
  lineage(): Promise<LineageNode[]>;
};
