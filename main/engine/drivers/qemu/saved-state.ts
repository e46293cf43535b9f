/**
 * The memory and devices of a suspended guest, in three names of one file:
 *
 *   suspended.state.new    being written; worthless
 *   suspended.state        whole and durable; the guest did not run since
 *   suspended.state.used   the guest runs on from it, or was about to
 *
 * INVARIANT: a state is never loaded again after the guest may have run on from it, since its disks have moved on
 * (`tests/integration/guests-crash.test.ts`). Hence the rename to `.used` is durable before the guest runs.
 */
import { createReadStream, existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GuestFiles } from '../../files/layout.ts';
import type { ByteProgress } from '../driver.ts';

/** A state that is being written. */
const halfOf = (path: string) => `${path}.new`;
const spent = (files: GuestFiles) => `${files.suspended}.used`;

export const hasSaved = (files: GuestFiles): boolean => existsSync(files.suspended);
export const hasSpent = (files: GuestFiles): boolean => existsSync(spent(files));

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export async function spendSaved(files: GuestFiles): Promise<void> {
  await rename(files.suspended, spent(files));
  await syncFolder(dirname(files.suspended));
}

export async function unspendSaved(files: GuestFiles): Promise<void> {
  await rename(spent(files), files.suspended);
  await syncFolder(dirname(files.suspended));
}

export async function dropSaved(files: GuestFiles): Promise<void> {
  for (const path of [files.suspended, spent(files), halfOf(files.suspended)]) await rm(path, { force: true });
}

/** Where QEMU writes its state to: a socket whose bytes go to the file. */
export class StateReceiver {
  readonly #server: Server;
  readonly #done: Promise<void>;
  readonly #files: GuestFiles;
  readonly #path: string;
  #peer: Socket | null = null;
  #bytes = 0;

  private constructor(server: Server, files: GuestFiles, path: string, done: Promise<void>) {
    this.#server = server;
    this.#files = files;
    this.#path = path;
    this.#done = done;
    done.catch(() => {});
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Listens on the guest's transfer socket.
   * @param path what the file is called when it is whole
   * @param maxBytes more than this is not a guest's state
   */
  static async listen(files: GuestFiles, path: string, maxBytes: number): Promise<StateReceiver> {
    await rm(files.transfer, { force: true });
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(files.transfer, resolve);
    });
    const finished = Promise.withResolvers<void>();
    const receiver = new StateReceiver(server, files, path, finished.promise);
    server.once('connection', (socket) => {
      receiver.#peer = socket;
      server.close();
      receiver.#write(socket, halfOf(path), maxBytes).then(finished.resolve, finished.reject);
    });
    return receiver;
  }

  /** By hand and not by a pipeline into a stream, which may never settle when it is cut off while the file is still being written. */
  async #write(socket: Socket, path: string, maxBytes: number): Promise<void> {
    const file = await open(path, 'w', 0o600);
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        this.#bytes += chunk.length;
        if (this.#bytes > maxBytes) throw new Error(`the state is longer than ${maxBytes} bytes`);
        for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Rejects when writing fails; never settles otherwise before QEMU has closed its end. */
  get written(): Promise<void> {
    return this.#done;
  }

  /** Gives the file its lasting name, once QEMU said that it is whole. */
  async keep(): Promise<void> {
    await this.#done;
    await rename(halfOf(this.#path), this.#path);
    await syncFolder(dirname(this.#path));
  }

  /** Stops and removes what was written. Idempotent. */
  async abandon(): Promise<void> {
    this.#server.close();
    this.#peer?.destroy();
    if (this.#peer) await this.#done.catch(() => {});
    await rm(halfOf(this.#path), { force: true });
    await rm(this.#files.transfer, { force: true });
  }
}

/** Sends the saved state to a QEMU that listens on the guest's transfer socket. */
export async function sendState(files: GuestFiles, signal: AbortSignal, progress: ByteProgress): Promise<void> {
  const { size } = await stat(files.suspended);
  const socket = createConnection({ path: files.transfer });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let sent = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, next) {
      sent += chunk.length;
      progress(sent, size);
      next(null, chunk);
    },
  });
  await pipeline(createReadStream(files.suspended, { highWaterMark: 1024 * 1024 }), count, socket, { signal });
}
