/** The job that reads an image of the store again, after a newer Guesthouse or a newer libosinfo has learnt to understand more of it. */
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { type ImageId, imageId } from '../../../contract/ids.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import type { OsRecognition } from '../os/os-recognition.ts';
import { endOfLifeOf } from './end-of-life.ts';
import { rereadImage } from './image-edit.ts';
import { withPackages } from './import-job.ts';
import type { Inspector } from './inspect.ts';
import type { PackageStore } from './packages/store.ts';
import type { ImageStore } from './store.ts';

const readAgainInput = z.object({ imageId });
type ReadAgainInput = z.infer<typeof readAgainInput>;

type Deps = {
  store: ImageStore;
  packages: Pick<PackageStore, 'save'>;
  inspector: Inspector;
  recognition: OsRecognition;
  pathOf(id: ImageId): string;
  changed(id: ImageId): void;
};

export function defineReadAgain({
  store,
  packages: packageStore,
  inspector,
  recognition,
  pathOf,
  changed,
}: Deps): JobDefinition<ReadAgainInput> {
  return {
    kind: 'image.readAgain',
    parseInput: (value) => readAgainInput.parse(value),
    // All that is kept is written at once at the end.
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Read it',
        weight: 1,
        async run({ input, signal }) {
          const before = store.find(input.imageId);
          if (!before) throw new Failure('image/not-found', `The image ${input.imageId} was deleted meanwhile.`);
          const { os, firmware, facts } = await inspector.inspect(pathOf(before.id));
          const list = await inspector.packagesOn(pathOf(before.id), before.format);
          signal.throwIfAborted();
          // In the store a file has no name of its own: what its name once said is better than what its partitions look like.
          const knownOs = os.id !== null || before.asRead.os.id === null ? os : before.asRead.os;
          const { architecture, patchLevel, patchLevelFrom, kernels, packages } = withPackages(facts, list);
          const read = {
            os: knownOs,
            firmware,
            architecture: architecture ?? before.asRead.architecture,
            patchLevel: patchLevel ?? before.asRead.patchLevel,
            patchLevelFrom: patchLevel === null ? before.asRead.patchLevelFrom : patchLevelFrom,
            endOfLife: await endOfLifeOf(knownOs, recognition),
          };
          store.update([rereadImage(store.find(before.id) ?? before, read, { kernels, packages })]);
          packageStore.save(before.id, list);
          changed(before.id);
        },
      },
    ],
  };
}
