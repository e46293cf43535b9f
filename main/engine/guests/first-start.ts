/** A guest whose next start is the one that installs its system: see `unattended/seeds.ts`. */
import type { GuestId } from '../../../contract/ids.ts';
import type { LaunchSeed } from '../drivers/driver.ts';
import { denied } from './request-desk.ts';
import type { RunRecord } from './store.ts';

/** The answers that guests' new systems are given. */
export type GuestSeeds = { launch(id: GuestId): LaunchSeed | null; installed(id: GuestId): void };

export class FirstStart {
  readonly #id: GuestId;
  readonly #seeds: GuestSeeds;

  constructor(id: GuestId, seeds: GuestSeeds) {
    this.#id = id;
    this.#seeds = seeds;
  }

  get seed(): LaunchSeed | null {
    return this.#seeds.launch(this.#id);
  }

  get #isPending(): boolean {
    return (this.seed?.firstStart ?? null) !== null;
  }

  /** @throws Failure `guest/denied` while the system is being installed: QEMU would end, since it ends with every restart then. */
  demandOver(): void {
    if (this.#isPending) throw denied('It is being installed: force it off, and its next start begins the installation anew.');
  }

  /**
   * Whether a run that ended well was the installer's. An engine that was not there when it ended cannot know why it did; to install once
   * more would destroy what was installed.
   */
  wasInstalled(run: RunRecord | null): boolean {
    if (!this.#isPending || run === null || run.ask !== null || run.shutdown !== null) return false;
    this.#seeds.installed(this.#id);
    return true;
  }
}
