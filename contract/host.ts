/** What this computer can do for guests: the doctor's findings and the numbers that forms need. */
import { z } from 'zod';
import { acceleratorName, architecture } from './guest-spec.ts';
import { instant } from './ids.ts';

export const finding = z.object({
  /** Stable, "accelerator/kvm", "qemu/x86_64". */
  id: z.string().regex(/^[a-z]+\/[a-z0-9_.-]+$/),
  area: z.enum(['qemu', 'accelerator', 'firmware', 'tpm', 'sharing', 'console', 'devices', 'network', 'storage', 'permissions', 'app']),
  severity: z.enum(['ok', 'info', 'warning', 'problem']),
  title: z.string(),
  /** What was found, in plain words. */
  text: z.string(),
  /** What the user can do, or null when nothing needs doing. */
  remedy: z.string().nullable(),
  /** A command that carries the remedy out, to copy. */
  command: z.string().nullable(),
  /** What the tool itself said. */
  detail: z.string().nullable(),
});
export type Finding = z.infer<typeof finding>;

/** A USB device that is plugged into this computer. */
export const hostUsbDevice = z.object({
  vendorId: z.string(),
  productId: z.string(),
  /** Where it is plugged in, as Linux names it: "1-2.1". */
  port: z.string(),
  name: z.string(),
  /** Why guests cannot have it, with what to do; null when they can. */
  problem: z.string().nullable(),
});
export type HostUsbDevice = z.infer<typeof hostUsbDevice>;

export const acceleratorVerdict = z.object({
  name: acceleratorName,
  present: z.boolean(),
  /** True only when the probe's payload ran to its end. */
  usable: z.boolean(),
  reason: z.string(),
  probedAt: instant,
});
export type AcceleratorVerdict = z.infer<typeof acceleratorVerdict>;

export const hostReport = z.object({
  hostname: z.string(),
  cpus: z.number().int(),
  memoryMiB: z.number().int(),
  memoryFreeMiB: z.number().int(),
  storePath: z.string(),
  storeFreeBytes: z.number(),
  storeTotalBytes: z.number(),
  qemu: z.array(
    z.object({
      path: z.string(),
      version: z.string(),
      architecture,
      spice: z.boolean(),
      machines: z.array(z.string()),
      cpuModels: z.array(z.string()),
      accelerators: z.array(acceleratorVerdict),
    }),
  ),
  firmware: z.object({ bios: z.boolean(), uefi: z.boolean(), uefiSecure: z.boolean() }),
  tpm: z.boolean(),
  findings: z.array(finding),
  checkedAt: instant,
});
export type HostReport = z.infer<typeof hostReport>;
