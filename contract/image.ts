/** Images: media from which guests are made. A guest's own disks are not images; they are copies of one. */
import { z } from 'zod';
import { firmwareKind, osIdentity } from './guest-spec.ts';
import { guestId, imageId, instant } from './ids.ts';

/** What the store keeps. Disks of other products become qcow2 when they are imported. */
export const imageFormat = z.enum(['iso', 'qcow2', 'raw']);
export type ImageFormat = z.infer<typeof imageFormat>;
export const mediumFormat = z.enum([...imageFormat.options, 'vmdk', 'vdi', 'vhd', 'vhdx']);
export type MediumFormat = z.infer<typeof mediumFormat>;
export const packing = z.enum(['gzip', 'xz', 'zstd']);
export type Packing = z.infer<typeof packing>;

export const imageArchitecture = z.enum(['x86_64', 'aarch64', 'i686', 'arm', 'riscv64', 'ppc64le', 's390x']);
export type ImageArchitecture = z.infer<typeof imageArchitecture>;

const month = '(?:0[1-9]|1[0-2])';
const day = '(?:0[1-9]|[12]\\d|3[01])';

/** Up to which month or day a system has its updates: "2026-06", "2026-06-17". Two of them compare as text. */
export const patchLevel = z
  .string()
  .regex(new RegExp(`^\\d{4}-${month}(?:-${day})?$`), 'A patch level is a month or a day: 2026-06 or 2026-06-17.');
const calendarDay = z.string().regex(new RegExp(`^\\d{4}-${month}-${day}$`), 'A day is written 2026-06-17.');

/** What can be read on a medium, or in a guest through its agent, beyond the name of its system. */
export const systemFacts = z.object({
  architecture: imageArchitecture.nullable(),
  patchLevel: patchLevel.nullable(),
  /** What the patch level was read from, as a sentence. */
  patchLevelFrom: z.string().nullable(),
  /** Releases of the Linux kernels that are installed, newest first. */
  kernels: z.array(z.string().max(200)).max(64),
  packages: z.object({ manager: z.enum(['dpkg', 'rpm', 'apk', 'pacman']), count: z.number().int().nullable() }).nullable(),
});
/** A package of a system's package manager, or a program in Windows' list of them. */
export const installedPackage = z.object({ name: z.string(), version: z.string() });
export type InstalledPackage = z.infer<typeof installedPackage>;
export type SystemFacts = z.infer<typeof systemFacts>;
export const noFacts: SystemFacts = { architecture: null, patchLevel: null, patchLevelFrom: null, kernels: [], packages: null };

/** What reading a file found out about it, before anything is copied. Sizes in bytes. */
export const mediumReport = z.object({
  path: z.string(),
  format: mediumFormat,
  /** The file is packed; `format` is that of what is in it. */
  packing: packing.nullable(),
  fileSizeBytes: z.number().int(),
  /** Size that a guest would see; 0 when that shows only once the file is unpacked. */
  virtualSizeBytes: z.number().int(),
  /** ISO 9660 volume id, or a partition label. */
  label: z.string().nullable(),
  os: osIdentity,
  /** How the operating system was recognised, in plain words; null when it was not. */
  recognisedBy: z.string().nullable(),
  bootable: z.object({ bios: z.boolean(), uefi: z.boolean() }),
  firmware: firmwareKind,
  facts: systemFacts,
  /** Things worth knowing before it is used: not bootable, no UEFI loader. */
  notes: z.array(z.string()),
});
export type MediumReport = z.infer<typeof mediumReport>;

/** What a file would bring into the library. `ova` and `ovf` are of a whole machine, whose `disks` become an image each. */
export const importReport = mediumReport.extend({
  format: z.enum([...mediumFormat.options, 'ova', 'ovf']),
  disks: z.array(z.object({ file: z.string(), name: z.string(), virtualSizeBytes: z.number() })).optional(),
});
export type ImportReport = z.infer<typeof importReport>;

/** A draft is not yet for others, and what is deprecated should no longer be used; both can be. */
export const imageLifecycle = z.enum(['draft', 'published', 'deprecated']);
export type ImageLifecycle = z.infer<typeof imageLifecycle>;

export const imageName = z.string().trim().min(1, 'An image needs a name.').max(200);
export const seriesName = z.string().trim().min(1, 'A series needs a name.').max(120);
const seriesVersion = z.number().int().min(1).max(1_000_000);
const changeNote = z.string().max(4000);

/** Fields that reading a medium fills in. What a hand wrote into one of them stays, whatever is read later. */
export const readField = z.enum(['os', 'architecture', 'firmware', 'patchLevel', 'endOfLife']);
export type ReadField = z.infer<typeof readField>;

/** What is known of an image beyond its bytes. */
export const imageDetails = systemFacts.extend({
  os: osIdentity,
  firmware: firmwareKind,
  /** The day after which the system gets no more updates, from libosinfo. */
  endOfLife: calendarDay.nullable(),
  /** Where it can be had, and what its maker says its checksum is: "sha256:…", or the digits alone. */
  sourceUrl: z
    .url({ protocol: /^(https?|ftp)$/, error: 'An address begins with https://, http:// or ftp://.' })
    .max(2000)
    .nullable(),
  sourceChecksum: z
    .string()
    .regex(
      /^((md5:)?[0-9a-f]{32}|(sha1:)?[0-9a-f]{40}|(sha256:)?[0-9a-f]{64}|(sha512:)?[0-9a-f]{128})$/i,
      'A checksum is the 32, 40, 64 or 128 digits of MD5, SHA-1, SHA-256 or SHA-512.',
    )
    .nullable(),
  notes: z.string().max(20_000),
  tags: z.array(z.string().trim().min(1).max(40)).max(32),
  lifecycle: imageLifecycle,
  /** The line of versions that the image is one of. No two images have the same place in it. */
  series: z.object({ name: seriesName, version: seriesVersion, changeNote }).nullable(),
  byHand: z.array(readField),
  /** Whose word the facts are, as a sentence, when Guesthouse did not read them itself. */
  factsFrom: z.string().nullable(),
});

/** What a person can write of an image. In a series without a version, it becomes the newest. */
export const imageChanges = imageDetails
  .pick({
    os: true,
    architecture: true,
    firmware: true,
    patchLevel: true,
    endOfLife: true,
    sourceUrl: true,
    sourceChecksum: true,
    notes: true,
    tags: true,
    lifecycle: true,
  })
  .extend({
    name: imageName,
    series: z.strictObject({ name: seriesName, version: seriesVersion.optional(), changeNote: changeNote.optional() }).nullable(),
  })
  .partial();
export type ImageChanges = z.infer<typeof imageChanges>;

export const image = imageDetails.extend({
  id: imageId,
  name: z.string(),
  format: imageFormat,
  kind: z.enum(['iso', 'disk']),
  /** The starter guest's image, put here by set-up. It can be deleted, and comes back when set-up has built a newer one. */
  builtIn: z.boolean(),
  sizeBytes: z.number().int(),
  virtualSizeBytes: z.number().int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  label: z.string().nullable(),
  /** Where it was copied from. */
  source: z.string(),
  addedAt: instant,
  addedBy: z.string(),
  /** Absolute path in the store. */
  path: z.string(),
  /** Names of guests whose CD drive holds the image. */
  usedBy: z.array(z.string()),
  /** Names of guests whose disks build upon the image, those in the trash as well. */
  builtUponBy: z.array(z.string()),
  /** Guests whose disk began as the one in the image, or that were installed from it. */
  madeGuests: z.array(z.object({ guest: guestId, name: z.string() })),
});
export type Image = z.infer<typeof image>;

/** Whether a newer version of the series can be used in place of `of`. */
export function isNewerVersion(candidate: Pick<Image, 'series' | 'lifecycle'>, of: { name: string; version: number }): boolean {
  return candidate.series?.name === of.name && candidate.lifecycle === 'published' && candidate.series.version > of.version;
}
