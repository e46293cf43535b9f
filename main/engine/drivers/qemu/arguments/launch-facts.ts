/** What the argument builder must know besides the spec: everything that was looked up on this host, so that building stays pure. */
import type { AcceleratorName, GuestSpec, ShareProtocol } from '../../../../../contract/guest-spec.ts';
import type { GuestId } from '../../../../../contract/ids.ts';
import type { GuestFiles } from '../../../files/layout.ts';
import type { FirmwareFiles } from '../../../host/capabilities.ts';
import type { DiskLink } from '../../../layers/disk-chain.ts';
import type { LaunchSeed } from '../../driver.ts';

/** A file, or a whole device of the host such as /dev/sdb; and what it builds upon, the nearest first. */
export type MediumFile = { path: string; hostDevice: boolean; bases: readonly DiskLink[] };

export type LaunchFacts = {
  id: GuestId;
  files: GuestFiles;
  accelerator: AcceleratorName;
  firmware: FirmwareFiles | null;
  /** Of every disk, by its id. */
  disks: ReadonlyMap<string, MediumFile>;
  /** Of every CD drive that holds a medium, by its id. */
  media: ReadonlyMap<string, MediumFile>;
  /** How each shared folder is served, by its id. */
  shares: ReadonlyMap<string, ShareProtocol>;
  /** The ports of devices that were plugged in while the guest ran, when it goes on from its saved state: they must be there again. */
  plugged: Readonly<Record<string, string>>;
  /** The machine type to use instead of the spec's: a guest that resumes from disk needs the very one it was suspended with. */
  machine: string | null;
  /** QEMU waits for its state instead of booting. */
  incoming: boolean;
  /** The program that plugs a guest into a bridge; null is the one that QEMU was built with. */
  bridgeHelper: string | null;
  /** The disc with a new system's answers. */
  seedDisc: { path: string; asDisk: boolean } | null;
  firstStart: LaunchSeed['firstStart'];
  /** Seccomp exists on Linux only. */
  sandbox: boolean;
};

/** The two families of PC that can be built; null for any other machine type. */
export function machineFamily(machine: string): 'q35' | 'pc' | null {
  if (machine === 'q35' || machine.startsWith('pc-q35-')) return 'q35';
  if (machine === 'pc' || machine.startsWith('pc-i440fx-')) return 'pc';
  return null;
}

/** Whether the guest has a screen, and with it SPICE. */
export const hasScreen = (spec: Pick<GuestSpec, 'display'>): boolean => spec.display.device !== 'none';
