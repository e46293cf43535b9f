/** All that the rest of the engine can ask about images. Implemented by `image-registry.ts`. */
import type { CallOutput, CallParsed } from '../../../contract/calls.ts';
import type { FirmwareKind, OsIdentity } from '../../../contract/guest-spec.ts';
import type { ImageId } from '../../../contract/ids.ts';
import type { Image, InstalledPackage, MediumReport, ReadField, SystemFacts } from '../../../contract/image.ts';
import type { Job } from '../../../contract/job.ts';
import type { WantedChanges } from './image-edit.ts';

export type Images = {
  /** The built-in one first, then the newest. */
  list(): Image[];
  /** Those of these ids, in their order; what is gone is left out. */
  pick(ids: readonly ImageId[]): Image[];
  /** The same without who uses them, for looking at many: an object stays the same for as long as nothing in it changes. */
  known(ids: readonly ImageId[]): ImageAlone[];
  /** How many guests hold or were made from each image that has any. */
  uses(): ReadonlyMap<ImageId, number>;
  /** @throws Failure `image/not-found` */
  show(id: ImageId): Image;
  /** What is installed in the system on it, by name; null when that is not known. @throws Failure `image/not-found` */
  packages(id: ImageId): InstalledPackage[] | null;
  /** Reads a file without trusting it. @throws Failure `image/*` saying what is wrong with it. */
  inspect(path: string): Promise<MediumReport>;
  import(path: string, name: string | undefined, by: string): Promise<Job>;
  /** @throws Failure `image/in-use` naming what depends on it. */
  delete(id: ImageId): Promise<void>;
  /** Writes what a person knows of an image. @throws Failure `image/version-taken` */
  edit(id: ImageId, changes: WantedChanges, asRead: readonly ReadField[]): Promise<Image>;
  /** Writes the same into several at once. @throws Failure `image/not-found`, `call/invalid-input`: then none is changed. */
  editMany(ids: readonly ImageId[], changes: ManyChanges, by: string): CallOutput<'image.editMany'>;
  /** Gives all versions of a series another name. @throws Failure `image/series-unknown`, `image/series-taken` */
  renameSeries(series: string, name: string, by: string): CallOutput<'image.renameSeries'>;
  /** Takes an edit of several back, by default the last. @throws Failure `image/nothing-to-undo` */
  undoEdit(edit: number | undefined): CallOutput<'image.undoEdit'> & { seriesRenamed: { from: string; to: string } | null };
  /** Adds what is known of the system in an image where reading the image found nothing. */
  fillIn(id: ImageId, known: { os: OsIdentity; firmware: FirmwareKind; facts: SystemFacts | null }): Promise<void>;
  readAgain(id: ImageId, by: string): Job;
  /** Puts the starter guest's image on the list when set-up built one and it is not there yet. */
  ensureBuiltIn(): Promise<void>;
};

/** An image without what follows from guests and from where the store lies. */
export type ImageAlone = Omit<Image, 'path' | 'usedBy' | 'builtUponBy' | 'madeGuests'>;

export type ManyChanges = Omit<CallParsed<'image.editMany'>, 'images'>;
