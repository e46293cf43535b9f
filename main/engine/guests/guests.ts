/** All that the rest of the engine can ask about guests. Implemented by `guest-registry.ts` over one actor a guest. */
import type { CallOutput } from '../../../contract/calls.ts';
import type { KeyboardLayout } from '../../../contract/guest-keyboard.ts';
import type { InnerIdentity } from '../../../contract/guest-lineage.ts';
import type { GuestSpec, ShareProtocol } from '../../../contract/guest-spec.ts';
import type { Guest, Sample } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import type { LiveDisks, SerialAttachment, SerialListener } from '../drivers/driver.ts';
import type { HeldGuest, HeldVerb } from './held-guest.ts';
import type { Lineage, SavedRecord } from './store.ts';

/** Every method throws `Failure` `guest/not-found` for an unknown id, and `guest/denied` where `guest-can.ts` says so. */
export type Guests = {
  /** Takes over the guests that run, settles those that ended meanwhile; called once, before any call is answered. */
  adopt(): Promise<void>;
  /** Starts what is marked for it. */
  autostart(): Promise<void>;
  /** Lets go of every guest without touching it: sockets are closed, QEMU goes on. */
  release(): Promise<void>;

  list(): Guest[];
  listTrash(): Guest[];
  show(id: GuestId): Guest;
  /** How many QEMU processes run. */
  runningCount(): number;

  start(id: GuestId): Promise<Guest>;
  pause(id: GuestId): Promise<Guest>;
  resume(id: GuestId): Promise<Guest>;
  /** Settles when the guest was asked, not when it is off. */
  shutdown(id: GuestId, timeoutSeconds: number): Promise<Guest>;
  forceOff(id: GuestId): Promise<Guest>;
  reset(id: GuestId): Promise<Guest>;
  suspend(id: GuestId, by: string): Promise<Job>;
  /** Does `work` when it is the guest's turn and nothing else is asked of it; settles with what `work` answers. */
  hold<T>(id: GuestId, verb: HeldVerb, work: (held: HeldGuest) => Promise<T>): Promise<T>;
  delete(id: GuestId): Promise<void>;
  restore(id: GuestId): Promise<Guest>;
  purge(id: GuestId, by: string): Promise<Job>;
  rename(id: GuestId, name: string): Promise<Guest>;
  annotate(
    id: GuestId,
    change: Partial<Pick<GuestSpec, 'notes' | 'tags' | 'favourite' | 'autostart' | 'clipboard' | 'files' | 'keyboard'>>,
  ): Promise<Guest>;

  /** The hardware that a guest runs with; null while it is off. */
  runsWith(id: GuestId): GuestSpec | null;

  /** Whether nothing is being done with it that was asked for, and nothing waits for its turn. */
  isIdle(id: GuestId): boolean;
  /** The disks of an idle guest that runs, for work that gives way when something is asked of it; null for any other. */
  liveDisks(id: GuestId): LiveDisks | null;

  /** How its shared folders are served, by their ids. */
  sharesOf(id: GuestId): Promise<ReadonlyMap<string, ShareProtocol>>;
  /** Asks what runs the guest in its own words. @throws Failure `guest/denied`, `guest/qemu-refused` */
  expert(id: GuestId, command: string, argumentsOf: Readonly<Record<string, unknown>>): Promise<unknown>;

  screenshot(id: GuestId): Promise<{ png: Buffer; widthPx: number; heightPx: number }>;
  /** A picture no older than `maxAgeMs`; of a guest that is off its last frame; null when there is none. */
  thumbnail(id: GuestId, maxAgeMs: number): Promise<Buffer | null>;
  exec(id: GuestId, command: string[], timeoutSeconds: number): Promise<CallOutput<'guest.exec'>>;
  /** Has the guest tell its disks what they no longer need to keep, by its agent. */
  trim(id: GuestId): Promise<void>;
  /** On a keyboard of `layout`, or else of the one that the guest is said to have. */
  type(id: GuestId, text: string, layout?: KeyboardLayout): Promise<void>;
  sendKeys(id: GuestId, keys: string[]): Promise<void>;
  /** Whether it has read all that its PS/2 keyboard got; null for one that was moved to another QEMU. */
  keysRead(id: GuestId): Promise<boolean | null>;
  consoles(id: GuestId): CallOutput<'guest.consoles'>;
  /** The command line with which the guest runs, or would be started. */
  arguments(id: GuestId): Promise<string[]>;
  /** Joins the guest's serial console: first what was printed so far (64 KiB at most), then what follows. */
  attachSerial(id: GuestId, listener: SerialListener): SerialAttachment;

  /** Measures one running guest now; null when it does not run. Called by `samples/`. */
  measure(id: GuestId): Promise<Sample | null>;

  /** Names that are taken, for planning. */
  nameTaken(name: string, except?: GuestId): boolean;
  /**
   * Stores a guest whose disks are yet to be made: status `creating`.
   * @param location folder of the storage location in which it is to lie, null for the data folder; absent as the settings say
   * @throws Failure `storage/location-away`
   */
  beginCreation(id: GuestId, spec: GuestSpec, lineage?: Lineage, location?: string | null): Guest;
  /** The disks are there: `creating` becomes `off`, or `suspended` for a guest whose memory is there as well. */
  finishCreation(id: GuestId, spec: GuestSpec, saved?: SavedRecord | null): Guest;
  /** Removes the guest and its folder, in whatever state its creation was. Idempotent. */
  abandonCreation(id: GuestId): Promise<void>;

  /** Removes a disposable guest that was never started, or is still being created. Idempotent. */
  abandonUnlessRun(id: GuestId): Promise<void>;
  setTemplate(id: GuestId, template: boolean): Guest;
  setIdentity(id: GuestId, identity: InnerIdentity): void;
  /** A disposable guest stays; any other stays as well. */
  keep(id: GuestId): Guest;
  /** Removes disposable guests that do not run: they ended while no engine was there. Called once, after the jobs were recovered. */
  disposeOfRested(): void;
};

export type { SerialAttachment, SerialListener };

/** Whether a guest's disks are still being made: a job that is run again from its start does nothing for one that is finished. */
export function isCreating(guests: Pick<Guests, 'list'>, id: GuestId): boolean {
  return guests.list().some((guest) => guest.id === id && guest.state.status === 'creating');
}
