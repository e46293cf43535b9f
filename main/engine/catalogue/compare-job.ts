/** The job that compares the contents of two images and keeps what it found. */
import { z } from 'zod';
import { imageId } from '../../../contract/ids.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { compareContent } from './compare-content.ts';
import type { CatalogueStore } from './store.ts';

const compareInput = z.object({ one: imageId, other: imageId });
type CompareInput = z.infer<typeof compareInput>;

type Deps = {
  store: Pick<CatalogueStore, 'comparisons'>;
  images: Pick<Images, 'show'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  clock: Clock;
};

export function defineCompare({ store, images, host, clock }: Deps): JobDefinition<CompareInput> {
  return {
    kind: 'image.compare',
    parseInput: (value) => compareInput.parse(value),
    // It only reads, and what it found is kept at once at the end.
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Compare the disks',
        weight: 1,
        async run({ input, signal, progress }) {
          const found = await compareContent({
            one: images.show(input.one),
            other: images.show(input.other),
            qemuImg: await host.qemuImgPath(),
            signal,
            onProgress: progress,
          });
          store.comparisons.save(input.one, input.other, { ...found, comparedAt: instantNow(clock) });
        },
      },
    ],
  };
}
