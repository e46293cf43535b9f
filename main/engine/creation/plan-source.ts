/** What a new guest is made from: the file or image that was named, read and judged. */
import { resolve } from 'node:path';
import type { CreateChoices, CreateSource } from '../../../contract/guest-creation.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { ImageId } from '../../../contract/ids.ts';
import type { MediumReport } from '../../../contract/image.ts';
import type { ForeignFormat } from '../images/foreign/foreign-disk.ts';
import type { Images } from '../images/images.ts';
import { type PlanNote, problem, problemOf, warning } from './plan-note.ts';
import { firstDiskFile, type PlannedMedia } from './plan-spec.ts';

/** What has to be done on the disk when the guest is made. */
export type DiskWork =
  | { kind: 'none' }
  | { kind: 'empty'; sizeBytes: number }
  | { kind: 'share'; imageId: ImageId; from: string; format: 'qcow2' | 'raw'; sizeBytes: number }
  | {
      kind: 'copy';
      from: string;
      format: 'qcow2' | 'raw' | ForeignFormat;
      fileSizeBytes: number;
      virtualSizeBytes: number;
      sizeBytes: number;
    };

export type ReadSource = {
  medium: MediumReport;
  /** A name to fall back to. */
  fileName: string;
  isDisk: boolean;
};

const gib = 1024 ** 3;

/** Reads the source. Without a usable one the notes say why, and `read` is null. */
export async function readSource(
  source: CreateSource,
  images: Pick<Images, 'show' | 'inspect'>,
): Promise<{ read: ReadSource | null; notes: PlanNote[] }> {
  try {
    const read = source.kind === 'image' ? await readImage(source.imageId, images) : await readFile(source.path, images);
    return { read, notes: judgeKind(source, read) };
  } catch (thrown) {
    return { read: null, notes: [problemOf(thrown, source.kind === 'image' ? 'source.imageId' : 'source.path')] };
  }
}

async function readImage(
  imageId: Extract<CreateSource, { kind: 'image' }>['imageId'],
  images: Pick<Images, 'show' | 'inspect'>,
): Promise<ReadSource> {
  const image = images.show(imageId);
  const medium = await images.inspect(image.path);
  // The name under which it came to the library said more than the name that it has there.
  return { medium: { ...medium, os: image.os, firmware: image.firmware }, fileName: image.name, isDisk: image.kind === 'disk' };
}

async function readFile(path: string, images: Pick<Images, 'inspect'>): Promise<ReadSource> {
  const medium = await images.inspect(path);
  return { medium, fileName: path.split('/').at(-1) ?? path, isDisk: medium.format !== 'iso' };
}

function judgeKind(source: CreateSource, { medium, isDisk }: ReadSource): PlanNote[] {
  const path = 'source.path';
  const notes: PlanNote[] = [];
  if (medium.packing) {
    notes.push(
      problem(
        'image/not-an-image',
        path,
        'This file is packed.',
        'Import it into the library, which unpacks it, and make the guest from that.',
      ),
    );
  }
  if (source.kind === 'iso' && isDisk) {
    notes.push(problem('image/not-an-image', path, 'This is a disk image, not an ISO.', 'Create the guest from a disk image instead.'));
  }
  if (source.kind === 'disk' && !isDisk) {
    notes.push(problem('image/not-an-image', path, 'This is an ISO, not a disk image.', 'Create the guest from an ISO instead.'));
  }
  if (medium.os.family === 'macos') {
    notes.push(problem('guest/spec-invalid', path, 'macOS may only be run on Apple’s computers, and is not supported as a guest.'));
  } else if (!medium.bootable.bios && !medium.bootable.uefi) {
    notes.push(
      warning(
        'image/not-an-image',
        path,
        isDisk ? 'Nothing on this disk looks as if a computer could start from it.' : 'Nothing on this disc can be started.',
      ),
    );
  }
  return notes;
}

/** The media of the new guest and the work to make its disk. `diskGiB` null: no disk for an ISO, the present size for a disk. */
export function planMedia(
  source: CreateSource,
  { medium, isDisk }: ReadSource,
  choices: CreateChoices,
  defaultDiskGiB: number | null,
): { media: PlannedMedia; work: DiskWork; notes: PlanNote[] } {
  const chosenGiB = choices.diskGiB;
  if (!isDisk) {
    const diskGiB = chosenGiB === undefined ? defaultDiskGiB : chosenGiB;
    const sizeBytes = diskGiB === null ? 0 : diskGiB * gib;
    const cd =
      source.kind === 'image'
        ? ({ kind: 'image', imageId: source.imageId } as const)
        : ({ kind: 'in-place', path: resolve(medium.path) } as const);
    return {
      media: { cd, disk: diskGiB === null ? null : { location: { kind: 'store', file: firstDiskFile }, format: 'qcow2', sizeBytes } },
      work: diskGiB === null ? { kind: 'none' } : { kind: 'empty', sizeBytes },
      notes: [],
    };
  }
  const format = medium.format === 'iso' ? 'raw' : medium.format;
  // What guests can write to; the library holds nothing else.
  const writable = format === 'raw' ? 'raw' : 'qcow2';
  // QEMU counts in sectors of 512 bytes.
  const presentBytes = Math.ceil(medium.virtualSizeBytes / 512) * 512;
  const wantedBytes = chosenGiB === undefined || chosenGiB === null ? presentBytes : chosenGiB * gib;
  const notes: PlanNote[] = [];
  const presentGiB = Math.ceil((presentBytes / gib) * 10) / 10;
  if (wantedBytes < presentBytes) {
    notes.push(
      problem(
        'guest/spec-invalid',
        'diskGiB',
        `The disk has ${presentGiB} GiB and cannot be made smaller.`,
        'Leave its size as it is, or make it larger.',
      ),
    );
  }
  if (source.kind === 'disk' && source.inPlace) {
    if (format !== writable) {
      notes.push(
        problem(
          'image/not-an-image',
          'source.inPlace',
          `A disk in the format ${format.toUpperCase()} cannot be used in place: guests write to qcow2 and raw disks only.`,
          'Copy it instead; the copy is converted.',
        ),
      );
    }
    if (wantedBytes > presentBytes) {
      notes.push(
        problem(
          'guest/spec-invalid',
          'diskGiB',
          'A disk that is used in place keeps its size.',
          'Copy it instead, or grow it first with qemu-img resize.',
        ),
      );
    }
    return {
      media: {
        cd: null,
        disk: {
          location: { kind: 'in-place', path: resolve(medium.path) },
          format: writable,
          sizeBytes: presentBytes,
        },
      },
      work: { kind: 'none' },
      notes,
    };
  }
  const sizeBytes = Math.max(wantedBytes, presentBytes);
  const media: PlannedMedia = { cd: null, disk: { location: { kind: 'store', file: firstDiskFile }, format: 'qcow2', sizeBytes } };
  if (source.kind === 'image' && choices.shareImage !== false) {
    return { media, work: { kind: 'share', imageId: source.imageId, from: medium.path, format: writable, sizeBytes }, notes };
  }
  if (source.kind !== 'image' && choices.shareImage) {
    notes.push(
      problem(
        'guest/spec-invalid',
        'shareImage',
        'Only an image of the library can be shared; a file of your own may change.',
        'Import it first, or copy it.',
      ),
    );
  }
  return {
    media,
    work: {
      kind: 'copy',
      from: medium.path,
      format,
      fileSizeBytes: medium.fileSizeBytes,
      virtualSizeBytes: medium.virtualSizeBytes,
      sizeBytes,
    },
    notes,
  };
}

/** Paths of disks that guests use in place, with the guests' names. */
export function disksInPlace(specs: readonly Pick<GuestSpec, 'name' | 'disks'>[]): Map<string, string> {
  const used = new Map<string, string>();
  for (const { name, disks } of specs) for (const { location } of disks) if (location.kind === 'in-place') used.set(location.path, name);
  return used;
}
