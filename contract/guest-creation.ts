/** What a person decides about a new guest, and what is said of the fields of a form. */
import { z } from 'zod';
import { guestSpec, portForward } from './guest-spec.ts';
import { imageId } from './ids.ts';

/** Where a new guest's first disk or CD comes from. Paths are absolute and on the engine's host. */
export const createSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('iso'), path: z.string().startsWith('/') }),
  z.strictObject({ kind: z.literal('disk'), path: z.string().startsWith('/'), inPlace: z.boolean() }),
  z.strictObject({ kind: z.literal('image'), imageId }),
]);
export type CreateSource = z.infer<typeof createSource>;

/** What the person creating a guest decided; everything absent is chosen for the recognised operating system. */
export const createChoices = guestSpec
  .pick({
    name: true,
    notes: true,
    tags: true,
    architecture: true,
    machine: true,
    accelerator: true,
    memoryMiB: true,
    firmware: true,
    tpm: true,
    clock: true,
    hypervEnlightenments: true,
    display: true,
    sound: true,
    usbTablet: true,
    rng: true,
    balloon: true,
    watchdog: true,
    serial: true,
    agents: true,
    panicDevice: true,
    autostart: true,
    extraArguments: true,
  })
  .extend({
    cpu: guestSpec.shape.cpu.partial(),
    /** Size of the new empty disk (ISO), or the size to grow the copied disk to. Null: no disk (ISO only). */
    diskGiB: z.number().int().min(1).max(65_536).nullable(),
    /**
     * Of an image's disk: build upon the image and keep only what differs (at once, and small), or copy it whole. Absent: share, where
     * that is possible. A disk that shares needs its image for as long as it lives.
     */
    shareImage: z.boolean(),
    diskBus: z.enum(['virtio', 'scsi', 'sata', 'ide', 'nvme', 'usb']),
    diskCache: z.enum(['none', 'writeback', 'writethrough', 'directsync', 'unsafe']),
    nicModel: z.enum(['virtio', 'e1000e', 'e1000', 'rtl8139', 'vmxnet3']),
    network: z.enum(['user', 'restricted', 'none']),
    forwards: z.array(portForward).max(64),
    /** Id or name of the storage location in which it is to lie, null for the data folder; absent: as the settings say. */
    location: z.string().max(60).nullable(),
  })
  .partial()
  .strict();
export type CreateChoices = z.infer<typeof createChoices>;

/** A problem with one field of a form; `severity` problem stops creation, warning does not. */
export const fieldNote = z.object({
  path: z.string(),
  severity: z.enum(['problem', 'warning']),
  message: z.string(),
  hint: z.string().optional(),
});
export type FieldNote = z.infer<typeof fieldNote>;
