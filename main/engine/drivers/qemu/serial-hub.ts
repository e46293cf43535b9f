/**
 * The serial console of one guest, for any number of people at once. QEMU's socket takes one client, which is this; what the guest
 * printed so far is kept (and comes from QEMU's own log after an engine restart), so that who joins late sees how it came about.
 */
import { appendFileSync, statSync, truncateSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import type { GuestFiles } from '../../files/layout.ts';
import type { SerialAttachment, SerialListener } from '../driver.ts';
import { readTail } from './run-end.ts';

export const scrollbackBytes = 64 * 1024;
/** A listener that is further behind than this is let go rather than kept in memory for. */
const backlogMaxBytes = 1024 * 1024;
/** QEMU's log of the console is cut back to the scrollback when it has grown to this. */
const logMaxBytes = 4 * 1024 * 1024;

export class SerialHub {
  readonly #files: Pick<GuestFiles, 'serial' | 'serialLog'>;
  #socket: Socket | null = null;
  #scrollback: Buffer = Buffer.alloc(0);
  #listeners = new Set<SerialListener>();
  #sinceLogCheck = 0;
  #closed = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(files: Pick<GuestFiles, 'serial' | 'serialLog'>) {
    this.#files = files;
  }

  get isOpen(): boolean {
    return this.#socket !== null;
  }

  /** Joins the guest's console; settles when joined. When the connection breaks it is made again until {@link close}. */
  async open(): Promise<void> {
    const socket = createConnection({ path: this.#files.serial });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => {
        this.#scrollback = readTail(this.#files.serialLog, scrollbackBytes);
        resolve();
      });
      socket.once('error', reject);
    });
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('close', () => {
      this.#socket = null;
      this.#reopenLater();
    });
    if (this.#closed) socket.destroy();
    else this.#socket = socket;
  }

  attach(listener: SerialListener): SerialAttachment {
    if (this.#scrollback.length > 0) listener.data(this.#scrollback.subarray(-scrollbackBytes));
    this.#listeners.add(listener);
    return {
      write: (bytes) => {
        if (this.#listeners.has(listener)) this.#socket?.write(bytes);
      },
      detach: () => this.#listeners.delete(listener),
    };
  }

  /** Lets everyone go with `reason`. Idempotent. */
  close(reason: string): void {
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#socket = null;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.closed(reason);
  }

  #receive(chunk: Buffer): void {
    this.#scrollback = Buffer.concat([this.#scrollback, chunk]);
    // Cut rarely: copying the scrollback for every chunk would cost more than the guest's output.
    if (this.#scrollback.length > 2 * scrollbackBytes) this.#scrollback = this.#scrollback.subarray(-scrollbackBytes);
    for (const listener of this.#listeners) {
      if ((listener.backlogBytes?.() ?? 0) > backlogMaxBytes) {
        this.#listeners.delete(listener);
        listener.closed('The console printed faster than it could be shown.');
      } else {
        listener.data(chunk);
      }
    }
    this.#sinceLogCheck += chunk.length;
    if (this.#sinceLogCheck > scrollbackBytes) this.#boundLog();
  }

  /** QEMU appends to its log, so cutting it under QEMU is safe. */
  #boundLog(): void {
    this.#sinceLogCheck = 0;
    try {
      if (statSync(this.#files.serialLog).size <= logMaxBytes) return;
      truncateSync(this.#files.serialLog);
      appendFileSync(this.#files.serialLog, this.#scrollback.subarray(-scrollbackBytes));
    } catch {
      // The log is a convenience; the console works without it.
    }
  }

  #reopenLater(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      this.open().catch(() => this.#reopenLater());
    }, 250);
  }
}
