/** Work on a guest's disks that an engine may have left half-done, as guests know of it. Implemented by `snapshots/`. */
import type { GuestId } from '../../../contract/ids.ts';
import type { HeldGuest } from './held-guest.ts';

export type GuestSettler = {
  /** Finishes or takes back what an engine before left, before it is looked at whether the guest runs. */
  beforeAdoption(held: HeldGuest): Promise<void>;
  /** The same, once it is known whether it runs. */
  afterAdoption(held: HeldGuest): Promise<void>;
  /** The guest is about to run. @throws Failure when something half-done with its disks can be neither finished nor taken back */
  beforeRun(held: HeldGuest): Promise<void>;
  /** Somebody is about to work with the guest's disks, or to have its state saved: settles when nothing else changes them. */
  giveWay(id: GuestId): Promise<void>;
  /** The guest and its folder are gone for good. */
  purged(id: GuestId): Promise<void>;
};
