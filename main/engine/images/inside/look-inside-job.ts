/** The job that adds what libguestfs reads on an image whose file systems are read by nobody here; also the last step of reading it again. */
import { z } from 'zod';
import type { OsIdentity } from '../../../../contract/guest-spec.ts';
import { type ImageId, imageId } from '../../../../contract/ids.ts';
import type { Feed } from '../../feed/feed.ts';
import type { HostCapabilities } from '../../host/capabilities.ts';
import type { JobDefinition, JobStepDefinition } from '../../jobs/job-definition.ts';
import type { OsRecognition } from '../../os/os-recognition.ts';
import { endOfLifeOf } from '../end-of-life.ts';
import { rereadImage } from '../image-edit.ts';
import type { Inspector } from '../inspect.ts';
import type { PackageStore } from '../packages/store.ts';
import type { ImageStore } from '../store.ts';
import type { Inspection } from './inspection.ts';
import { lookInside } from './look-inside.ts';

export const lookInsideInput = z.object({ imageId });
export type LookInsideInput = z.infer<typeof lookInsideInput>;

export type LookInsideDeps = {
  store: ImageStore;
  packages: Pick<PackageStore, 'save'>;
  inspector: Pick<Inspector, 'unreadOn'>;
  recognition: OsRecognition;
  host: Pick<HostCapabilities, 'guestfs'>;
  feed: Feed;
  pathOf(id: ImageId): string;
  /** Where what the programs write for themselves lies meanwhile. */
  scratchFolder(id: ImageId): string;
  changed(id: ImageId): void;
};

/** What is shown as where the facts came from. */
const factsFrom = 'By virt-inspector, within the disk.';

/** A failure leaves what was known as it was, and is told among the events: the image is as good as before. */
export function lookInsideStep(deps: LookInsideDeps): JobStepDefinition<LookInsideInput> {
  const { store } = deps;
  return {
    name: 'Look into its file systems',
    weight: 9,
    async run({ input, signal }) {
      const image = store.find(input.imageId);
      if (!image || image.format === 'iso') return;
      const path = deps.pathOf(image.id);
      const unread = await deps.inspector.unreadOn(path, image.format);
      if (unread.length === 0) return;
      const tools = await deps.host.guestfs();
      if (tools.virtInspector === null) return;
      const scratchFolder = deps.scratchFolder(image.id);
      const outcome = await lookInside({ path, format: image.format, tools, scratchFolder, signal });
      if (outcome.state === 'no-system') return;
      const tell = (text: string, severity: 'info' | 'warning') =>
        deps.feed.record({ severity, kind: 'image.lookedInside', text, imageId: image.id });
      if (outcome.state === 'not-done') {
        return void tell(`What is on “${image.name}” (${unread.join(', ')}) could not be read. ${outcome.because}`, 'warning');
      }
      const { inside } = outcome;
      const os = await identify(inside, deps.recognition);
      const endOfLife = await endOfLifeOf(os, deps.recognition);
      // Asked again: it may have been deleted, or written to by hand, in these minutes.
      const before = store.find(image.id);
      if (!before) return;
      const read = {
        ...before.asRead,
        os,
        endOfLife,
        architecture: inside.architecture ?? before.asRead.architecture,
        ...(inside.patchLevel === null ? {} : { patchLevel: inside.patchLevel, patchLevelFrom: inside.patchLevelFrom }),
      };
      store.update([rereadImage(before, read, { kernels: inside.kernels, packages: inside.packages, factsFrom })]);
      deps.packages.save(before.id, inside.list);
      deps.changed(before.id);
      tell(`virt-inspector read “${before.name}”: ${os.name}.`, 'info');
    },
  };
}

export function defineLookInside(deps: LookInsideDeps): JobDefinition<LookInsideInput> {
  return {
    kind: 'image.lookInside',
    parseInput: (value) => lookInsideInput.parse(value),
    // All that is kept is written at once at the end.
    afterCrash: 'resume',
    cancellable: true,
    steps: [lookInsideStep(deps)],
  };
}

async function identify({ osinfo, name, family, distro, version }: Inspection, recognition: OsRecognition): Promise<OsIdentity> {
  const known = (await recognition.systems()).find(({ id }) => id === osinfo);
  if (known) return known;
  if (osinfo === null && family === 'linux' && distro !== null) {
    return (await recognition.recogniseOsRelease({ id: distro, versionId: version ?? '', prettyName: name, idLike: '' })).os;
  }
  return { id: osinfo, name: name || 'Unknown', family, version, distro };
}
