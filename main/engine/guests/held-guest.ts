/** A guest whose turn it is with work that no other request may come into: nothing is started, moved or changed meanwhile. */
import type { GuestState } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { DriverRun } from '../drivers/driver.ts';
import type { GuestFiles } from '../files/layout.ts';
import type { Words } from './guest-words.ts';
import type { StoredGuest } from './store.ts';

/** Runs `write` in one transaction with whatever else has to be stored. */
export type Together = (write: () => void) => void;

export type HeldGuest = {
  readonly id: GuestId;
  readonly files: GuestFiles;
  /** As it is stored at this moment. */
  readonly stored: Readonly<StoredGuest>;
  readonly state: GuestState;
  /** Null when nothing of it runs, also when it has just ended. */
  readonly run: DriverRun | null;
  /** Aborted, with the failure to answer, when the guest is to be forced off instead. */
  readonly cutShort: AbortSignal;
  /** Stores a change and shows it. @throws Failure when the database cannot be written; nothing has changed then. */
  save(change: Partial<Pick<StoredGuest, 'spec' | 'saved' | 'crash'>>, together: Together): void;
  /** From here to the end of the work its disks are not to be had, for this reason: "The guest is being copied." */
  sayBusy(reason: string): void;
  /** Keeps a picture of the screen as the last one, when there is one to be had. Never fails. */
  keepFrame(): Promise<void>;
  say(what: Words): void;
};

export type HeldVerb = 'snapshot' | 'revert' | 'clone' | 'rebuild';
