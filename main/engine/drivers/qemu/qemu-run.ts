/**
 * One running QEMU: what it is told, what it tells. Events of QEMU are handled one after the other, since what a STOP means is only
 * known from what came before it and from asking.
 */
import { readFile, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import type { SpecDifference } from '../../../../contract/guest-hardware.ts';
import { withDifferences } from '../../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../../contract/guest-spec.ts';
import type { PauseReason, Sample } from '../../../../contract/guest-state.ts';
import type { GuestFiles } from '../../files/layout.ts';
import type { Log } from '../../log/log.ts';
import { QmpClient } from '../../qmp/qmp-client.ts';
import type { QmpArguments, QmpCommandName, QmpReturns } from '../../qmp/qmp-commands.ts';
import { QmpClosedError } from '../../qmp/qmp-errors.ts';
import type { QmpEvent } from '../../qmp/qmp-message.ts';
import type {
  ByteProgress,
  ChangeContext,
  DriverEvent,
  DriverListener,
  DriverRun,
  ExecResult,
  LiveTaking,
  Observed,
  RunFacts,
  Screenshot,
  SerialAttachment,
  SerialListener,
  StillRun,
} from '../driver.ts';
import { AgentWatch } from './agent-watch.ts';
import { hasScreen, machineFamily } from './arguments/launch-facts.ts';
import { askAgent, trimTimeoutMs } from './ask-agent.ts';
import { diskPaths } from './disk-files.ts';
import { changeLive, settleStart } from './live/live-change.ts';
import type { LiveGuest } from './live/live-guest.ts';
import { settleLayerJobs, takeInBases } from './live/live-layers.ts';
import { needsWaking, wakeAdded } from './live/wake-added.ts';
import { diskFiles, switchDisks } from './live-disks.ts';
import { type Counters, readCounters, sampleBetween } from './measure.ts';
import { type DiskPaths, observedOf, panicText, pauseOfIoError } from './pause-reason.ts';
import { pngSize } from './png.ts';
import { isAlive, type ProcessId, signalProcess, waitUntil } from './process-table.ts';
import { guestFailure } from './qmp-failure.ts';
import { RoomWatch } from './room-watch.ts';
import { readEnd } from './run-traces.ts';
import { SerialHub } from './serial-hub.ts';
import { sharesOf } from './shares.ts';
import { loadState, saveState } from './transfer.ts';

const quitTimeoutMs = 5_000;
/** A QEMU that quits may still write what it holds in its caches. */
const endTimeoutMs = 15_000;
const killTimeoutMs = 10_000;
/** The guest writes all that it holds back, which on a slow disk takes its time; what waits for the disk in it stands still meanwhile. */
const quiesceTimeoutMs = 10_000;
const screenshotMaxBytes = 64 * 1024 * 1024;
/** A PS/2 keyboard holds 16 bytes until the guest reads them; an emulated guest is slow to. */
const keyHoldMs = 12;
const keyGapMs = 8;

export type QemuRunParts = {
  spec: GuestSpec;
  files: GuestFiles;
  facts: RunFacts & { process: ProcessId };
  diskPaths: DiskPaths;
  /** Null when QEMU lives but does not answer: then it is tried again until it does. */
  qmp: QmpClient | null;
  listener: DriverListener;
  log: Log;
};

/** After the reset button was pressed SeaBIOS resets the machine again, up to four times: that is no restart of the system's own. */
const firmwareResetsMs = 3_000;

export class QemuRun implements DriverRun {
  facts: RunFacts & { process: ProcessId };
  readonly spiceSocketPath: string | null;
  readonly hasSerial: boolean;
  #spec: GuestSpec;
  readonly #files: GuestFiles;
  #diskPaths: DiskPaths;
  readonly #listener: DriverListener;
  readonly #log: Log;
  readonly #agent: AgentWatch;
  readonly #serial: SerialHub;
  readonly #room = new RoomWatch();
  readonly #ended = Promise.withResolvers<void>();
  #qmp: QmpClient | null;
  #events: Promise<void> = Promise.resolve();
  /** What the last event said about why the guest is about to stand still. */
  #told: PauseReason | null = null;
  #roomAgain = false;
  /** While a state is saved or loaded, stopping and going on are part of that. */
  #transferring = false;
  #shutdownReason: string | null = null;
  #panicText: string | null = null;
  /** When the reset button was pressed last, on QEMU's clock. */
  #resetPressedAtMs = Number.NEGATIVE_INFINITY;
  #hasEnded = false;
  #isLost = false;
  #released = false;
  #counters: Counters | null = null;
  #resolution = '';
  #screenshots: Promise<unknown> = Promise.resolve();
  #keys: Promise<unknown> = Promise.resolve();

  constructor(parts: QemuRunParts) {
    this.facts = parts.facts;
    this.#spec = parts.spec;
    this.#files = parts.files;
    this.#diskPaths = parts.diskPaths;
    this.#listener = parts.listener;
    this.#log = parts.log;
    this.#qmp = parts.qmp;
    this.spiceSocketPath = hasScreen(parts.spec) ? parts.files.spice : null;
    this.hasSerial = parts.spec.serial;
    this.#serial = new SerialHub(parts.files);
    this.#agent = new AgentWatch(
      parts.files.agent,
      (addresses, hostname) => this.#tell({ kind: 'network', addresses, hostname }),
      parts.log,
    );
  }

  /** Joins the guest's channels and begins to tell. */
  async join(): Promise<void> {
    const qmp = this.#qmp;
    if (qmp) await this.#joinThrough(qmp);
    else void this.#connectionLost();
  }

  async #joinThrough(qmp: QmpClient): Promise<void> {
    this.#qmp = qmp;
    qmp.onEvent((event) => {
      this.#events = this.#events
        .then(() => this.#handle(event))
        .catch((thrown: unknown) =>
          this.#log.warn({ event: event.event, error: String(thrown) }, 'An event of QEMU could not be handled.'),
        );
    });
    void qmp.closed.then(() => this.#connectionLost());
    if (this.hasSerial && !this.#serial.isOpen) {
      await this.#serial.open().catch((error: unknown) => this.#log.warn({ error: String(error) }, 'The serial console cannot be joined.'));
    }
    for (const { label, 'frontend-open': open } of await this.#do('query-chardev', {})) this.#agentSeen(label, open);
  }

  async observe(): Promise<Observed> {
    const { status } = await this.#do('query-status', {});
    const observed = await observedOf(status, this.#told, this.#diskPaths, () => this.#do('query-block', {}));
    if (observed.kind === 'paused') this.#watchRoom(observed.reason);
    return observed;
  }

  async begin(): Promise<void> {
    await this.#do('cont', {});
  }

  async pause(): Promise<void> {
    await this.#do('stop', {});
  }

  async resume(): Promise<void> {
    this.#told = null;
    await this.#do('cont', {});
  }

  async reset(): Promise<void> {
    this.#told = null;
    this.#room.stop();
    await this.#do('system_reset', {});
    // A guest that stood still is reset, and goes on standing still until it is told to run.
    const deadline = Date.now() + 5_000;
    for (;;) {
      const { status } = await this.#do('query-status', {});
      if (status === 'running') return;
      if (status === 'prelaunch' || Date.now() > deadline) break;
      await new Promise((done) => setTimeout(done, 10));
    }
    await this.#do('cont', {});
  }

  async askToShutDown(): Promise<'agent' | 'acpi'> {
    if (this.#agent.isConnected) {
      try {
        await this.#agent.client.shutdown('powerdown');
        return 'agent';
      } catch (thrown) {
        this.#log.info({ error: String(thrown) }, 'The guest agent did not take the shutdown; the power button is pressed instead.');
      }
    }
    await this.#do('system_powerdown', {});
    return 'acpi';
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    const { process: qemu } = this.facts;
    await this.#qmp?.execute('quit', {}, { timeoutMs: quitTimeoutMs }).then(
      () => waitUntil(() => !isAlive(qemu), endTimeoutMs),
      (thrown: unknown) => this.#log.warn({ error: String(thrown) }, 'QEMU did not take the request to quit.'),
    );
    if (isAlive(qemu)) {
      this.#log.warn({ pid: qemu.pid }, 'QEMU did not quit and is killed.');
      signalProcess(qemu, 'SIGKILL');
      if (!(await waitUntil(() => !isAlive(qemu), killTimeoutMs))) {
        throw new Failure('guest/not-responding', `${this.#spec.name} cannot be ended: its process does not react even to being killed.`, {
          hint: 'It waits for a disk or a network file system of this computer. Bring that back.',
        });
      }
    }
    await this.#ended.promise;
  }

  async change(differences: readonly SpecDifference[], wanted: GuestSpec, context: ChangeContext): Promise<void> {
    const guest = this.#live(context);
    try {
      await changeLive(guest, differences, this.#spec, wanted);
      this.#spec = withDifferences(this.#spec, wanted, differences);
      this.#diskPaths = diskPaths(this.#spec, this.#files);
      if (needsWaking(differences) && this.#spec.os.family !== 'windows' && this.#agent.isConnected) {
        // Not waited for: the guest has what it was given, and makes of it what it will.
        void wakeAdded(this.#agent.client).catch((thrown: unknown) =>
          this.#log.info({ error: String(thrown) }, 'What was added to the guest could not be switched on in it.'),
        );
      }
    } finally {
      this.facts = { ...this.facts, plugged: Object.fromEntries(guest.plugged) };
    }
  }

  /** What a guest that was just started must have before it runs, and that QEMU has no argument for. */
  async settleStart(resuming: boolean): Promise<void> {
    const nobody = { imagePath: () => '', portHolders: new Map(), signal: new AbortController().signal };
    try {
      await settleStart(this.#live(nobody), this.#spec, resuming);
    } catch (thrown) {
      throw guestFailure(this.#spec.name, thrown);
    }
  }

  #live(context: ChangeContext): LiveGuest {
    const qmp = this.#connected();
    const { machine, arguments: argv, plugged, process: qemu } = this.facts;
    return {
      name: this.#spec.name,
      pid: qemu.pid,
      guestId: basename(this.#files.run),
      qemuPath: argv[0] ?? '',
      files: this.#files,
      family: machineFamily(machine ?? this.#spec.machine),
      shares: sharesOf(argv),
      mayStartPrograms: !argv.includes('-sandbox'),
      plugged: new Map(Object.entries(plugged)),
      context,
      execute: (command, argumentsOf) => qmp.execute(command, argumentsOf),
      onEvent: (listener) => qmp.onEvent(listener),
    };
  }

  async save(signal: AbortSignal, progress: ByteProgress): Promise<void> {
    const qmp = this.#connected();
    this.#mustBePutTogetherAgain();
    this.#transferring = true;
    try {
      if ((await this.#do('query-status', {})).status === 'postmigrate') await this.#leavePostmigrate();
      await saveState(qmp, this.#spec, this.#files, this.#files.suspended, signal, progress);
    } catch (thrown) {
      throw guestFailure(this.#spec.name, thrown);
    } finally {
      this.#transferring = false;
    }
  }

  /** @throws Failure `guest/denied` when devices were added whose places no later start can give them again */
  #mustBePutTogetherAgain(): void {
    const lost = Object.entries(this.facts.plugged).filter(([, place]) => !place.startsWith('port'));
    if (lost.length === 0) return;
    throw new Failure(
      'guest/denied',
      `${this.#spec.name} was given ${lost.map(([id]) => id).join(', ')} while it ran, and could not go on with that from disk.`,
      { hint: 'Shut it down instead; after the next start it can be suspended again.' },
    );
  }

  async load(signal: AbortSignal, progress: ByteProgress): Promise<void> {
    const qmp = this.#connected();
    this.#transferring = true;
    try {
      await loadState(qmp, this.#spec, this.#files, signal, progress);
    } catch (thrown) {
      throw guestFailure(this.#spec.name, thrown);
    } finally {
      this.#transferring = false;
    }
  }

  async whileStill<T>(work: (still: StillRun) => Promise<T>): Promise<T> {
    const qmp = this.#connected();
    this.#transferring = true;
    const { running, status } = await this.#do('query-status', {});
    try {
      if (status === 'postmigrate') await this.#leavePostmigrate();
      if (running) await this.#do('stop', {});
      return await work({
        switchDisks: async (disks) => {
          await switchDisks(qmp, disks).catch((thrown: unknown) => {
            throw guestFailure(this.#spec.name, thrown);
          });
          this.#diskPaths = new Map([...this.#diskPaths, ...disks.map(({ disk, path }) => [disk.id, path] as const)]);
        },
        saveMemory: async (path, signal, progress) => {
          this.#mustBePutTogetherAgain();
          await saveState(qmp, this.#spec, this.#files, path, signal, progress).catch((thrown: unknown) => {
            throw guestFailure(this.#spec.name, thrown);
          });
        },
      });
    } finally {
      // A QEMU that has ended meanwhile says so by itself.
      if (running)
        await this.#do('cont', {}).catch((thrown: unknown) => this.#log.warn({ error: String(thrown) }, 'The guest could not go on.'));
      await this.#events;
      this.#transferring = false;
    }
  }

  /** A guest whose state was saved and that stayed paused lets nothing be saved of it again before it has run, for however short. */
  async #leavePostmigrate(): Promise<void> {
    await this.#do('cont', {});
    await this.#do('stop', {});
  }

  diskFiles(): Promise<ReadonlyMap<string, string>> {
    return this.#with(diskFiles);
  }

  takeInBases(taking: LiveTaking): Promise<void> {
    return this.#with((qmp) => takeInBases(qmp, taking));
  }

  settleLayers(): Promise<void> {
    return this.#with(settleLayerJobs);
  }

  async quiesce(): Promise<boolean> {
    if (!this.#agent.isConnected) return false;
    try {
      return (await this.#agent.client.freezeFileSystems(quiesceTimeoutMs)) > 0;
    } catch (thrown) {
      this.#log.info({ error: String(thrown) }, 'The guest agent could not bring the file systems to rest.');
      // It may have done a part of it, or do it yet.
      await this.unquiesce();
      return false;
    }
  }

  async unquiesce(): Promise<void> {
    for (let attempt = 1; this.#agent.isConnected && attempt <= 3; attempt++) {
      try {
        await this.#agent.client.thawFileSystems(quiesceTimeoutMs);
        return;
      } catch (thrown) {
        this.#log.warn({ error: String(thrown), attempt }, 'The guest agent could not let the file systems go on.');
      }
    }
  }

  screenshot(): Promise<Screenshot> {
    // One after the other: they share a file, and two at once would tell no more than one.
    const mine = this.#screenshots.then(async () => {
      if (!this.spiceSocketPath) throw new Failure('console/unavailable', `${this.#spec.name} has no screen.`);
      const file = this.#files.screen;
      try {
        await this.#do('screendump', { filename: file, format: 'png' });
        if ((await stat(file)).size > screenshotMaxBytes)
          throw new Failure('console/unavailable', `The screen of ${this.#spec.name} is too large.`);
        const png = await readFile(file);
        const size = pngSize(png);
        if (!size) throw new Failure('console/unavailable', `QEMU gave no picture of ${this.#spec.name}.`);
        this.#tellResolution(size);
        return { png, ...size };
      } finally {
        await rm(file, { force: true });
      }
    });
    this.#screenshots = mine.catch(() => {});
    return mine;
  }

  pressKeys(chords: readonly (readonly string[])[]): Promise<void> {
    const mine = this.#keys.then(async () => {
      for (const chord of chords) {
        const key = (data: string, down: boolean) => ({ type: 'key' as const, data: { key: { type: 'qcode' as const, data }, down } });
        await this.#do('input-send-event', { events: chord.map((one) => key(one, true)) });
        await new Promise((done) => setTimeout(done, keyHoldMs));
        await this.#do('input-send-event', { events: chord.toReversed().map((one) => key(one, false)) });
        await new Promise((done) => setTimeout(done, keyGapMs));
      }
    });
    this.#keys = mine.catch(() => {});
    return mine;
  }

  exec(command: readonly string[], timeoutMs: number): Promise<ExecResult> {
    return askAgent(this.#spec, this.#agent, (client) => client.exec(command, timeoutMs));
  }

  trim(): Promise<void> {
    return askAgent(this.#spec, this.#agent, (client) => client.trim(trimTimeoutMs));
  }

  async measure(): Promise<Sample> {
    const [blocks, network] = await Promise.all([this.#do('query-blockstats', {}), this.#agent.network()]);
    const now = readCounters(this.facts.process, blocks, network);
    if (!now) throw new Failure('guest/not-responding', `${this.#spec.name} has just ended.`);
    const before = this.#counters ?? { ...now, atMs: now.atMs - 1 };
    this.#counters = now;
    return sampleBetween(before, now, new Date().toISOString());
  }

  async expert(command: string, argumentsOf: Readonly<Record<string, unknown>>): Promise<unknown> {
    try {
      // Whoever asks knows QEMU's own words; what is not a command QEMU refuses.
      return await this.#connected().execute(command as 'qom-get', argumentsOf as QmpArguments<'qom-get'>);
    } catch (thrown) {
      throw guestFailure(this.#spec.name, thrown);
    }
  }

  attachSerial(listener: SerialListener): SerialAttachment {
    return this.#serial.attach(listener);
  }

  release(): void {
    this.#released = true;
    this.#room.stop();
    this.#agent.release();
    this.#serial.close('The engine stops.');
    this.#qmp?.close();
  }

  #tell(event: DriverEvent): void {
    if (!this.#released) this.#listener(event);
  }

  async #with<T>(work: (qmp: QmpClient) => Promise<T>): Promise<T> {
    try {
      return await work(this.#connected());
    } catch (thrown) {
      throw guestFailure(this.#spec.name, thrown);
    }
  }

  async #do<Name extends QmpCommandName>(command: Name, argumentsOf: QmpArguments<Name>): Promise<QmpReturns<Name>> {
    try {
      return await this.#connected().execute(command, argumentsOf);
    } catch (thrown) {
      throw guestFailure(this.#spec.name, thrown);
    }
  }

  #connected(): QmpClient {
    if (this.#qmp) return this.#qmp;
    throw new Failure('guest/not-responding', `QEMU does not answer for ${this.#spec.name}.`, {
      hint: 'Wait a moment, or force the guest off.',
    });
  }

  async #handle({ event, data, atMs }: QmpEvent): Promise<void> {
    switch (event) {
      case 'BLOCK_IO_ERROR': {
        const reason = pauseOfIoError(data, this.#diskPaths);
        // Many requests of one disk fail at once; the first one says it.
        if (reason) this.#told = this.#told?.kind === 'disk-full' ? this.#told : reason;
        return;
      }
      case 'GUEST_PANICKED':
        this.#panicText = panicText(data.info);
        this.#told = { kind: 'guest-panicked', text: this.#panicText };
        return this.#tell({ kind: 'panicked', text: this.#panicText });
      case 'WATCHDOG':
        return this.#tell({ kind: 'watchdog', action: String(data.action) });
      case 'STOP':
        return this.#stopped();
      case 'RESUME':
        this.#told = null;
        this.#room.stop();
        if (!this.#transferring) this.#tell({ kind: 'resumed', roomAgain: this.#roomAgain });
        this.#roomAgain = false;
        return;
      case 'RESET':
        this.#panicText = null;
        if (data.guest !== true) this.#resetPressedAtMs = atMs;
        return this.#tell({ kind: 'reset', byGuest: atMs - this.#resetPressedAtMs > firmwareResetsMs });
      case 'SHUTDOWN':
        this.#shutdownReason = typeof data.reason === 'string' ? data.reason : null;
        return this.#tell({ kind: 'ending', byGuest: data.guest === true });
      case 'VSERPORT_CHANGE':
        return this.#agentSeen(String(data.id), data.open === true);
      case 'DEVICE_TRAY_MOVED':
        return this.#tell({ kind: 'tray', deviceId: String(data.id), open: data['tray-open'] === true });
    }
  }

  async #stopped(): Promise<void> {
    if (this.#transferring) return;
    // The run state follows the event within moments; a guest that runs again by then has nothing to say.
    const observed = await this.observe().catch(() => null);
    if (observed?.kind !== 'paused') return;
    this.#tell({ kind: 'paused', reason: observed.reason });
  }

  #watchRoom(reason: PauseReason): void {
    if (reason.kind !== 'disk-full' || !reason.file) return;
    this.#room.watch(reason.file, () => {
      this.#roomAgain = true;
      this.resume().catch((thrown: unknown) =>
        this.#log.warn({ error: String(thrown) }, 'The guest could not go on although there is room.'),
      );
    });
  }

  #agentSeen(id: string, open: boolean): void {
    if (id === 'agent-qemu') {
      this.#agent.setConnected(open);
      this.#tell({ kind: 'agent', which: 'qemu', connected: open });
    } else if (id === 'agent-spice') this.#tell({ kind: 'agent', which: 'spice', connected: open });
  }

  #tellResolution(size: { widthPx: number; heightPx: number }): void {
    const text = `${size.widthPx}x${size.heightPx}`;
    if (text === this.#resolution) return;
    this.#resolution = text;
    this.#tell({ kind: 'resolution', ...size });
  }

  /** QEMU ended, or broke the connection: then it is joined again for as long as it lives. */
  async #connectionLost(): Promise<void> {
    if (this.#isLost) return;
    this.#isLost = true;
    const { process: qemu } = this.facts;
    for (let attempt = 0; !(await waitUntil(() => this.#released || !isAlive(qemu), 300)); attempt++) {
      if (attempt === 0) this.#tell({ kind: 'answering', answers: false });
      if (!(await this.#rejoin())) continue;
      this.#isLost = false;
      this.#log.warn({ pid: qemu.pid }, 'The connection to QEMU broke and was made again.');
      this.#tell({ kind: 'answering', answers: true });
      return this.#stopped();
    }
    if (this.#released) return;
    await this.#events;
    await this.#settle();
  }

  async #rejoin(): Promise<boolean> {
    let qmp: QmpClient | null = null;
    try {
      qmp = await QmpClient.connect(this.#files.qmp, 5_000);
      if (!this.#released) await this.#joinThrough(qmp);
      if (!this.#released) return true;
    } catch (thrown) {
      if (!(thrown instanceof QmpClosedError)) this.#log.warn({ error: String(thrown) }, 'QEMU cannot be reached.');
    }
    qmp?.close();
    return false;
  }

  async #settle(): Promise<void> {
    this.#room.stop();
    this.#agent.release();
    const end = await readEnd(this.#spec.name, this.#files, this.facts, this.#shutdownReason, this.#panicText);
    this.#hasEnded = true;
    this.#serial.close(`${this.#spec.name} is off.`);
    this.#tell({ kind: 'ended', end });
    this.#ended.resolve();
  }
}
