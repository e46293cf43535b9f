/**
 * The QEMU guest agent over its Unix socket. One command at a time, each after a `guest-sync-delimited` handshake, so that
 * whatever a confused or hostile guest left in the channel cannot be taken for the answer. Between commands the socket is not
 * read at all: a guest that floods it blocks itself.
 *
 * INVARIANT: a hostile agent can make its own commands fail and nothing else (`main/engine/agent/agent-client.test.ts`).
 */
import { randomInt } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { z } from 'zod';
import { agentInfo, execStarted, execStatus, hostName, type NetworkView, networkInterfaces, osInfo, viewNetwork } from './agent-replies.ts';
import { AgentStream } from './agent-stream.ts';

/** The agent answered with an error, or with something that is not an answer. */
export class AgentError extends Error {
  override name = 'AgentError';
}
/** Nobody is at the other end of the channel. */
export class AgentAbsentError extends Error {
  override name = 'AgentAbsentError';
}

/** The agent, or the command that it ran, did not answer in time. */
export class AgentTimeoutError extends Error {
  override name = 'AgentTimeoutError';
}

const replyMaxBytes = 1024 * 1024;
/** The agent itself caps each stream at 16 MiB, which is 22 MiB in base64 (qga/commands.c, GUEST_EXEC_MAX_OUTPUT). */
const execReplyMaxBytes = 46 * 1024 * 1024;
const rubbishMaxBytes = 64 * 1024 * 1024;
const defaultTimeoutMs = 5_000;
/** guest-shutdown is answered only when it fails. */
const shutdownRefusalMs = 1_500;

export type ExecResult = { exitStatus: number; stdoutBase64: string; stderrBase64: string; truncated: boolean };
type CommandOptions = { timeoutMs?: number; maxReplyBytes?: number };

const handshakeMaxBytes = 4096;
const syncReply = z.object({ return: z.number() });
const reply = z.union([
  z.object({ return: z.unknown() }).strict(),
  z.object({ error: z.object({ class: z.string().optional(), desc: z.string().max(4096) }) }),
]);

export class AgentClient {
  readonly #path: string;
  #socket: Socket | null = null;
  #stream = new AgentStream(rubbishMaxBytes);
  #line: PromiseWithResolvers<string> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #busy = 0;
  #released = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** True while a command is under way: what is only nice to know can wait. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  async ping(timeoutMs?: number): Promise<void> {
    await this.#command('guest-ping', {}, z.unknown(), timeoutMs ? { timeoutMs } : {});
  }

  info() {
    return this.#command('guest-info', {}, agentInfo);
  }

  osInfo() {
    return this.#command('guest-get-osinfo', {}, osInfo);
  }

  async hostname(): Promise<string> {
    return (await this.#command('guest-get-host-name', {}, hostName))['host-name'];
  }

  async network(): Promise<NetworkView> {
    return viewNetwork(await this.#command('guest-network-get-interfaces', {}, networkInterfaces));
  }

  /** Brings all file systems of the guest to rest; answers how many. From then on the agent takes nothing but to let them go on. */
  freezeFileSystems(timeoutMs: number): Promise<number> {
    return this.#command('guest-fsfreeze-freeze', {}, z.number(), { timeoutMs });
  }

  thawFileSystems(timeoutMs: number): Promise<number> {
    return this.#command('guest-fsfreeze-thaw', {}, z.number(), { timeoutMs });
  }

  /** Asks the guest to power off, halt or reboot. Settles when it was asked; there is no answer when it obeys. */
  async shutdown(mode: 'powerdown' | 'halt' | 'reboot'): Promise<void> {
    await this.#inTurn(async () => {
      await this.#synchronise(defaultTimeoutMs);
      this.#expectReply(replyMaxBytes);
      this.#write('guest-shutdown', { mode });
      const line = await this.#next(shutdownRefusalMs).catch(() => null);
      if (line !== null) parseReply('guest-shutdown', line, z.unknown());
    });
  }

  /**
   * Runs a program of the guest and waits for it. Output is what the agent kept of it: 16 MiB a stream.
   * @throws AgentError when the agent refuses, AgentAbsentError when it goes away, AgentTimeoutError when `timeoutMs` passes (the program goes on).
   */
  async exec(command: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<ExecResult> {
    const deadline = Date.now() + timeoutMs;
    const [path = '', ...rest] = command;
    const { pid } = await this.#command('guest-exec', { path, arg: rest, 'capture-output': true }, execStarted);
    for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 500)) {
      const status = await this.#command('guest-exec-status', { pid }, execStatus, { maxReplyBytes: execReplyMaxBytes, timeoutMs: 30_000 });
      if (status.exited) {
        return {
          exitStatus: status.exitcode ?? (status.signal === undefined ? 0 : 128 + status.signal),
          stdoutBase64: canonicalBase64(status['out-data']),
          stderrBase64: canonicalBase64(status['err-data']),
          truncated: status['out-truncated'] === true || status['err-truncated'] === true,
        };
      }
      if (signal?.aborted) throw new AgentAbsentError('The wait for the command was given up.');
      if (Date.now() + waitMs > deadline) {
        throw new AgentTimeoutError(`The command did not end within ${Math.round(timeoutMs / 1000)} s; it goes on in the guest.`);
      }
      await new Promise((done) => setTimeout(done, waitMs));
    }
  }

  /** Asks the guest to tell its disks what they no longer need to keep. @throws AgentError when it cannot */
  async trim(timeoutMs: number): Promise<void> {
    await this.#command('guest-fstrim', {}, z.unknown(), { timeoutMs });
  }

  /** Closes the channel; a command under way fails. Idempotent. */
  release(): void {
    this.#released = true;
    this.#drop(new AgentAbsentError('The connection to the guest agent was closed.'));
  }

  /** Forgets the connection, so that the next command makes a new one: the agent in the guest went away or came back. */
  reconnect(): void {
    this.#drop(new AgentAbsentError('The guest agent went away.'));
  }

  #command<T>(name: string, argumentsOf: object, schema: z.ZodType<T>, options: CommandOptions = {}): Promise<T> {
    const { timeoutMs = defaultTimeoutMs, maxReplyBytes = replyMaxBytes } = options;
    return this.#inTurn(async () => {
      await this.#synchronise(timeoutMs);
      this.#expectReply(maxReplyBytes);
      this.#write(name, argumentsOf);
      return parseReply(name, await this.#next(timeoutMs), schema);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++;
    const mine = this.#turn.then(work).finally(() => {
      this.#busy--;
      this.#line = null;
      this.#socket?.pause();
    });
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #synchronise(timeoutMs: number): Promise<void> {
    await this.#connect();
    const id = randomInt(1, 2 ** 31);
    this.#line = pendingLine();
    this.#stream.expectSentinelLine(handshakeMaxBytes, (line) => syncReply.safeParse(parseJson(line)).data?.return === id);
    this.#socket?.write(Buffer.concat([Buffer.from([0xff]), buildCommand('guest-sync-delimited', { id })]));
    await this.#next(timeoutMs);
  }

  async #connect(): Promise<void> {
    if (this.#released) throw new AgentAbsentError('The connection to the guest agent was closed.');
    if (this.#socket) return;
    const socket = createConnection({ path: this.#path });
    this.#stream = new AgentStream(rubbishMaxBytes);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(new AgentAbsentError(`The guest agent's channel cannot be opened: ${error.message}`)));
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket === socket) this.#drop(new AgentAbsentError("The guest agent's channel was closed."));
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        const line = this.#stream.push(chunk);
        if (line !== null) this.#line?.resolve(line);
      } catch (thrown) {
        this.#drop(new AgentError(thrown instanceof Error ? thrown.message : String(thrown)));
      }
    });
    socket.pause();
    if (this.#released) socket.destroy();
    else this.#socket = socket;
  }

  #expectReply(maxBytes: number): void {
    this.#line = pendingLine();
    this.#stream.expectLine(maxBytes);
  }

  #write(name: string, argumentsOf: object): void {
    this.#socket?.write(buildCommand(name, argumentsOf));
  }

  async #next(timeoutMs: number): Promise<string> {
    const line = this.#line;
    if (!line || !this.#socket) throw new AgentAbsentError("The guest agent's channel was closed.");
    this.#socket.resume();
    const timer = setTimeout(() => line.reject(new AgentTimeoutError('The guest agent did not answer in time.')), timeoutMs);
    try {
      return await line.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #drop(why: Error): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.#line?.reject(why);
  }
}

function pendingLine(): PromiseWithResolvers<string> {
  const line = Promise.withResolvers<string>();
  line.promise.catch(() => {});
  return line;
}

function buildCommand(name: string, argumentsOf: object): Buffer {
  return Buffer.from(`${JSON.stringify({ execute: name, arguments: argumentsOf })}\n`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function parseReply<T>(command: string, line: string, schema: z.ZodType<T>): T {
  const parsed = reply.safeParse(parseJson(line));
  if (!parsed.success) throw new AgentError(`The guest agent's answer to ${command} is not one.`);
  if ('error' in parsed.data) throw new AgentError(parsed.data.error.desc);
  const value = schema.safeParse(parsed.data.return);
  if (!value.success) throw new AgentError(`The guest agent's answer to ${command} is not of the right shape.`);
  return value.data;
}

/** Base64 decoded and encoded again, so that what leaves the engine is base64 whatever the guest sent. */
function canonicalBase64(text: string | undefined): string {
  return Buffer.from(text ?? '', 'base64').toString('base64');
}
