/** Whole machines of other products: what is found out about one before anything is copied, and what becomes of it. */
import { z } from 'zod';
import { disk, firmwareKind, nic, osIdentity } from './guest-spec.ts';
import { instant } from './ids.ts';

export const machineKind = z.enum(['ova', 'ovf', 'virtualbox', 'vmware', 'libvirt', 'utm', 'quickemu', 'disk', 'capsule']);
export type MachineKind = z.infer<typeof machineKind>;

/**
 * `capsule` is one file with all that makes the guest, which another Guesthouse opens exactly as it was. `ova` is one file for VMware,
 * VirtualBox and others; `libvirt` a folder with a domain's XML and its disks. The others are its disks alone: one file, or a folder when it
 * has several.
 */
export const exportFormat = z.enum(['capsule', 'ova', 'libvirt', 'qcow2', 'raw', 'vmdk', 'vhdx', 'vdi']);
export type ExportFormat = z.infer<typeof exportFormat>;

/** One thing that was found, and what will be done about it. A `problem` stops the import. */
export const machineFinding = z.object({
  /** Stable: "disk/bitlocker", "source/snapshots". */
  id: z.string().regex(/^[a-z]+\/[a-z0-9-]+$/),
  severity: z.enum(['ok', 'info', 'warning', 'problem']),
  title: z.string(),
  text: z.string(),
  /** What the import does about it, or what you can do before. */
  action: z.string(),
});
export type MachineFinding = z.infer<typeof machineFinding>;

/** What would be imported. Sizes in bytes. */
export const machineReport = z.object({
  path: z.string(),
  kind: machineKind,
  /** Free as a name of a guest. */
  name: z.string(),
  notes: z.string(),
  os: osIdentity,
  recognisedBy: z.string().nullable(),
  cpus: z.number().int(),
  memoryMiB: z.number().int(),
  firmware: firmwareKind,
  tpm: z.boolean(),
  disks: z.array(
    z.object({
      file: z.string(),
      format: z.string(),
      fileSizeBytes: z.number(),
      virtualSizeBytes: z.number(),
      /** The controller in the source, in its own words. */
      controller: z.string(),
      bus: disk.shape.bus,
    }),
  ),
  nics: z.array(z.object({ model: nic.shape.model, mac: z.string().nullable() })),
  findings: z.array(machineFinding),
  /** Its system lacks drivers for fast hardware; null when it does not, or nobody can see. */
  conversion: z
    .object({
      /** What it lacks. */
      text: z.string(),
      /** Why virt-v2v cannot give it to the copy here; null when it can. */
      cannot: z.string().nullable(),
    })
    .nullable(),
  /** Files outside the machine's own folder that its description names: copied only when they are trusted. */
  outsideFiles: z.array(z.string()),
});
export type MachineReport = z.infer<typeof machineReport>;

/** How the copy did when it was started once, alone and without a network, on an overlay that was thrown away. */
export const bootTest = z.object({
  /**
   * `booted`: it read its disk and its screen changed. `reading`: it read its disk and the screen stayed as it was. `idle`: nothing on
   * its disk was started. `failed`: QEMU did not start it.
   */
  verdict: z.enum(['booted', 'reading', 'idle', 'failed']),
  /** The verdict in a sentence, with what was measured. */
  text: z.string(),
  seconds: z.number(),
  /** What became of giving it drivers before, in a sentence; null when that was not wanted. */
  drivers: z.string().nullable().default(null),
  at: instant,
  /** Its screen at the end. */
  pngBase64: z.string().nullable(),
});
export type BootTest = z.infer<typeof bootTest>;
