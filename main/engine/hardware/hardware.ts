/** Changes of the hardware of guests: what they come to, making them, and taking them back. Implemented by `guest-editing.ts`. */
import type { CallOutput } from '../../../contract/calls.ts';
import type { HardwareChange, PastEdit, RemovedDisk } from '../../../contract/guest-hardware.ts';
import type { GuestId } from '../../../contract/ids.ts';

/** Every method throws `Failure` `guest/not-found` for an unknown id. */
export type Hardware = {
  /** Says what `edit` would do, and changes nothing. */
  plan(id: GuestId, change: HardwareChange): Promise<CallOutput<'guest.planEdit'>>;
  /**
   * Makes a change: all of it, or none.
   * @throws Failure of the first note that is a problem, with its `path`; `guest/denied`; or what went wrong with the running guest.
   */
  edit(id: GuestId, change: HardwareChange, by: string): Promise<CallOutput<'guest.edit'>>;
  /** Takes the newest change back. @throws Failure `guest/nothing-to-undo`, `guest/disk-deleted` */
  undo(id: GuestId, by: string): Promise<CallOutput<'guest.edit'>>;
  /** Disks that were taken out and whose files are kept, newest first. */
  removedDisks(id: GuestId): Promise<RemovedDisk[]>;
  /** @throws Failure `image/file-missing`, or as `edit` */
  attachRemovedDisk(id: GuestId, file: string, by: string): Promise<CallOutput<'guest.edit'>>;
  /** @throws Failure `image/file-missing`, `guest/denied` */
  deleteRemovedDisk(id: GuestId, file: string): Promise<void>;
  /** Forgets what could be taken back: the guest is another since. */
  forget(id: GuestId): void;
  /** What can be taken back, newest first. */
  past(id: GuestId): PastEdit[];
  shares(id: GuestId): Promise<CallOutput<'guest.shares'>>;
  /** @throws Failure `guest/agent-absent`, `guest/agent-failed` with what the guest's own tools say */
  mountShare(id: GuestId, share: string): Promise<CallOutput<'guest.mountShare'>>;
  libvirtXml(id: GuestId): Promise<CallOutput<'guest.libvirtXml'>>;
  /** @throws Failure `guest/denied` for a command that might change something */
  query(id: GuestId, command: string, argumentsOf: Readonly<Record<string, unknown>>): Promise<{ answer: unknown }>;
  command(id: GuestId, command: string, argumentsOf: Readonly<Record<string, unknown>>): Promise<{ answer: unknown }>;
};
