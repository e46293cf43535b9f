/** Images: media from which guests are made. A guest's own disks are not images; they are copies of one. */
import { z } from 'zod';
import { firmwareKind, osIdentity } from './guest-spec.ts';
import { imageId, instant } from './ids.ts';

/** What the store keeps. Disks of other products become qcow2 when they are imported. */
export const imageFormat = z.enum(['iso', 'qcow2', 'raw']);
export type ImageFormat = z.infer<typeof imageFormat>;
export const mediumFormat = z.enum([...imageFormat.options, 'vmdk', 'vdi', 'vhd', 'vhdx']);
export type MediumFormat = z.infer<typeof mediumFormat>;
export const packing = z.enum(['gzip', 'xz', 'zstd']);
export type Packing = z.infer<typeof packing>;

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
  /** Things worth knowing before it is used: not bootable, no UEFI loader. */
  notes: z.array(z.string()),
});
export type MediumReport = z.infer<typeof mediumReport>;

export const image = z.object({
  id: imageId,
  name: z.string(),
  format: imageFormat,
  kind: z.enum(['iso', 'disk']),
  /** The starter guest's image, put here by set-up. It can be deleted, and comes back when set-up has built a newer one. */
  builtIn: z.boolean(),
  os: osIdentity,
  firmware: firmwareKind,
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
});
export type Image = z.infer<typeof image>;
