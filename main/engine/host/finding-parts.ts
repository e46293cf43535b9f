/** What the doctor knows before it speaks, and how a finding is put together. */
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { Finding } from '../../../contract/host.ts';
import type { ProbeReport } from './accelerator-probe.ts';
import type { FirmwareFiles } from './capabilities.ts';
import type { GuestfsTools } from './guestfs.ts';
import { type Component, installCommand, type System } from './packages.ts';
import type { BrokenQemu, DescribedQemu } from './qemu-discovery.ts';

export type HostFacts = {
  system: System;
  username: string;
  architecture: GuestSpec['architecture'];
  qemu: { described: DescribedQemu; probes: readonly ProbeReport[] }[];
  brokenQemu: readonly BrokenQemu[];
  searchedFolders: readonly string[];
  qemuImg: string | null;
  firmware: { uefi: FirmwareFiles | null; uefiSecure: FirmwareFiles | null };
  swtpm: string | null;
  virtiofsd: string | null;
  ssh: string | null;
  osinfo: { folder: string; version: string } | null;
  xorriso: string | null;
  gpgv: string | null;
  guestfs: GuestfsTools;
  store: {
    path: string;
    freeBytes: number;
    totalBytes: number;
    keepFreeMiB: number;
    modeProblem: string | null;
    writeProblem: string | null;
  };
  memoryMiB: number;
  memoryFreeMiB: number;
  /** This computer is itself a virtual machine. */
  isVirtual: boolean;
};

export type FindingParts = Pick<Finding, 'id' | 'area' | 'title' | 'text'> &
  Partial<Pick<Finding, 'severity' | 'remedy' | 'command' | 'detail'>>;
/** A finding that is fine unless its parts say otherwise. */
export const finding = (parts: FindingParts): Finding => ({ severity: 'ok', remedy: null, command: null, detail: null, ...parts });

/** The finding that a component is missing, with how to install it. */
export function missing(facts: HostFacts, component: Component, parts: FindingParts, without: string): Finding {
  return finding({
    severity: 'warning',
    remedy: without,
    command: installCommand(component, facts.system),
    ...parts,
  });
}
