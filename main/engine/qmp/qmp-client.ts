/**
 * A QMP connection: commands with deadlines, answers matched by id, events in order.
 *
 * INVARIANT: every command settles exactly once, by its answer, its deadline or the end of the connection
 * (`main/engine/qmp/qmp-client.test.ts`).
 */
import { createConnection, type Socket } from 'node:net';
import { LineSplitter } from './line-splitter.ts';
import type { QmpArguments, QmpCommandName, QmpReturns } from './qmp-commands.ts';
import { QmpClosedError, QmpError, QmpTimeoutError } from './qmp-errors.ts';
import { buildQmpCommand, parseQmpMessage, type QmpEvent, type QmpMessage } from './qmp-message.ts';

/** The longest answer that we ask for (query-named-block-nodes with many disks) stays below 1 MiB. */
const maxLineBytes = 8 * 1024 * 1024;
const defaultTimeoutMs = 10_000;

type Waiting = { command: string; resolve(value: unknown): void; reject(error: Error): void; timer: NodeJS.Timeout };

export type ExecuteOptions = {
  timeoutMs?: number;
  /** Out of band: overtakes commands that QEMU is busy with. Only where QEMU marks the command `allow-oob`. */
  oob?: boolean;
};

export class QmpClient {
  /** QEMU's version, "7.2.19". */
  readonly version: string;
  readonly oob: boolean;
  /** Settles when the connection has ended, with the reason; never rejects. */
  readonly closed: Promise<QmpClosedError>;
  #socket: Socket;
  #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #listeners = new Set<(event: QmpEvent) => void>();
  #closedWith: QmpClosedError | null = null;

  private constructor(socket: Socket, greeting: { version: string; oob: boolean }, closed: Promise<QmpClosedError>) {
    this.#socket = socket;
    this.version = greeting.version;
    this.oob = greeting.oob;
    this.closed = closed;
  }

  /**
   * Connects, waits for the greeting and negotiates capabilities.
   * @throws QmpClosedError when nothing listens or the other side is not QMP; QmpTimeoutError when it says nothing (another client holds the socket).
   */
  static async connect(path: string, timeoutMs: number = defaultTimeoutMs): Promise<QmpClient> {
    const socket = createConnection({ path });
    const splitter = new LineSplitter(maxLineBytes);
    const ended = Promise.withResolvers<QmpClosedError>();
    const greeted = Promise.withResolvers<Extract<QmpMessage, { kind: 'greeting' }>>();
    greeted.promise.catch(() => {});
    let client: QmpClient | null = null;

    let lastError: Error | null = null;
    socket.on('error', (error) => {
      lastError = error;
    });
    socket.on('close', () => {
      const why = new QmpClosedError(lastError ? `The QMP connection broke: ${lastError.message}` : 'QEMU closed the QMP connection.', {
        cause: lastError,
      });
      greeted.reject(why);
      if (client) client.#end(why);
      ended.resolve(why);
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of splitter.push(chunk)) {
          if (line.length === 0) continue;
          const message = parseQmpMessage(line.toString('utf8'));
          if (message.kind === 'greeting') greeted.resolve(message);
          else if (client) client.#receive(message);
        }
      } catch (thrown) {
        socket.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    });

    const deadline = setTimeout(() => greeted.reject(new QmpTimeoutError('the greeting', timeoutMs)), timeoutMs);
    try {
      const greeting = await greeted.promise;
      const oob = greeting.capabilities.includes('oob');
      client = new QmpClient(socket, { version: greeting.version, oob }, ended.promise);
      await client.execute('qmp_capabilities', oob ? { enable: ['oob'] } : {}, { timeoutMs });
      return client;
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    } finally {
      clearTimeout(deadline);
    }
  }

  get isClosed(): boolean {
    return this.#closedWith !== null;
  }

  /** @throws QmpError, QmpTimeoutError or QmpClosedError */
  execute<Name extends QmpCommandName>(
    command: Name,
    argumentsOf: QmpArguments<Name>,
    options: ExecuteOptions = {},
  ): Promise<QmpReturns<Name>> {
    if (this.#closedWith) return Promise.reject(this.#closedWith);
    const { timeoutMs = defaultTimeoutMs, oob = false } = options;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new QmpTimeoutError(command, timeoutMs));
      }, timeoutMs);
      this.#waiting.set(id, { command, resolve: (value) => resolve(value as QmpReturns<Name>), reject, timer });
      this.#socket.write(buildQmpCommand(id, command, argumentsOf, oob && this.oob));
    });
  }

  /** Calls `listener` with every event from now on, in the order in which QEMU sent them; returns how to stop. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the connection; commands that wait are rejected. QEMU goes on. Idempotent. */
  close(): void {
    this.#end(new QmpClosedError('The engine closed the QMP connection.'));
    this.#socket.destroy();
  }

  #receive(message: QmpMessage): void {
    if (this.#closedWith) return;
    if (message.kind === 'event') {
      for (const listener of this.#listeners) listener(message.event);
      return;
    }
    if (message.kind === 'garbage') {
      this.#socket.destroy(new Error(`what came is ${message.why}`));
      return;
    }
    if (message.kind === 'greeting' || message.id === null) return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.kind === 'return') waiting.resolve(message.value);
    else waiting.reject(new QmpError(waiting.command, message.class, message.desc));
  }

  #end(why: QmpClosedError): void {
    if (this.#closedWith) return;
    this.#closedWith = why;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(why);
    }
    this.#waiting.clear();
    this.#listeners.clear();
  }
}
