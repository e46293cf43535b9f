/** A guest whose turn it is with work that no other request may come into: nothing is started, moved or changed meanwhile. */
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestState } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { ChangeContext, DriverRun } from '../drivers/driver.ts';
import type { GuestFiles } from '../files/layout.ts';
import type { GuestRecord } from './guest-record.ts';
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
  /** The hardware that it runs with; null while nothing of it runs. */
  readonly runsWith: GuestSpec | null;
  /** What a change of the running guest needs to know. */
  changeContext(): Omit<ChangeContext, 'signal'>;
  /** Null when nothing of it runs, also when it has just ended. */
  readonly run: DriverRun | null;
  /** Aborted, with the failure to answer, when the guest is to be forced off instead. */
  readonly cutShort: AbortSignal;
  /** Stores a change and shows it. @throws Failure when the database cannot be written; nothing has changed then. */
  save(change: Partial<Pick<StoredGuest, 'spec' | 'saved' | 'crash' | 'run'>>, together: Together): void;
  /** From here to the end of the work its disks are not to be had, for this reason: "The guest is being copied." */
  sayBusy(reason: string): void;
  /** Keeps a picture of the screen as the last one, when there is one to be had. Never fails. */
  keepFrame(): Promise<void>;
  say(what: Words): void;
};

export type HeldVerb = 'snapshot' | 'revert' | 'clone' | 'rebuild' | 'move' | 'edit';

/** The actor, as far as who holds its guest needs it. */
type Holdable = {
  record: GuestRecord;
  files: GuestFiles;
  state: GuestState;
  run: DriverRun | null;
  frames: { keep(): Promise<void> };
  publish(): void;
  say(what: Words): void;
};
type Doings = Pick<HeldGuest, 'changeContext' | 'sayBusy'> & { showAtRest(): void };

export function holdGuest(actor: Holdable, cutShort: AbortSignal, { changeContext, sayBusy, showAtRest }: Doings): HeldGuest {
  const { record } = actor;
  return {
    id: record.now.id,
    files: actor.files,
    get stored() {
      return record.now;
    },
    get state() {
      return actor.state;
    },
    get run() {
      return actor.run;
    },
    get runsWith() {
      return actor.run ? record.runsWith : null;
    },
    changeContext,
    cutShort,
    save(change, together) {
      record.saveTogether(change, together);
      if (actor.run || actor.state.status === 'starting') actor.publish();
      else showAtRest();
    },
    sayBusy,
    keepFrame: () => actor.frames.keep(),
    say: (what) => actor.say(what),
  };
}
