/**
 * One running QEMU: what it is told, what it tells. Events of QEMU are handled one after the other, since what a STOP means is only
 * known from what came before it and from asking.
 */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import type { SpecDifference } from '../../../../contract/guest-hardware.ts';
import { withDifferences } from '../../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../../contract/guest-spec.ts';
import type { PauseReason, Sample } from '../../../../contract/guest-state.ts';
import type { GuestFiles } from '../../files/layout.ts';
import type { Log } from '../../log/log.ts';
import { QmpClient } from '../../qmp/qmp-client.ts';
import type { QmpArguments, QmpCommandName, QmpReturns, RunState } from '../../qmp/qmp-commands.ts';
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
import { AnswerWatch } from './answer-watch.ts';
import { hasScreen, machineFamily } from './arguments/launch-facts.ts';
import { askAgent, trimTimeoutMs } from './ask-agent.ts';
import { diskPaths } from './disk-files.ts';
import { controllerIsEmpty, Keyboard } from './keyboard.ts';
import { changeLive, settleStart } from './live/live-change.ts';
import type { LiveGuest } from './live/live-guest.ts';
import { settleLayerJobs, takeInBases } from './live/live-layers.ts';
import { needsWaking, wakeAdded } from './live/wake-added.ts';
import { diskFiles, switchDisks } from './live-disks.ts';
import { type Counters, readCounters, sampleBetween } from './measure.ts';
import { type DiskPaths, observedOf, panicText, pauseOfIoError } from './pause-reason.ts';
import { isAlive, type ProcessId, signalProcess, waitUntil } from './process-table.ts';
import { guestFailure } from './qmp-failure.ts';
import { quiesce, unquiesce } from './quiesce.ts';
import { RoomWatch } from './room-watch.ts';
import { readEnd } from './run-traces.ts';
import { Screenshots } from './screenshots.ts';
import { SerialHub } from './serial-hub.ts';
import { sharesOf } from './shares.ts';
import { loadState, saveState } from './transfer.ts';

const quitTimeoutMs = 5_000;
/** A QEMU that quits may still write what it holds in its caches. */
const endTimeoutMs = 15_000;
const killTimeoutMs = 10_000;
/** As long as timers go: what waits for an answer that long is waited for until the connection ends. */
const anyTimeMs = 2 ** 31 - 1;

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
  readonly #screenshots: Screenshots;
  readonly #answers: AnswerWatch;
  readonly #keyboard = new Keyboard({
    send: (events) => this.#do('input-send-event', events),
    hasRead: () => this.keysRead(),
  });
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
  #lastSeen: RunState | null = null;
  #released = false;
  #counters: Counters | null = null;

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
    this.#screenshots = new Screenshots({
      file: parts.files.screen,
      guestName: () => this.#spec.name,
      dump: (filename) => this.#do('screendump', { filename, format: 'png' }),
      resolution: (size) => this.#tell({ kind: 'resolution', ...size }),
    });
    this.#answers = new AnswerWatch({
      ask: () => this.#connected().execute('query-status', {}, { timeoutMs: anyTimeMs }),
      excused: () => this.#transferring,
      told: (silentSince) => this.#tell({ kind: 'answering', silentSince }),
      status: (status) => this.#seen(status),
    });
    this.#agent = new AgentWatch(
      parts.files.agent,
      ({ addresses, hostname, version }) => this.#tell({ kind: 'network', addresses, hostname, agentVersion: version }),
      parts.log,
    );
  }

  get movedSpiceSocketPath(): string | null {
    return this.spiceSocketPath !== null && existsSync(this.#files.spiceMoved) ? this.#files.spiceMoved : null;
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
    this.#answers.start();
    if (this.hasSerial && !this.#serial.isOpen) {
      await this.#serial.open().catch((error: unknown) => this.#log.warn({ error: String(error) }, 'The serial console cannot be joined.'));
    }
    for (const { label, 'frontend-open': open } of await this.#do('query-chardev', {})) this.#agentSeen(label, open);
  }

  async observe(): Promise<Observed> {
    const { status } = await this.#do('query-status', {});
    const observed = await observedOf(
      status,
      this.#told,
      this.#diskPaths,
      () => this.#do('query-block', {}),
      async () => this.spiceSocketPath !== null && (await isListening(this.#files.spiceMoved)),
    );
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
      shares: sharesOf(argv, this.#spec),
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

  quiesce(): Promise<boolean> {
    return quiesce(this.#agent, this.#log);
  }

  unquiesce(): Promise<void> {
    return unquiesce(this.#agent, this.#log);
  }

  async screenshot(): Promise<Screenshot> {
    if (!this.spiceSocketPath) throw new Failure('console/unavailable', `${this.#spec.name} has no screen.`);
    return this.#screenshots.take();
  }

  pressKeys(chords: readonly (readonly string[])[]): Promise<void> {
    return this.#keyboard.press(chords);
  }

  async keysRead(): Promise<boolean> {
    return controllerIsEmpty(await this.#do('human-monitor-command', { 'command-line': 'i /b 0x64' }));
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
    this.#answers.stop();
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
    const isBeingHandedOn = async () => (await this.#do('query-status', {})).status === 'finish-migrate';
    while (await isBeingHandedOn().catch(() => false)) await new Promise((done) => setTimeout(done, 50));
    // The run state follows the event within moments; a guest that runs again by then has nothing to say.
    const observed = await this.observe().catch(() => null);
    if (observed?.kind !== 'paused') return;
    this.#tell({ kind: 'paused', reason: observed.reason });
  }

  /** A guest that was paused already when it was moved away says nothing of it. */
  #seen(status: RunState): void {
    const before = this.#lastSeen;
    this.#lastSeen = status;
    if (status === 'postmigrate' && before !== 'postmigrate') void this.#stopped();
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

  /** QEMU ended, or broke the connection: then it is joined again for as long as it lives. */
  async #connectionLost(): Promise<void> {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#answers.stop();
    const silentSince = new Date().toISOString();
    const { process: qemu } = this.facts;
    for (let attempt = 0; !(await waitUntil(() => this.#released || !isAlive(qemu), 300)); attempt++) {
      if (attempt === 0) this.#tell({ kind: 'answering', silentSince });
      if (!(await this.#rejoin())) continue;
      this.#isLost = false;
      this.#log.warn({ pid: qemu.pid }, 'The connection to QEMU broke and was made again.');
      this.#tell({ kind: 'answering', silentSince: null });
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

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
