/**
 * The one owner of one guest: it alone starts and ends it, and says what state it is in.
 *
 * ```
 *   creating ─► off (its disks are being made; undone when that fails)
 *
 *            start                       pause
 *   off ───────────► starting ─► running ◄────► paused      paused also by the guest itself: disk full, I/O error, panic,
 *    ▲  ▲                │          │   resume    │         watchdog, internal error
 *    │  └── stopping ◄───┴──────────┴─────────────┘          shutdown, force off
 *    │          │ suspend: running|paused ─► suspending ─► suspended ─ start ─► starting
 *    └──────────┘                             └─ failed, cancelled, engine killed ─► running|paused
 *   crashed: QEMU ended without being asked; start leaves it
 *   template: off or crashed ◄─► template, which nothing starts
 * ```
 *
 * What is about to be done is in the database before it is done (`store.ts`), and every state above can be told from that row and
 * from the guest: that is how an engine goes on where another was killed (`guest-adoption.ts`).
 */
import { Failure } from '../../../contract/errors.ts';
import { type GuestVerb, guestCan } from '../../../contract/guest-can.ts';
import type { Crash, Guest, GuestState, PauseReason } from '../../../contract/guest-state.ts';
import type { ImageId } from '../../../contract/ids.ts';
import {
  type ByteProgress,
  type Driver,
  type DriverEvent,
  type DriverRun,
  type LaunchRequest,
  type RunEnd,
  StartFailure,
} from '../drivers/driver.ts';
import type { Changes, Feed } from '../feed/feed.ts';
import type { GuestFiles } from '../files/layout.ts';
import type { Log } from '../log/log.ts';
import { FirstStart, type GuestSeeds } from './first-start.ts';
import { GuestRecord } from './guest-record.ts';
import type { GuestSettler } from './guest-settler.ts';
import { GuestTrash, inTrash } from './guest-trash.ts';
import { viewOf } from './guest-view.ts';
import type { Wish } from './guest-wish.ts';
import { type Words, words, wordsOf } from './guest-words.ts';
import { type HeldGuest, holdGuest } from './held-guest.ts';
import { ObservedState } from './observed-state.ts';
import { denied, type Pending, RequestDesk } from './request-desk.ts';
import { restingStatus } from './resting-status.ts';
import { outcomeOf } from './run-outcome.ts';
import { ScreenFrames } from './screen-frames.ts';
import { ShutdownLadder } from './shutdown-ladder.ts';
import type { GuestStore, RunRecord, StoredGuest } from './store.ts';

export type GuestActorParts = {
  driver: Driver;
  store: GuestStore;
  changes: Pick<Changes, 'guest'>;
  feed: Feed;
  log: Log;
  files: GuestFiles;
  imagePath(id: ImageId): string;
  seeds: GuestSeeds;
  /** What is half-done with the guest's disks is settled before it runs. */
  settler: Pick<GuestSettler, 'beforeRun' | 'giveWay'>;
  /** Host ports held by other guests that run, by "tcp:127.0.0.1:2222". */
  portHolders(): ReadonlyMap<string, string>;
  /** Its run is over and nothing of it was kept for a next one. */
  ended(): void;
};

export class GuestActor {
  readonly record: GuestRecord;
  readonly files: GuestFiles;
  readonly frames: ScreenFrames;
  readonly #parts: GuestActorParts;
  readonly #observed: ObservedState;
  #run: DriverRun | null = null;
  readonly #desk: RequestDesk<Wish, DriverEvent>;
  readonly ladder: ShutdownLadder;
  /** What the last run left behind is being removed; a new one must not begin in the midst of that. */
  #clearing: Promise<void> = Promise.resolve();
  readonly #trash: GuestTrash;
  readonly #firstStart: FirstStart;
  #released = false;

  constructor(stored: StoredGuest, parts: GuestActorParts) {
    this.#parts = parts;
    this.files = parts.files;
    this.record = new GuestRecord(stored, parts.store, parts.log);
    this.#trash = new GuestTrash(this.record, parts.files);
    this.#firstStart = new FirstStart(stored.id, parts.seeds);
    this.frames = new ScreenFrames(parts.files.lastFrame, () => this.running('screenshot').screenshot());
    this.#observed = new ObservedState(
      {
        status: restingStatus(stored),
        since: stored.crash?.at ?? stored.createdAt,
        ...(stored.crash ? { crash: stored.crash } : {}),
        problems: [],
      },
      () => this.publish(),
    );
    this.ladder = new ShutdownLadder({
      record: this.record,
      observed: this.#observed,
      run: () => this.#run,
      log: parts.log,
      unanswered: (timeoutSeconds) => this.say(words.unanswered(this.name, timeoutSeconds)),
    });
    this.#desk = new RequestDesk({
      state: () => this.state,
      carryOut: (pending) => this.#carryOut(pending),
      hear: (event) => this.#onEvent(event),
    });
  }

  get state(): GuestState {
    return this.#observed.now;
  }

  get run(): DriverRun | null {
    return this.#run;
  }

  get isIdle(): boolean {
    return this.#desk.isIdle;
  }

  get name(): string {
    return this.record.now.spec.name;
  }

  view(): Guest {
    return viewOf(this.record.now, this.state);
  }

  /**
   * Asks for something; settles when it was done, or was so already.
   * @throws Failure `guest/denied` with the reason, or whatever went wrong.
   */
  ask(wish: Wish): Promise<void> {
    if (this.record.now.trashedAt !== null) {
      if (wish.verb === 'delete') return Promise.resolve();
      return Promise.reject(inTrash(this.name));
    }
    return this.#desk.ask(wish);
  }

  /** The running guest, for what does not change whether it runs. @throws Failure `guest/denied` */
  running(verb: GuestVerb): DriverRun {
    this.check(verb);
    if (!this.#run) throw denied('The guest is not running.');
    return this.#run;
  }

  /** @throws Failure `guest/denied` when the guest cannot do `verb` now. */
  check(verb: GuestVerb): void {
    if (this.record.now.trashedAt !== null) throw inTrash(this.name);
    const verdict = guestCan(this.state, verb);
    if (verdict.kind === 'denied') throw denied(verdict.reason);
  }

  /** Something of the stored guest was changed by others than the verbs: tell those who look. */
  publish(): void {
    if (!this.#released) this.#parts.changes.guest(this.record.now.id, this.view());
  }

  say(what: Words): void {
    this.#parts.feed.record({ ...what, guestId: this.record.now.id });
  }

  /** Lets go of the guest without touching it. */
  release(): void {
    this.#released = true;
    this.#desk.close();
    this.ladder.disarm();
    this.record.release();
    this.#run?.release();
    this.#run = null;
  }

  /** From here on the run is this guest's. */
  takeOver(run: DriverRun): void {
    this.#run = run;
    this.#observed.beginRun(run.facts);
  }

  readonly hear = (event: DriverEvent): void => {
    this.#desk.tell(event);
  };

  launchRequest(): LaunchRequest {
    const { id, saved } = this.record.now;
    return {
      id,
      spec: this.record.startsWith,
      files: this.files,
      saved,
      imagePath: this.#parts.imagePath,
      seed: this.#firstStart.seed,
      portHolders: this.#parts.portHolders(),
    };
  }

  #carryOut({ wish, cutShort, askedWhile }: Pending<Wish>): Promise<void> {
    // It may have been moved there by the request before.
    if (this.record.now.trashedAt !== null) return Promise.reject(inTrash(this.name));
    switch (wish.verb) {
      case 'start':
        return this.#start(cutShort);
      case 'pause':
        return this.#pause();
      case 'resume':
        return this.#resume(cutShort);
      case 'shutdown':
        return this.#shutdown(wish.timeoutSeconds);
      case 'forceOff':
        return this.#forceOff(askedWhile);
      case 'reset':
        return this.#reset();
      case 'suspend':
        return this.#suspend(wish.signal, cutShort, wish.progress);
      case 'snapshot':
      case 'revert':
      case 'clone':
      case 'rebuild':
      case 'move':
      case 'edit':
        return this.#hold(wish.work, cutShort);
      case 'delete':
        return this.#delete();
    }
  }

  async #hold(work: (held: HeldGuest) => Promise<void>, cutShort: AbortSignal): Promise<void> {
    await this.#clearing;
    try {
      await work(this.held(cutShort));
    } finally {
      if (this.state.busy !== undefined) this.#observed.setBusy(null);
    }
  }

  async #start(cutShort: AbortSignal): Promise<void> {
    const before = this.state;
    this.#observed.enter('starting', { problems: [] });
    await this.#clearing;
    const { saved, spec } = this.record.now;
    let launch: (listener: typeof this.hear, signal: AbortSignal) => Promise<DriverRun>;
    try {
      await this.#parts.settler.beforeRun(this.held(cutShort));
      const prepared = await this.#parts.driver.prepare(this.launchRequest());
      cutShort.throwIfAborted();
      const record: RunRecord = {
        facts: prepared.facts,
        ask: null,
        wasPaused: false,
        loading: saved !== null,
        shutdown: null,
        problems: prepared.problems,
        spec: this.record.startsWith,
      };
      this.record.save({ run: record, lastStartedAt: prepared.facts.startedAt, crash: null });
      launch = prepared.launch;
    } catch (thrown) {
      this.#observed.restore(before);
      throw thrown;
    }

    let run: DriverRun;
    try {
      run = await launch(this.hear, cutShort);
    } catch (thrown) {
      this.#launchFailed(thrown, cutShort.aborted);
      throw cutShort.aborted ? cutShort.reason : thrown;
    }
    this.takeOver(run);
    try {
      cutShort.throwIfAborted();
      if (saved) await this.goOnFromSaved(run, cutShort);
      else await run.begin();
      // Not before the guest runs, which would wait for the disk: until it is noted, its pid file says the same.
      this.record.noteRun({ facts: run.facts });
      cutShort.throwIfAborted();
    } catch (thrown) {
      if (!this.#run)
        throw new Failure('guest/start-failed', `${spec.name} ended while it was starting.`, {
          detail: this.state.crash?.lastWords ?? '',
        });
      this.record.noteRun({ ask: 'forceOff' });
      await run.end();
      throw cutShort.aborted ? cutShort.reason : thrown;
    }
    this.#observed.enter('running', { problems: this.record.now.run?.problems ?? [] });
    this.say(saved ? words.wentOn(spec.name) : words.started(spec.name, run.facts.accelerator === 'tcg'));
  }

  /** Nothing runs and nothing of the guest ran: it is what it was, and says what happened. */
  #launchFailed(thrown: unknown, cutShort: boolean): void {
    const failure = thrown instanceof Failure ? thrown : new Failure('guest/start-failed', `${this.name} did not start: ${String(thrown)}`);
    const { message, detail } = failure.error;
    if (this.record.now.saved) {
      this.record.note({ run: null });
      this.#observed.enter('suspended', { problems: cutShort ? [] : [message] });
    } else if (cutShort) {
      this.record.note({ run: null });
      this.#observed.enter('off');
    } else {
      const at = new Date().toISOString();
      const { exitStatus, signal } = thrown instanceof StartFailure ? thrown : { exitStatus: null, signal: null };
      const crash: Crash = { at, kind: 'start-failed', exitStatus, signal, text: message, lastWords: detail ?? '' };
      this.record.note({ run: null, crash });
      this.#observed.enter('crashed', { crash });
    }
    if (!cutShort) this.say(words.startFailed(message));
  }

  /** Loads the saved state and lets the guest run on from it. A failure leaves the saved state as it was. */
  async goOnFromSaved(run: DriverRun, signal: AbortSignal): Promise<void> {
    const { driver } = this.#parts;
    await run.load(signal, () => {});
    signal.throwIfAborted();
    await driver.spendSaved(this.files);
    try {
      await run.begin();
    } catch (thrown) {
      // Refused means that it did not run. After any other failure it may have, and the state must not be used again.
      if (thrown instanceof Failure && thrown.error.code === 'guest/qemu-refused') await driver.unspendSaved(this.files);
      throw thrown;
    }
    await this.savedIsUsed();
  }

  /** The guest runs on from its saved state, which is worthless now. */
  async savedIsUsed(): Promise<void> {
    this.record.note({ saved: null, ...(this.record.now.run ? { run: { ...this.record.now.run, loading: false } } : {}) });
    await this.#parts.driver.dropSaved(this.files);
  }

  async #pause(): Promise<void> {
    await this.running('pause').pause();
    this.#enterPaused({ kind: 'user', text: 'The guest was paused.' });
    void this.frames.keep();
  }

  async #resume(cutShort: AbortSignal): Promise<void> {
    await this.#parts.settler.beforeRun(this.held(cutShort));
    await this.running('resume').resume();
    if (this.#run && this.state.status === 'paused' && this.state.pause?.kind !== 'user') return;
    if (this.#run) this.#observed.enter('running');
  }

  async #reset(): Promise<void> {
    this.#firstStart.demandOver();
    await this.running('reset').reset();
    if (this.#run) this.#backToRunning();
  }

  async #shutdown(timeoutSeconds: number): Promise<void> {
    const run = this.running('shutdown');
    await this.frames.keep();
    await this.ladder.ask(run, timeoutSeconds);
  }

  async #forceOff(askedWhile: GuestState['status']): Promise<void> {
    if (this.state.status === 'suspended') {
      // Who forced off a guest that was just going on from disk wanted it to stop, not to lose what was saved.
      if (askedWhile !== 'starting') await this.discardSaved();
      return;
    }
    const run = this.#run;
    if (!run) return;
    this.record.noteRun({ ask: 'forceOff' });
    if (this.state.status === 'running') await this.frames.keep();
    this.ladder.disarm();
    this.#observed.enter('stopping');
    await run.end();
    await this.#clearing;
  }

  async discardSaved(): Promise<void> {
    this.record.save({ saved: null });
    await this.#parts.driver.dropSaved(this.files);
    this.#observed.enter('off');
    this.say(words.stateDiscarded(this.name));
    this.#parts.ended();
  }

  async #suspend(cancel: AbortSignal, cutShort: AbortSignal, progress: ByteProgress): Promise<void> {
    const run = this.running('suspend');
    const { spec } = this.record.now;
    const reason = this.#parts.driver.cannot(spec, 'suspend');
    if (reason) throw denied(reason);
    await this.#parts.settler.giveWay(this.record.now.id);
    const before = this.state;
    await this.frames.keep();
    this.record.saveRun({ ask: 'suspend', wasPaused: before.status === 'paused' });
    this.ladder.disarm();
    this.#observed.enter('suspending');
    try {
      await run.save(AbortSignal.any([cancel, cutShort]), progress);
    } catch (thrown) {
      if (!this.#run) throw new Failure('guest/not-responding', `${spec.name} ended while it was being suspended.`);
      this.record.noteRun({ ask: null });
      if (before.status === 'paused' && before.pause) this.#enterPaused(before.pause);
      else if (cutShort.aborted) this.#enterPaused({ kind: 'user', text: 'The guest was being suspended.' });
      else {
        await run.resume();
        this.#observed.enter('running');
      }
      throw cutShort.aborted ? cutShort.reason : thrown;
    }
    await this.finishSuspend(run);
  }

  /** The state is durable: from here the guest is suspended, whatever happens to QEMU. */
  async finishSuspend(run: DriverRun): Promise<void> {
    this.record.noteSaved(run.facts);
    await run.end();
    await this.#clearing;
  }

  /** The guest for work that has its turn to itself; also for what an engine that begins has to settle before any request. */
  held(cutShort: AbortSignal): HeldGuest {
    const { imagePath, portHolders } = this.#parts;
    return holdGuest(this, cutShort, {
      changeContext: () => ({ imagePath, portHolders: portHolders() }),
      showAtRest: () => {
        const { crash } = this.record.now;
        this.#observed.enter(restingStatus(this.record.now), crash ? { crash } : {});
      },
      sayBusy: (reason) => this.#observed.setBusy(reason),
    });
  }

  async #delete(): Promise<void> {
    await this.#trash.put();
    this.frames.forget();
    this.publish();
    this.say(words.trashed(this.name));
  }

  /** Brings the guest back from the trash, under a name that is free. Does nothing when it is not there. */
  async restore(freeName: (name: string) => string): Promise<void> {
    if (!(await this.#trash.bringBack(freeName))) return;
    this.publish();
    this.say(words.restored(this.name));
  }

  #onEvent(event: DriverEvent): void {
    const what = wordsOf(this.name, event);
    if (what) this.say(what);
    const { status } = this.state;
    switch (event.kind) {
      case 'paused':
        if (status === 'running' || status === 'stopping' || status === 'paused') this.#enterPaused(event.reason);
        return;
      case 'resumed':
        if (status === 'paused') this.#observed.enter('running');
        return;
      case 'reset':
        if (event.byGuest && status === 'stopping' && this.record.now.run?.ask === null) this.#backToRunning();
        return;
      case 'agent':
        this.#observed.tell(event.which === 'qemu' ? { qemuAgent: event.connected } : { spiceAgent: event.connected });
        if (event.which === 'qemu' && event.connected) void this.ladder.askThroughAgent();
        return;
      case 'network':
        this.#observed.tell({ addresses: event.addresses, hostname: event.hostname, qemuAgentVersion: event.agentVersion });
        return;
      case 'resolution':
        this.#observed.tell({ resolution: { widthPx: event.widthPx, heightPx: event.heightPx } });
        return;
      case 'answering': {
        const { run } = this.record.now;
        const silent = event.silentSince === null ? [] : [`${this.name} runs, but QEMU does not answer for it.`];
        this.#observed.tell({ silentSince: event.silentSince });
        this.#observed.setProblems([...(run?.problems ?? []), ...silent]);
        return;
      }
      case 'ended':
        if (this.#run) this.settle(event.end);
        return;
      case 'panicked':
      case 'watchdog':
      case 'ending':
      case 'tray':
        return;
    }
  }

  /** The run is over: what the guest is now. */
  settle(end: RunEnd): void {
    const { run, saved } = this.record.now;
    const state = this.#parts.driver.savedState(this.files);
    const outcome = outcomeOf(end, run, saved, state);
    this.#run = null;
    this.#observed.endRun();
    this.ladder.disarm();
    this.frames.forget();
    const keepsState = outcome.status === 'suspended';
    const crash = outcome.status === 'crashed' ? outcome.crash : null;
    this.record.note({ run: null, crash, ...(keepsState ? {} : { saved: null }) });
    this.#clearing = this.#clear(!keepsState && state !== 'none');
    this.#observed.enter(outcome.status, { problems: [], ...(crash ? { crash } : {}) });
    if (crash) this.say(words.crashed(crash.text));
    else if (outcome.status === 'off') this.#stopped(end, run);
    else if (outcome.status === 'suspended' && outcome.isNew) this.say(words.suspended(this.name));
    if (outcome.status !== 'suspended') this.#parts.ended();
  }

  /** Off, unless an installer has done its work: then its guest goes on with the system that it installed. */
  #stopped(end: RunEnd, run: RunRecord | null): void {
    const installed = this.#firstStart.wasInstalled(run);
    this.say(installed ? words.installed(this.name) : words.stopped(this.name));
    if (!installed || !end.restarts) return;
    this.ask({ verb: 'start' }).catch((thrown: unknown) =>
      this.#parts.log.warn({ error: String(thrown) }, 'What was installed did not start.'),
    );
  }

  async #clear(saved: boolean): Promise<void> {
    const { driver, log } = this.#parts;
    try {
      // After the turn in which the row was written: until then these files are all that tells how the run ended.
      await Promise.resolve();
      await driver.clear(this.files);
      if (saved) await driver.dropSaved(this.files);
    } catch (thrown) {
      log.warn({ error: String(thrown) }, 'What a run left behind could not be removed.');
    }
  }

  /** Settles when nothing of the last run is left. */
  get cleared(): Promise<void> {
    return this.#clearing;
  }

  /** Shows a guest that was found running or standing still. */
  show(status: 'running' | 'paused' | 'suspending' | ReturnType<typeof restingStatus>, pause?: PauseReason): void {
    if (status === 'paused' && pause) this.#enterPaused(pause);
    else this.#observed.enter(status, { problems: this.record.now.run?.problems ?? [] });
  }

  /** Something about the guest wants attention although it runs. */
  problem(text: string): void {
    this.#observed.setProblems([...this.state.problems, text]);
  }

  #backToRunning(): void {
    this.ladder.giveUp();
    this.#observed.enter('running');
  }

  #enterPaused(pause: PauseReason): void {
    if (this.state.status === 'stopping') this.ladder.giveUp();
    this.#observed.enter('paused', { pause });
  }
}
