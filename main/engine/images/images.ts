/** All that the rest of the engine can ask about images. Implemented by `image-registry.ts`. */
import type { ImageId } from '../../../contract/ids.ts';
import type { Image, MediumReport } from '../../../contract/image.ts';
import type { Job } from '../../../contract/job.ts';

export type Images = {
  list(): Image[];
  /** @throws Failure `image/not-found` */
  show(id: ImageId): Image;
  /** Reads a file without trusting it. @throws Failure `image/*` saying what is wrong with it. */
  inspect(path: string): Promise<MediumReport>;
  import(path: string, name: string | undefined, by: string): Promise<Job>;
  /** @throws Failure `image/in-use` naming the guests. */
  delete(id: ImageId): Promise<void>;
  /** Puts the starter guest's image on the list when set-up built one and it is not there yet. */
  ensureBuiltIn(): Promise<void>;
};
