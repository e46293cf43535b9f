/**
 * The job that moves an image's file to another location, or back. It can be run again from the start at any time.
 *
 * ```
 *   copy, hashed ─► give it its name there ─► one rename turns the name in the store into a link to it ─► remove the old file
 * ```
 * INVARIANT: the name in the store always leads to a whole file (`tests/integration/storage-locations.test.ts` kills the engine in the middle).
 */
import { chmod, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { imageId } from '../../../contract/ids.ts';
import type { Feed } from '../feed/feed.ts';
import { moveIntoPlace, removeFile, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { movedTo, pathInLocation, putLink } from '../files/moved-file.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import { copyMedium } from '../images/copy-medium.ts';
import type { Images } from '../images/images.ts';
import { openMedium } from '../images/open-medium.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';

const moveInput = z.object({
  imageId,
  /** Path of the image's name in the store. */
  path: z.string(),
  /** Where its file was when the job was asked for. */
  from: z.string(),
  /** Folder of the location, or null for the data folder. */
  to: z.string().nullable(),
  toName: z.string(),
});
export type MoveInput = z.infer<typeof moveInput>;

type Deps = {
  layout: Layout;
  images: Pick<Images, 'show'>;
  feed: Feed;
  keepFreeBytes: () => number;
};

export function defineMoveImage({ layout, images, feed, keepFreeBytes }: Deps): JobDefinition<MoveInput> {
  const wholeAt = ({ to, path }: MoveInput) => (to === null ? path : pathInLocation(to, path));
  const arrivingAt = (input: MoveInput) => (input.to === null ? layout.imageArriving(input.imageId) : `${wholeAt(input)}.arriving`);
  const isThere = async (input: MoveInput) => ((await movedTo(input.path)) ?? input.path) === wholeAt(input);

  return {
    kind: 'image.move',
    parseInput: (value) => moveInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Copy it',
        weight: 96,
        async run({ input, signal, progress }) {
          if (await isThere(input)) return;
          const image = images.show(input.imageId);
          const arriving = arrivingAt(input);
          try {
            makePrivateFolder(dirname(arriving));
          } catch (thrown) {
            throw toWriteFailure(thrown, dirname(arriving));
          }
          const medium = await openMedium(input.path);
          try {
            const sha256 = await copyMedium({
              source: medium.file,
              sourcePath: input.path,
              target: arriving,
              keepFreeBytes: keepFreeBytes(),
              signal,
              onProgress: progress,
            });
            if (sha256 !== image.sha256) {
              throw new Failure('image/corrupt', `The file of “${image.name}” is not what it was when it came into the library.`, {
                hint: 'Import it again from where it came. It was left where it is.',
              });
            }
          } finally {
            await medium.file.close();
          }
        },
        async undo(input) {
          await removeFile(arrivingAt(input));
          if (input.to !== null && !(await isThere(input))) await removeFile(wholeAt(input));
        },
      },
      {
        name: 'Use it from there',
        weight: 2,
        async run({ input }) {
          if (await isThere(input)) return;
          // Nobody writes to a base, wherever it lies.
          await chmod(arrivingAt(input), (await stat(input.path)).mode & 0o777);
          if (input.to === null) return moveIntoPlace(arrivingAt(input), input.path);
          await moveIntoPlace(arrivingAt(input), wholeAt(input));
          await putLink(wholeAt(input), input.path, layout.imageArriving(input.imageId));
        },
        async undo(input) {
          if (!(await isThere(input))) await removeFile(layout.imageArriving(input.imageId));
        },
      },
      {
        name: 'Remove the old file',
        weight: 2,
        async run({ input }) {
          // Of a file in the store nothing is left: its name is the link now.
          if (input.from !== input.path && input.from !== wholeAt(input)) await removeFile(input.from);
          const { name } = images.show(input.imageId);
          feed.record({ severity: 'info', kind: 'image.moved', text: `“${name}” lies in ${input.toName} now.`, imageId: input.imageId });
        },
      },
    ],
  };
}
