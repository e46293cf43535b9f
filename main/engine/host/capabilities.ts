/** What guests and the planning of guests need to know of this computer. Implemented by `host-capabilities.ts`. */
import type { AcceleratorName, FirmwareKind, GuestSpec } from '../../../contract/guest-spec.ts';
import type { HostReport } from '../../../contract/host.ts';
import type { GuestfsTools } from './guestfs.ts';

export type QemuBinary = {
  path: string;
  /** "7.2.19" */
  version: string;
  architecture: GuestSpec['architecture'];
  spice: boolean;
  machines: readonly string[];
  devices: ReadonlySet<string>;
};

/** UEFI code (read-only, shared) and the variables that a new guest begins with. */
export type FirmwareFiles = { codePath: string; varsTemplatePath: string; format: 'raw' | 'qcow2' };

export type HostCapabilities = {
  /** @throws Failure `host/no-qemu` */
  qemuFor(architecture: GuestSpec['architecture']): Promise<QemuBinary>;
  /**
   * The accelerator to start with: the wanted one, or for "auto" the best that passed its probe.
   * @throws Failure `host/no-accelerator` when the wanted one failed its probe: INVARIANT: a guest is never started with it.
   */
  acceleratorFor(spec: Pick<GuestSpec, 'architecture' | 'accelerator'>): Promise<AcceleratorName>;
  /** Null for BIOS. @throws Failure `host/no-firmware` */
  firmwareFor(kind: FirmwareKind, architecture: GuestSpec['architecture']): Promise<FirmwareFiles | null>;
  /** @throws Failure `host/no-tpm` */
  swtpmPath(): Promise<string>;
  /** Null when it is not installed: shared folders then go by 9p. */
  virtiofsdPath(): Promise<string | null>;
  qemuImgPath(): Promise<string>;
  /** Optional tools, and whether their machines must do without hardware acceleration. */
  guestfs(): Promise<GuestfsTools & { emulated: boolean }>;
  report(options?: { refresh?: boolean | undefined }): Promise<HostReport>;
};
