/** The job that reads an image of the store again, after a newer Guesthouse or a newer libosinfo has learnt to understand more of it. */
import { Failure } from '../../../contract/errors.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { endOfLifeOf } from './end-of-life.ts';
import { rereadImage } from './image-edit.ts';
import { withPackages } from './import-job.ts';
import { type LookInsideDeps, type LookInsideInput, lookInsideInput, lookInsideStep } from './inside/look-inside-job.ts';
import type { Inspector } from './inspect.ts';
import type { StoredImage } from './store.ts';

type Deps = LookInsideDeps & { inspector: Inspector };

export function defineReadAgain(deps: Deps): JobDefinition<LookInsideInput> {
  const { store, packages: packageStore, inspector, recognition, pathOf, changed } = deps;
  return {
    kind: 'image.readAgain',
    parseInput: (value) => lookInsideInput.parse(value),
    // All that is kept is written at once at the end of each step.
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
          const unread = await inspector.unreadOn(pathOf(before.id), before.format);
          signal.throwIfAborted();
          // What was read with libguestfs, which may be gone since, says more than what is seen from outside.
          const stays = unread.length > 0 && before.factsFrom !== null;
          // In the store a file has no name of its own: what its name once said is better than what its partitions look like.
          const knownOs = !stays && (os.id !== null || before.asRead.os.id === null) ? os : before.asRead.os;
          const { architecture, patchLevel, patchLevelFrom, kernels, packages } = withPackages(facts, list);
          const read = {
            os: knownOs,
            firmware,
            architecture: architecture ?? before.asRead.architecture,
            patchLevel: patchLevel ?? before.asRead.patchLevel,
            patchLevelFrom: patchLevel === null ? before.asRead.patchLevelFrom : patchLevelFrom,
            endOfLife: await endOfLifeOf(knownOs, recognition),
          };
          const now = store.find(before.id) ?? before;
          store.update([rereadImage(now, read, stays ? pickInside(now) : { kernels, packages, factsFrom: null })]);
          if (!stays) packageStore.save(before.id, list);
          changed(before.id);
        },
      },
      lookInsideStep(deps),
    ],
  };
}

function pickInside({ kernels, packages, factsFrom }: StoredImage): Pick<StoredImage, 'kernels' | 'packages' | 'factsFrom'> {
  return { kernels, packages, factsFrom };
}
