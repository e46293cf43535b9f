/**
 * The job that copies a medium into the store. It can be run again from the start at any time: what is not finished has another name, and what
 * is finished is recognised by its row.
 */
import { basename, extname } from 'node:path';
import { z } from 'zod';
import { imageId } from '../../../contract/ids.ts';
import type { MediumReport } from '../../../contract/image.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Feed } from '../feed/feed.ts';
import { moveIntoPlace, removeFile, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { copyMedium } from './copy-medium.ts';
import { type Inspector, recheckHeader } from './inspect.ts';
import { openMedium } from './open-medium.ts';
import type { ImageStore, StoredImage } from './store.ts';

const importInput = z.object({ imageId, path: z.string(), name: z.string(), addedBy: z.string() });
export type ImportInput = z.infer<typeof importInput>;

export type ImportDeps = {
  layout: Layout;
  store: ImageStore;
  inspector: Inspector;
  feed: Feed;
  clock: Clock;
  keepFreeBytes: () => number;
  /** Tells clients that the image is there, or gone. */
  changed: (id: StoredImage['id']) => void;
  /** The content was there already under another id. */
  duplicate: (wanted: StoredImage['id'], existing: StoredImage) => void;
};

export function defineImport(deps: ImportDeps): JobDefinition<ImportInput> {
  const { layout, store } = deps;
  /** What earlier steps of a run found out for later ones. A resumed job runs all of them again. */
  const found = new Map<string, { report: MediumReport; sha256: string }>();

  return {
    kind: 'image.import',
    parseInput: (value) => importInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Check the file',
        weight: 1,
        async run({ input }) {
          if (store.find(input.imageId)) return;
          found.set(input.imageId, { report: await deps.inspector.inspect(input.path), sha256: '' });
        },
        async undo(input) {
          found.delete(input.imageId);
        },
      },
      {
        name: 'Copy it into the library',
        weight: 97,
        async run({ input, signal, progress }) {
          const known = found.get(input.imageId);
          if (!known) return;
          makeFolder(layout.images);
          const arriving = layout.imageArriving(input.imageId);
          const medium = await openMedium(input.path);
          try {
            const keepFreeBytes = deps.keepFreeBytes();
            known.sha256 = await copyMedium({
              source: medium.file,
              sourcePath: input.path,
              target: arriving,
              keepFreeBytes,
              signal,
              onProgress: progress,
            });
          } finally {
            await medium.file.close();
          }
          // The copy is what will be used, so the copy is what must be harmless.
          await recheckHeader(arriving, known.report);
        },
        async undo(input) {
          await removeFile(layout.imageArriving(input.imageId));
        },
      },
      {
        name: 'Add it to the library',
        weight: 2,
        async run({ input }) {
          const known = found.get(input.imageId);
          if (!known) return;
          const arriving = layout.imageArriving(input.imageId);
          const existing = store.findByHash(known.sha256);
          if (existing) {
            await removeFile(arriving);
            deps.duplicate(input.imageId, existing);
          } else {
            const image = describe(input, known.report, known.sha256, instantNow(deps.clock));
            await moveIntoPlace(arriving, layout.image(image.id, image.format));
            store.insert(image);
            deps.changed(image.id);
            deps.feed.record({ severity: 'info', kind: 'image.imported', text: `“${image.name}” is in the library.`, imageId: image.id });
          }
          found.delete(input.imageId);
        },
        async undo(input) {
          const image = store.find(input.imageId);
          store.remove(input.imageId);
          for (const format of ['iso', 'qcow2', 'raw']) await removeFile(layout.image(input.imageId, format));
          if (image) deps.changed(input.imageId);
        },
      },
    ],
  };
}

/** What an image is called when nobody says: its file's name without the ending. */
export function imageNameFor(path: string): string {
  const name = basename(path);
  return (basename(name, extname(name)) || name).slice(0, 200);
}

function describe(input: ImportInput, report: MediumReport, sha256: string, addedAt: string): StoredImage {
  return {
    id: input.imageId,
    name: input.name,
    format: report.format,
    kind: report.format === 'iso' ? 'iso' : 'disk',
    builtIn: false,
    os: report.os,
    firmware: report.firmware,
    sizeBytes: report.fileSizeBytes,
    virtualSizeBytes: report.virtualSizeBytes,
    sha256,
    label: report.label,
    source: input.path,
    addedAt,
    addedBy: input.addedBy,
  };
}

/** @throws Failure `store/full` or `store/not-writable`. */
function makeFolder(path: string): void {
  try {
    makePrivateFolder(path);
  } catch (thrown) {
    throw toWriteFailure(thrown, path);
  }
}
