/**
 * How a guest is run, whatever runs it. Local QEMU is the first driver (`qemu/`); nothing above this file assumes a local process.
 *
 * A driver tells what it sees and does what it is told; what a guest may be asked in which state is decided above it.
 */
import { Failure, type GuesthouseError } from '../../../contract/errors.ts';
import type { SpecDifference } from '../../../contract/guest-hardware.ts';
import type { AcceleratorName, Disk, GuestSpec, PortForward, ShareProtocol } from '../../../contract/guest-spec.ts';
import type { Crash, PauseReason, Sample } from '../../../contract/guest-state.ts';
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import type { GuestFiles } from '../files/layout.ts';

/** Verbs that depend on what the guest is made of. */
export type OptionalVerb = 'suspend' | 'screenshot' | 'type';

export type LaunchRequest = {
  id: GuestId;
  spec: GuestSpec;
  files: GuestFiles;
  /** Set when the guest goes on from its saved state. */
  saved: SavedWith | null;
  imagePath(id: ImageId): string;
  /** Answers for its new system; null: none. */
  seed: LaunchSeed | null;
  /** Names of other guests by the host port that they hold, as {@link portKey} writes it. */
  portHolders: ReadonlyMap<string, string>;
};

/** What a guest that is set up by itself gets besides its own hardware. */
export type LaunchSeed = {
  /** A file with ISO 9660. */
  disc: string | null;
  /** Shown as a disk that cannot be written, instead of a CD. */
  asDisk: boolean;
  /** The installer's kernel, started instead of what the guest would boot. The run then ends where the guest would restart. */
  firstStart: { kernel: string; initrd: string; commandLine: string } | null;
};

/** "tcp:127.0.0.1:2222" */
export const portKey = ({ protocol, hostAddress, hostPort }: Pick<PortForward, 'protocol' | 'hostAddress' | 'hostPort'>): string =>
  `${protocol}:${hostAddress}:${hostPort}`;

/** What must be the same again for a saved state to be loaded. */
export type SavedWith = { machine: string; accelerator: AcceleratorName; plugged: Readonly<Record<string, string>> };

/** Written down before the guest is started, so that any later engine finds it again. */
export type RunFacts = {
  arguments: string[];
  accelerator: AcceleratorName;
  /** The machine type as QEMU resolved it, "pc-q35-7.2"; null until it runs. */
  machine: string | null;
  /** ISO 8601 */
  startedAt: string;
  /** Changes with every boot of the host: pids of an earlier boot mean nothing. */
  bootId: string;
  /** Null until the process is known. `startTicks` tells it from a later one with the same pid. */
  process: { pid: number; startTicks: number } | null;
  /** Where devices are that were plugged in while it ran, by their id, in a form that only the driver reads. */
  plugged: Readonly<Record<string, string>>;
};

/** Everything was looked up and checked, nothing was started yet. `problems` are for people: the guest starts all the same. */
export type PreparedRun = {
  facts: RunFacts;
  problems: string[];
  launch(listener: DriverListener, signal: AbortSignal): Promise<DriverRun>;
};

/** The guest's process ended, or was given up, before the guest was ready. */
export class StartFailure extends Failure {
  readonly exitStatus: number | null;
  readonly signal: string | null;
  constructor(failure: Pick<GuesthouseError, 'message' | 'hint' | 'detail'>, exit: { exitStatus: number; signal: string | null } | null) {
    const { message, ...more } = failure;
    super('guest/start-failed', message, more);
    this.exitStatus = exit?.exitStatus ?? null;
    this.signal = exit?.signal ?? null;
  }
}

export type DriverEvent =
  | { kind: 'paused'; reason: PauseReason }
  /** `roomAgain`: by itself, because the full disk has room again. */
  | { kind: 'resumed'; roomAgain: boolean }
  | { kind: 'reset'; byGuest: boolean }
  /** The guest powers off, or something on the host told QEMU to end. */
  | { kind: 'ending'; byGuest: boolean }
  | { kind: 'watchdog'; action: string }
  | { kind: 'panicked'; text: string }
  | { kind: 'agent'; which: 'qemu' | 'spice'; connected: boolean }
  | { kind: 'network'; addresses: string[]; hostname: string | null; agentVersion: string | null }
  | { kind: 'resolution'; widthPx: number; heightPx: number }
  | { kind: 'tray'; deviceId: string; open: boolean }
  /** Since when the process lives and nothing that it is asked is answered; null when it is again. */
  | { kind: 'answering'; silentSince: string | null }
  /** What the run left behind says how it ended, and stays until {@link Driver.clear}. */
  | { kind: 'ended'; end: RunEnd };

/** What a change of a running guest needs to know. */
export type ChangeContext = {
  imagePath(id: ImageId): string;
  portHolders: ReadonlyMap<string, string>;
  /** Aborted when the guest is to be forced off, or the job was cancelled. */
  signal: AbortSignal;
};

export type DriverListener = (event: DriverEvent) => void;

/** How a run ended. `crash` is null when the guest powered off or was told to end. */
export type RunEnd = {
  crash: Crash | null;
  /** The guest would have restarted, and this run was to end there. */
  restarts?: true;
};

/** `waiting`: started, and nothing of it has run yet. */
export type Observed = { kind: 'waiting' } | { kind: 'running' } | { kind: 'paused'; reason: PauseReason };

export type ByteProgress = (bytesDone: number, bytesTotal: number | null) => void;
export type SerialListener = {
  data(bytes: Buffer): void;
  closed(reason: string): void;
  /** How many bytes wait to be sent on; a listener with too many is let go. */
  backlogBytes?(): number;
};
export type SerialAttachment = { write(bytes: Uint8Array): void; detach(): void };
export type Screenshot = { png: Buffer; widthPx: number; heightPx: number };
export type ExecResult = { exitStatus: number; stdoutBase64: string; stderrBase64: string; truncated: boolean };

/** What a file in the chain of a running guest's disk is to hold by itself. */
export type LiveTaking = {
  /** The file that the disk writes to. */
  top: string;
  /** The file, counted from the top of the chain, which is 0. */
  depth: number;
  /** How many files the chain has: if it is another for what runs the guest, nothing is done. */
  length: number;
  /** The file that it builds upon afterwards, counted in the same way, and how it names that; null: none, so that it holds everything. */
  upon: { depth: number; name: string } | null;
  /** 0: as fast as it goes. */
  bytesPerSecond: number;
  signal: AbortSignal;
  progress: ByteProgress;
};

/** The files of a running guest's disks, for work during which it runs on. */
export type LiveDisks = {
  /**
   * Has a file hold by itself what the bases between it and `upon` hold for it, and closes those. It reads the same at every moment; what
   * was copied before a failure is not copied again.
   * @throws Failure `image/in-use`, `store/full`, `guest/qemu-refused`, `guest/not-responding`, or the signal's reason
   */
  takeInBases(taking: LiveTaking): Promise<void>;
  /** Ends what an engine before this left of such work. Idempotent. */
  settleLayers(): Promise<void>;
};

/** A guest that runs and stands still for a moment, which is not told to anyone. */
export type StillRun = {
  /** Has every disk write to another file from now on, which is empty and builds upon what the disk was: all at once, or none. */
  switchDisks(disks: readonly { disk: Disk; path: string }[]): Promise<void>;
  /** Writes memory and devices to `path`; durable when it settles, and nothing is left when it throws. */
  saveMemory(path: string, signal: AbortSignal, progress: ByteProgress): Promise<void>;
};

/** One running guest. Every method throws `Failure`; after `ended` was told, `guest/not-responding`. */
export type DriverRun = LiveDisks & {
  readonly facts: RunFacts;
  observe(): Promise<Observed>;
  /** Lets a `waiting` guest run for the first time. */
  begin(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  reset(): Promise<void>;
  /** Asks the guest to shut down, through its agent where that is connected. */
  askToShutDown(): Promise<'agent' | 'acpi'>;
  /** Ends the guest, by force when it must be; settles when it has ended. */
  end(): Promise<void>;
  /**
   * Pauses the guest and saves its state. When it settles the state is durable and the guest must be ended; when it throws, nothing is
   * left behind and the guest stands still.
   */
  save(signal: AbortSignal, progress: ByteProgress): Promise<void>;
  /** Loads the saved state into a `waiting` guest that was prepared for it. */
  load(signal: AbortSignal, progress: ByteProgress): Promise<void>;
  /** Runs `work` while the guest stands still; then it does what it did before. */
  whileStill<T>(work: (still: StillRun) => Promise<T>): Promise<T>;
  /** The file that each disk writes to, by the disk's id. */
  diskFiles(): Promise<ReadonlyMap<string, string>>;
  /** Brings the guest's file systems to rest through its agent; false when it has none that can. Ended by `unquiesce`, whatever happens. */
  quiesce(): Promise<boolean>;
  unquiesce(): Promise<void>;
  screenshot(): Promise<Screenshot>;
  /** Presses chord after chord: keys as QEMU's QKeyCode names. */
  pressKeys(chords: readonly (readonly string[])[]): Promise<void>;
  /** Whether the guest has read all that its PS/2 keyboard got; also true without one. */
  keysRead(): Promise<boolean>;
  /** @throws Failure `guest/agent-absent` or `guest/agent-failed` */
  exec(command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  /** Has the guest tell its disks what they no longer need to keep. @throws Failure as {@link exec} */
  trim(): Promise<void>;
  measure(): Promise<Sample>;
  attachSerial(listener: SerialListener): SerialAttachment;
  /**
   * Makes differences between what runs and `wanted`, each of which is possible while it runs (contract/edit-timing.ts): all of them, or
   * none when one fails. What is so already is left alone, so it can be asked again after an engine died in the midst of it.
   * @throws Failure naming the device, or the signal's reason.
   */
  change(differences: readonly SpecDifference[], wanted: GuestSpec, context: ChangeContext): Promise<void>;
  /** Asks the hypervisor in its own words, for experts. @throws Failure `guest/qemu-refused` with what it says */
  expert(command: string, argumentsOf: Readonly<Record<string, unknown>>): Promise<unknown>;
  readonly spiceSocketPath: string | null;
  /** The screen of a QEMU that somebody started for the guest to move to; null when there is none. */
  readonly movedSpiceSocketPath: string | null;
  readonly hasSerial: boolean;
  /** Lets go of the guest without touching it. */
  release(): void;
};

export type Driver = {
  /** Why guests of this kind cannot do `verb`, or null when they can. */
  cannot(spec: GuestSpec, verb: OptionalVerb): string | null;
  /** The command line with which the guest would be started, whether or not it could be. */
  describe(request: LaunchRequest): Promise<string[]>;
  /** Checks all that can be known before, and throws the `Failure` that says what stands in the way. */
  prepare(request: LaunchRequest): Promise<PreparedRun>;
  /** Finds a run that an earlier engine wrote down: joins it, or says how it ended. */
  adopt(request: Pick<LaunchRequest, 'id' | 'spec' | 'files'>, facts: RunFacts, listener: DriverListener): Promise<DriverRun | RunEnd>;
  /** How each shared folder is served, by its id: as it runs, or as it would at a start when `facts` is null. */
  shares(spec: GuestSpec, facts: RunFacts | null): Promise<ReadonlyMap<string, ShareProtocol>>;
  /** A run of the guest that nothing was written down about; null when there is none. */
  find(files: GuestFiles): RunFacts | null;
  /** Removes what an ended run left behind, once its end was written down. Idempotent. */
  clear(files: GuestFiles): Promise<void>;
  /** What saved state lies in the guest's folder: `spent` when the guest ran on from it, or may have. */
  savedState(files: GuestFiles): 'none' | 'whole' | 'spent';
  /** Marks the saved state as used, just before the guest runs on from it: from then on it must never be loaded again. */
  spendSaved(files: GuestFiles): Promise<void>;
  /** Takes `spendSaved` back: the guest did not run after all. */
  unspendSaved(files: GuestFiles): Promise<void>;
  /** Removes saved states, whole, spent or half-written. Idempotent. */
  dropSaved(files: GuestFiles): Promise<void>;
};
