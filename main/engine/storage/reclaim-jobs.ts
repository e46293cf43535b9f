/** The jobs that give back room. Both leave everything as it was when they fail, are cancelled, or their engine is killed. */
import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import type { Disk } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { guestId, imageId } from '../../../contract/ids.ts';
import type { Feed } from '../feed/feed.ts';
import { moveIntoPlace, removeFile } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { movedTo } from '../files/moved-file.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { copyMedium } from '../images/copy-medium.ts';
import type { Images } from '../images/images.ts';
import { openMedium } from '../images/open-medium.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import { compactDisk, compactingOf } from './compact-disk.ts';
import { formatSize } from './format-size.ts';
import { measureFile } from './measure.ts';

export type ReclaimDeps = {
  layout: Layout;
  guests: Pick<Guests, 'show' | 'hold' | 'trim'>;
  images: Pick<Images, 'show'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  feed: Feed;
  keepFreeBytes: () => number;
};

const guestInput = z.object({ guestId });
const imageInput = z.object({ imageId });

/** Disks that are the guest's own and can be rewritten. */
function ownDisks(guest: Guest): (Disk & { location: { kind: 'store'; file: string } })[] {
  return guest.spec.disks.filter((disk): disk is Disk & { location: { kind: 'store'; file: string } } => disk.location.kind === 'store');
}

export function defineReclaimGuest({ layout, guests, host, feed, keepFreeBytes }: ReclaimDeps): JobDefinition<z.infer<typeof guestInput>> {
  const compactAll = async ({ input, signal, progress }: StepContext<z.infer<typeof guestInput>>): Promise<number> => {
    const qemuImg = await host.qemuImgPath();
    return guests.hold(input.guestId, 'rebuild', async (held) => {
      held.sayBusy('The disks of the guest are being rewritten.');
      const disks = ownDisks(guests.show(input.guestId)).filter((disk) => disk.format === 'qcow2');
      const total = disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
      let saved = 0;
      let before = 0;
      for (const disk of disks) {
        saved += await compactDisk({
          qemuImg,
          path: held.files.disk(disk.location.file),
          folders: held.files.bases,
          what: `The disk ${disk.id} of ${held.stored.spec.name}`,
          keepFreeBytes: keepFreeBytes(),
          signal: AbortSignal.any([signal, held.cutShort]),
          onProgress: (share) => progress(Math.round(before + share * disk.sizeBytes), total),
        });
        before += disk.sizeBytes;
      }
      return saved;
    });
  };

  const realBytes = async (guest: Guest): Promise<number> => {
    const files = await Promise.all(ownDisks(guest).map((disk) => measureFile(layout.guest(guest.id).disk(disk.location.file))));
    return files.reduce((sum, file) => sum + (file?.use.realBytes ?? 0), 0);
  };

  return {
    kind: 'guest.reclaim',
    parseInput: (value) => guestInput.parse(value),
    afterCrash: 'undo',
    cancellable: true,
    steps: [
      {
        name: 'Give back room',
        weight: 1,
        async run(context) {
          const { guestId: id } = context.input;
          const guest = guests.show(id);
          let saved: number;
          if (guest.state.run) {
            const before = await realBytes(guest);
            await guests.trim(id);
            saved = before - (await realBytes(guest));
          } else saved = await compactAll(context);
          const text = saved > 0 ? `${guest.spec.name} gave back ${formatSize(saved)}.` : `${guest.spec.name} had nothing to give back.`;
          feed.record({ severity: 'info', kind: 'guest.reclaimed', text, guestId: id, jobId: context.jobId });
        },
        async undo({ guestId: id }) {
          const { folder } = layout.guest(id);
          for (const name of await readdir(folder).catch(() => []))
            if (name.endsWith(compactingOf(''))) await removeFile(join(folder, name));
        },
      },
    ],
  };
}

/** A copy without what is only zeros, which must have the same SHA-256; then it takes the old one's place. */
export function defineReclaimImage({ images, feed, keepFreeBytes }: ReclaimDeps): JobDefinition<z.infer<typeof imageInput>> {
  return {
    kind: 'image.reclaim',
    parseInput: (value) => imageInput.parse(value),
    afterCrash: 'undo',
    cancellable: true,
    steps: [
      {
        name: 'Give back room',
        weight: 1,
        async run({ input, signal, progress, jobId }) {
          const image = images.show(input.imageId);
          const file = (await movedTo(image.path)) ?? image.path;
          const target = compactingOf(file);
          const before = (await measureFile(image.path))?.use.realBytes ?? 0;
          const medium = await openMedium(image.path);
          try {
            const sha256 = await copyMedium({
              source: medium.file,
              sourcePath: image.path,
              target,
              anew: true,
              keepFreeBytes: keepFreeBytes(),
              signal,
              onProgress: progress,
            });
            if (sha256 !== image.sha256) {
              throw new Failure('image/corrupt', `The file of “${image.name}” is not what it was when it came into the library.`, {
                hint: 'Import it again from where it came. It was left as it is.',
              });
            }
            const saved = before - ((await measureFile(target))?.use.realBytes ?? before);
            if (saved > 0) {
              // Who reads the old file now goes on with it; both are the same, byte by byte.
              await chmod(target, (await stat(image.path)).mode & 0o777);
              await moveIntoPlace(target, file);
            }
            const text = saved > 0 ? `“${image.name}” gave back ${formatSize(saved)}.` : `“${image.name}” had nothing to give back.`;
            feed.record({ severity: 'info', kind: 'image.reclaimed', text, imageId: image.id, jobId });
          } finally {
            await medium.file.close();
            await removeFile(target);
          }
        },
        async undo(input) {
          const { path } = images.show(input.imageId);
          await removeFile(compactingOf((await movedTo(path)) ?? path));
        },
      },
    ],
  };
}
