/**
 * The job that copies a medium into the store. It can be run again from the start at any time: what is not finished has another name, and what
 * is finished is recognised by its row.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import type { OsIdentity } from '../../../contract/guest-spec.ts';
import { imageId } from '../../../contract/ids.ts';
import {
  type ImageFormat,
  type InstalledPackage,
  imageDetails,
  imageFormat,
  type MediumReport,
  type Packing,
  type SystemFacts,
} from '../../../contract/image.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Feed } from '../feed/feed.ts';
import { moveIntoPlace, removeFile, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { pathInLocation, putLink, removeWithMoved } from '../files/moved-file.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import { copyMedium } from './copy-medium.ts';
import { convertForeign } from './foreign/convert-foreign.ts';
import { type ForeignFormat, foreignFormats } from './foreign/foreign-disk.ts';
import { type ForeignOptions, openForeign } from './foreign/open-foreign.ts';
import { type Inspector, recheckHeader, unpackedName } from './inspect.ts';
import { openMedium } from './open-medium.ts';
import type { PackageStore } from './packages/store.ts';
import { unpackedMaxBytes, unpackFile } from './packed-file.ts';
import { diskInfo } from './qemu-img.ts';
import type { ImageStore, NewImage, StoredImage } from './store.ts';

const importInput = z.object({
  imageId,
  path: z.string(),
  name: z.string(),
  addedBy: z.string(),
  /** What is remembered as its source when that is not the path. */
  origin: z.string().optional(),
  /** What its makers say of that: "sha256:…". */
  checksum: z.string().optional(),
  /** The file is the engine's own and is not written to any more: no second copy of it is needed. */
  own: z.boolean().optional(),
});
export type ImportInput = z.infer<typeof importInput>;

export type ImportDeps = {
  layout: Layout;
  store: ImageStore;
  packages: Pick<PackageStore, 'save'>;
  inspector: Inspector;
  feed: Feed;
  clock: Clock;
  keepFreeBytes: () => number;
  qemuImgPath: () => Promise<string>;
  endOfLifeOf: (os: OsIdentity) => Promise<string | null>;
  /** Folder of the storage location for new images, null for the data folder. @throws Failure `storage/location-away` */
  place: () => string | null;
  /** Every folder in which an import may have left something. */
  places: () => readonly string[];
  /** Tells clients that the image is there, or gone. */
  changed: (id: StoredImage['id']) => void;
  /** The image is in the library. What more can be found out about it is nobody's to wait for. */
  arrived: (id: StoredImage['id']) => void;
  /** The content was there already under another id. */
  duplicate: (wanted: StoredImage['id'], existing: StoredImage) => void;
};

/** What earlier steps of a run found out for later ones. A resumed job runs all of them again. */
type Found = { report: MediumReport; place: string | null; stored: Stored | null };
/** The file in the store: `arriving` until it gets its name. */
type Stored = { format: ImageFormat; sizeBytes: number; sha256: string; report: MediumReport };

export function defineImport(deps: ImportDeps): JobDefinition<ImportInput> {
  const { layout, store } = deps;
  const found = new Map<string, Found>();
  /** A name among the images, in the location in which the image is going to lie. */
  const inPlace = (id: ImportInput['imageId'], path: string): string => {
    const place = found.get(id)?.place ?? null;
    return place === null ? path : pathInLocation(place, path);
  };
  const arrivingAt = (id: ImportInput['imageId']) => inPlace(id, layout.imageArriving(id));
  const unpackingAt = (id: ImportInput['imageId']) => inPlace(id, layout.imageUnpacking(id));
  /** That name in the data folder and in every location: after a crash it is not known any more in which it was. */
  const everywhere = (path: string): string[] => [path, ...deps.places().map((place) => pathInLocation(place, path))];

  /** Copies what the store can keep as it is. */
  const copy = async (report: MediumReport, { input, signal, progress }: StepContext<ImportInput>): Promise<Stored> => {
    const target = arrivingAt(input.imageId);
    const medium = await openMedium(input.path);
    let sha256: string;
    try {
      const sourcePath = input.path;
      sha256 = await copyMedium({
        source: medium.file,
        sourcePath,
        target,
        link: input.own ?? false,
        keepFreeBytes: deps.keepFreeBytes(),
        signal,
        onProgress: progress,
      });
    } finally {
      await medium.file.close();
    }
    // The copy is what will be used, so the copy is what must be harmless.
    await recheckHeader(target, report);
    return { format: storedFormat(report), sizeBytes: report.fileSizeBytes, sha256, report };
  };

  /** Makes a qcow2 of a disk of another product, which lies at `path`. */
  const convert = async (
    path: string,
    format: ForeignFormat,
    report: MediumReport,
    { input, signal, progress }: StepContext<ImportInput>,
    naming: ForeignOptions = {},
  ): Promise<Stored> => {
    const target = arrivingAt(input.imageId);
    const qemuImg = await deps.qemuImgPath();
    const medium = await openMedium(path);
    try {
      const disk = await openForeign(medium, format, naming);
      try {
        await convertForeign({
          qemuImg,
          disk,
          sourcePath: input.path,
          target,
          keepFreeBytes: deps.keepFreeBytes(),
          signal,
          onProgress: progress,
        });
      } finally {
        await disk.close();
      }
    } finally {
      await medium.file.close();
    }
    const made = await diskInfo(qemuImg, target, 'qcow2');
    if (made.virtualSizeBytes !== report.virtualSizeBytes) {
      throw new Failure('image/corrupt', `${input.path} did not come out right: its copy has another size.`, { hint: 'Try again.' });
    }
    return { format: 'qcow2', ...(await hashOf(target, signal)), report };
  };

  /** Unpacks a file into the store, and then treats what was in it as any other. */
  const unpack = async (packing: Packing, context: StepContext<ImportInput>): Promise<Stored> => {
    const { input, signal, progress } = context;
    const target = unpackingAt(input.imageId);
    const fileName = unpackedName(basename(input.path));
    const medium = await openMedium(input.path);
    let unpacked: { sha256: string; sizeBytes: number };
    try {
      const keepFreeBytes = deps.keepFreeBytes();
      unpacked = await unpackFile({ medium, packing, target, maxBytes: unpackedMaxBytes, keepFreeBytes, signal, onProgress: progress });
    } finally {
      await medium.file.close();
    }
    const report = await deps.inspector.inspectUnpacked(target, fileName);
    const format = foreignFormatOf(report);
    if (format) {
      const stored = await convert(target, format, report, context, { fileName, alone: true });
      await removeFile(target);
      return stored;
    }
    await moveIntoPlace(target, arrivingAt(input.imageId));
    return { format: storedFormat(report), ...unpacked, report };
  };

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
          found.set(input.imageId, { report: await deps.inspector.inspect(input.path), place: deps.place(), stored: null });
        },
        async undo(input) {
          found.delete(input.imageId);
        },
      },
      {
        name: 'Copy it into the library',
        weight: 97,
        async run(context) {
          const known = found.get(context.input.imageId);
          if (!known) return;
          makeFolder(layout.images);
          makeFolder(dirname(arrivingAt(context.input.imageId)));
          const { report } = known;
          const format = foreignFormatOf(report);
          if (report.packing) known.stored = await unpack(report.packing, context);
          else if (format) known.stored = await convert(context.input.path, format, report, context);
          else known.stored = await copy(report, context);
        },
        async undo(input) {
          for (const path of everywhere(layout.imageUnpacking(input.imageId))) await removeFile(path);
          for (const path of everywhere(layout.imageArriving(input.imageId))) {
            await removeFile(path);
            await rm(`${path}.pieces`, { recursive: true, force: true });
          }
        },
      },
      {
        name: 'Add it to the library',
        weight: 2,
        async run({ input }) {
          const stored = found.get(input.imageId)?.stored;
          if (!stored) return;
          const arriving = arrivingAt(input.imageId);
          const endOfLife = await deps.endOfLifeOf(stored.report.os);
          const packages = await deps.inspector.packagesOn(arriving, stored.format);
          const image = withPackages({ ...describe(input, stored, instantNow(deps.clock)), endOfLife }, packages);
          const path = layout.image(image.id, image.format);
          const whole = inPlace(image.id, path);
          if (!store.findByHash(stored.sha256)) {
            await moveIntoPlace(arriving, whole);
            if (whole !== path) await putLink(whole, path, layout.imageArriving(image.id));
          }
          // Asked again: another import of the same content may have come in while this one was moved. From here on nothing is awaited.
          const existing = store.findByHash(stored.sha256);
          if (existing) {
            deps.duplicate(input.imageId, existing);
            await removeFile(arriving);
            await removeWithMoved(path);
          } else {
            store.insert(image);
            deps.packages.save(image.id, packages);
            deps.changed(image.id);
            deps.feed.record({ severity: 'info', kind: 'image.imported', text: `“${image.name}” is in the library.`, imageId: image.id });
            deps.arrived(image.id);
          }
          found.delete(input.imageId);
        },
        async undo(input) {
          const image = store.find(input.imageId);
          store.remove(input.imageId);
          for (const format of imageFormat.options)
            for (const path of everywhere(layout.image(input.imageId, format))) await removeFile(path);
          if (image) deps.changed(input.imageId);
        },
      },
    ],
  };
}

/** The format in which another product's disk comes; null for what the store keeps as it is. */
export function foreignFormatOf({ format }: Pick<MediumReport, 'format'>): ForeignFormat | null {
  return foreignFormats.find((one) => one === format) ?? null;
}

function storedFormat({ format }: MediumReport): ImageFormat {
  return imageFormat.parse(format);
}

async function hashOf(path: string, signal: AbortSignal): Promise<{ sha256: string; sizeBytes: number }> {
  const medium = await openMedium(path);
  try {
    const hash = createHash('sha256');
    await pipeline(medium.file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1024 * 1024 }), hash, { signal });
    return { sha256: hash.digest('hex'), sizeBytes: medium.sizeBytes };
  } finally {
    await medium.file.close();
  }
}

/** What an image is called when nobody says: its file's name without the ending. */
export function imageNameFor(path: string): string {
  const name = unpackedName(basename(path));
  return (basename(name, extname(name)) || name).slice(0, 200);
}

function describe(input: ImportInput, { format, sizeBytes, sha256, report }: Stored, addedAt: string): NewImage {
  return {
    id: input.imageId,
    name: input.name,
    format,
    kind: format === 'iso' ? 'iso' : 'disk',
    builtIn: false,
    os: report.os,
    firmware: report.firmware,
    sizeBytes,
    virtualSizeBytes: report.virtualSizeBytes,
    sha256,
    label: report.label,
    source: input.origin ?? input.path,
    sourceUrl: imageDetails.shape.sourceUrl.safeParse(input.origin).data ?? null,
    sourceChecksum: imageDetails.shape.sourceChecksum.safeParse(input.checksum).data ?? null,
    addedAt,
    addedBy: input.addedBy,
    ...report.facts,
  };
}

/** A list that could be read says better how many there are than what was counted without reading it. */
export function withPackages<Known extends { packages?: SystemFacts['packages'] }>(
  known: Known,
  list: readonly InstalledPackage[] | null,
): Known {
  return known.packages && list ? { ...known, packages: { ...known.packages, count: list.length } } : known;
}

/** @throws Failure `store/full` or `store/not-writable`. */
function makeFolder(path: string): void {
  try {
    makePrivateFolder(path);
  } catch (thrown) {
    throw toWriteFailure(thrown, path);
  }
}
