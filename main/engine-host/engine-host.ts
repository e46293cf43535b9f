/**
 * Keeps an engine at hand for the windows: finds or starts one, notices when it goes, and brings it back.
 *
 * ```
 *   starting ─► connected ◄──► lost (with the time of the next try)
 *       └─► failed ◄─────────────┘   what a restart by itself cannot mend: `retry` begins anew
 * ```
 * The engine is a process of its own and outlives this one as long as guests run; nothing here ends it except `restart`.
 *
 * INVARIANT: an engine that is killed is replaced without anyone asking (tests/integration/engine-host.test.ts, tests/e2e/engine-loss.test.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DataRoot } from '../../contract/data-root.ts';
import { Failure, type GuesthouseError, type Result, toGuesthouseError } from '../../contract/errors.ts';
import type { ServerMessage } from '../../contract/events.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineConnection } from '../../contract/shell.ts';
import { createEngineClient, type EngineClient } from '../client/engine-client.ts';
import { type EngineEvents, followEngineEvents } from '../client/engine-events.ts';
import { connectEngine } from '../client/start-engine.ts';
import type { EnginePlace } from './engine-place.ts';
import { stopForeignEngine } from './foreign-engine.ts';

export type EngineHostOptions = {
  root: DataRoot;
  version: string;
  /** Looked up anew at every start, so that a repaired installation is found. */
  place: () => EnginePlace;
  client?: 'app' | 'test';
  environment?: NodeJS.ProcessEnv;
  /** Pauses before the tries that follow a loss; the last one repeats. */
  pausesMs?: readonly number[];
  log?: (line: string) => void;
};

export type Subscription = { watch(guestIds: GuestId[]): void; close(): void };

/** Failures that the next try may well not have; all others wait for `retry`. */
const passing: ReadonlySet<string> = new Set(['engine/unreachable', 'engine/stopping', 'engine/held']);
const defaultPausesMs = [0, 500, 1000, 2000, 4000, 8000, 15_000] as const;
/** An engine that lived this long counts as sound: its loss is followed by a try at once. */
const soundAfterMs = 30_000;
const callTimeoutMs = 120_000;
/** Longer than a start may take, whose own reason says more. */
const connectDeadlineMs = 70_000;

export class EngineHost {
  readonly client: EngineClient;
  readonly #options: EngineHostOptions;
  readonly #pausesMs: readonly number[];
  readonly #listeners = new Set<(connection: EngineConnection) => void>();
  readonly #streams = new Set<EngineEvents>();
  #connection: EngineConnection = { state: 'starting' };
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(options: EngineHostOptions) {
    this.#options = options;
    this.#pausesMs = options.pausesMs ?? defaultPausesMs;
    this.client = createEngineClient({
      socketPath: options.root.engineSocket,
      version: options.version,
      client: options.client ?? 'app',
    });
  }

  get connection(): EngineConnection {
    return this.#connection;
  }

  /** Told of every change, beginning with the present state. Returns how to stop. */
  listen(listener: (connection: EngineConnection) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#connection);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Settles when an engine answers. @throws Failure what keeps it from doing so, or `engine/unreachable` after the deadline */
  async untilConnected(deadlineMs = connectDeadlineMs): Promise<void> {
    if (this.#connection.state === 'connected') return;
    await new Promise<void>((settle, fail) => {
      let stop = () => {};
      const timer = setTimeout(() => {
        stop();
        fail(new Failure('engine/unreachable', 'The engine does not answer.', { hint: 'It is being started; try again in a moment.' }));
      }, deadlineMs);
      stop = this.listen((connection) => {
        if (connection.state !== 'connected' && connection.state !== 'failed') return;
        clearTimeout(timer);
        queueMicrotask(() => stop());
        if (connection.state === 'connected') settle();
        else fail(failureOf(connection));
      });
    });
  }

  /** A page's call; while the engine is still starting it waits for it. Never throws. */
  async tryCall(name: string, input: unknown): Promise<Result<unknown>> {
    try {
      if (this.#connection.state === 'starting') await this.untilConnected();
      if (this.#connection.state === 'failed') throw failureOf(this.#connection);
      return await this.client.tryCall(name, input, { timeoutMs: callTimeoutMs });
    } catch (thrown) {
      return { ok: false, error: toGuesthouseError(thrown) };
    }
  }

  /** A stream of events for one listener; every connection begins with a snapshot. */
  subscribe(listener: (message: ServerMessage) => void): Subscription {
    const stream = followEngineEvents(this.client, { message: listener });
    this.#streams.add(stream);
    return {
      watch: (guestIds) => stream.watch(guestIds),
      close: () => {
        this.#streams.delete(stream);
        stream.close();
      },
    };
  }

  /** Tries at once to reach or start an engine. */
  retry(): void {
    this.#wake?.();
  }

  /** Stops the engine, whose guests run on, and starts it again. */
  async restart(): Promise<void> {
    if (this.#connection.state === 'connected') await this.client.call('engine.stop', {});
    else this.retry();
  }

  /** Lets go of the engine without touching it. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    await this.#running;
    this.client.close();
  }

  async #run(): Promise<void> {
    let tries = 0;
    let wasConnected = false;
    while (!this.#stopped) {
      try {
        await this.#connect();
      } catch (thrown) {
        const error = toGuesthouseError(thrown);
        this.#log(`${error.code}: ${error.message} ${error.detail ?? ''}`);
        // One that was never there has a reason that the user should read; one that was comes back by itself.
        if (wasConnected && passing.has(error.code)) await this.#lose(error.message, tries++);
        else await this.#fail(error);
        continue;
      }
      if (this.#stopped) return;
      wasConnected = true;
      const since = Date.now();
      const reason = await this.#untilLost();
      if (this.#stopped) return;
      if (Date.now() - since >= soundAfterMs) tries = 0;
      this.#log(`the engine is gone: ${reason}`);
      await this.#lose('The engine stopped. It is being started again; guests are not affected.', tries++);
    }
  }

  async #connect(): Promise<void> {
    const { root, version, client = 'app', environment = process.env } = this.#options;
    const connectOnce = async () => {
      const connected = await connectEngine({ root, version, client, environment, ...this.#options.place() });
      connected.close();
    };
    try {
      await connectOnce();
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.error.code !== 'engine/version-mismatch') throw thrown;
      await stopForeignEngine(root.engineSocket, version);
      await connectOnce();
    }
  }

  /** Follows the engine's events until they end, which is how its loss is noticed at once. */
  async #untilLost(): Promise<string> {
    return new Promise((settle) => {
      const end = (reason: string) => {
        this.#wake = null;
        stream.close();
        settle(reason);
      };
      const stream = followEngineEvents(this.client, {
        message: () => {},
        connected: () => {
          this.#set({ state: 'connected' });
          for (const other of this.#streams) other.retryNow();
        },
        lost: end,
      });
      this.#wake = () => {
        if (this.#stopped) end('the app is leaving');
      };
    });
  }

  async #lose(text: string, tries: number): Promise<void> {
    const retryInMs = this.#pausesMs[Math.min(tries, this.#pausesMs.length - 1)] ?? 0;
    this.#set({ state: 'lost', text, retryInMs });
    if (retryInMs > 0) await this.#sleep(retryInMs);
  }

  async #fail(error: GuesthouseError): Promise<void> {
    this.#set({ state: 'failed', code: error.code, text: error.message, hint: error.hint ?? null });
    await this.#sleep(null);
    if (!this.#stopped) this.#set({ state: 'starting' });
  }

  /** Until the time is over (null: for ever) or somebody wakes it. */
  async #sleep(timeMs: number | null): Promise<void> {
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    await (timeMs === null
      ? new Promise<void>((settle) => waking.signal.addEventListener('abort', () => settle(), { once: true }))
      : pause(timeMs, undefined, { signal: waking.signal }).catch(() => {}));
    this.#wake = null;
  }

  #set(connection: EngineConnection): void {
    this.#connection = connection;
    for (const listener of [...this.#listeners]) listener(connection);
  }

  #log(line: string): void {
    this.#options.log?.(line);
  }
}

function failureOf(connection: Extract<EngineConnection, { state: 'failed' }>): Failure {
  return new Failure(connection.code as GuesthouseError['code'], connection.text, connection.hint ? { hint: connection.hint } : {});
}
