/** What a builder of answers makes, and what it is told. Builders are pure: equal answers, equal bytes. */
import type { Answers } from '../../../contract/answers.ts';
import type { FirmwareKind, OsIdentity } from '../../../contract/guest-spec.ts';

export type SeedRequest = {
  answers: Answers;
  /** Only for Windows, which takes no hash. */
  clearPassword: string | null;
  os: Pick<OsIdentity, 'id' | 'distro' | 'version' | 'family'>;
  firmware: FirmwareKind;
  tpm: boolean;
  /** What cloud-init remembers a machine by: another one makes it begin anew. */
  instanceId: string;
};

export type SeedFile = { path: string; content: string };

/** How an installer is started that takes its answers only from the command line of its kernel. */
export type InstallerStart = {
  /** Where the installer's kernel and first root file system may lie on its disc; the first pair that is there is taken. */
  places: readonly { kernel: string; initrd: string }[];
  /** INVARIANT: holds nothing of a person's; it is among QEMU's arguments (`builders.test.ts`). */
  commandLine: string;
  /** A file to be put into the first root file system, for an installer that looks for its answers there. */
  initrdFile: SeedFile | null;
};

export type SeedContent = {
  /** By which the system finds its disc; ISO 9660 allows 32 characters. */
  volumeId: string;
  files: readonly SeedFile[];
  start: InstallerStart | null;
};
