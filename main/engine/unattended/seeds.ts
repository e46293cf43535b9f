/** Answers for new systems: made with a guest, given to it when it starts, removed when they have done their work. */
import type { SeedReport, SetupForm, SetupFormat } from '../../../contract/answers.ts';
import type { GuestSpec, OsIdentity } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { LaunchSeed } from '../drivers/driver.ts';
import type { InstallerStart, SeedContent } from './seed-content.ts';

export type SeedTarget = { os: OsIdentity; firmware: GuestSpec['firmware']; tpm: boolean };

/** Everything was written in memory, nothing on disk. */
export type PreparedSeed = { format: SetupFormat; content: SeedContent };

/** What has to be copied out of the installation medium before the first start. */
export type InstallerWork = { isoPath: string; places: InstallerStart['places'][number][]; hasAnswers: boolean };

export type Seeds = {
  /**
   * @param isoPath the installation medium, or null for a disk
   * @throws Failure `seed/answers-invalid`, `seed/unsupported`, `seed/no-tool`
   */
  prepare(format: SetupFormat, form: SetupForm, target: SeedTarget): Promise<PreparedSeed>;
  /** Writes the disc into the guest's folder, which is made where it is not there, and remembers it. Gives the work that is left for a job. */
  write(id: GuestId, seed: PreparedSeed, isoPath: string | null): Promise<InstallerWork | null>;
  /** The job's part: copies the installer's kernel. Can be repeated. */
  takeInstaller(id: GuestId, work: InstallerWork, signal: AbortSignal): Promise<void>;
  /** A disc that makes a copy of a guest, whose system cloud-init set up, a machine of its own: new instance, this host name, new host keys. */
  writeForClone(id: GuestId, hostname: string): Promise<void>;
  /** What the guest starts with besides its own hardware. */
  launch(id: GuestId): LaunchSeed | null;
  /** The installer has restarted the guest: neither its kernel nor the answers are needed any more. */
  installed(id: GuestId): void;
  show(id: GuestId): Promise<SeedReport | null>;
  /** @throws Failure `seed/not-found`, `guest/denied` while the guest runs, is suspended, or has a snapshot with memory */
  remove(id: GuestId): Promise<void>;
  /** Writes a disc to a file of the user's own. @throws Failure `seed/file-exists` */
  writeFile(path: string, seed: PreparedSeed): Promise<{ path: string; volumeId: string; sizeBytes: number }>;
  /** Forgets a guest that was not created after all. */
  forget(id: GuestId): void;
  /** Forgets all guests that are gone; called once when the engine begins. */
  prune(): void;
};
