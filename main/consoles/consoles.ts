/** Every console that pages have open: opened on request, ended with the page that asked. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../contract/errors.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { ConsoleTarget } from '../../contract/shell.ts';
import { carryConsole, type Port } from './console-port.ts';
import { buildSshArguments } from './ssh-command.ts';
import { findProgram, terminalTransport } from './terminal-transport.ts';
import type { ConsoleDirectory, OpenTransport } from './transport.ts';
import { unixSocketTransport } from './unix-socket-transport.ts';

/** A SPICE console has about six channels; this is room for twenty consoles in one window. */
export const maxConsolesPerPage = 128;

export class Consoles<Page> {
  readonly #directory: ConsoleDirectory;
  readonly #knownHostsPath: (guest: GuestId) => string;
  /** What is open for each page; a place is taken before the transport is looked for. */
  readonly #open = new Map<Page, Set<{ end: () => void }>>();

  constructor(directory: ConsoleDirectory, knownHostsPath: (guest: GuestId) => string) {
    this.#directory = directory;
    this.#knownHostsPath = knownHostsPath;
  }

  /**
   * Opens a byte stream and only then makes the port, so that what cannot be opened is an answer and not a port that closes at once.
   * @throws Failure `console/unavailable`, `console/refused`
   */
  async open(page: Page, target: ConsoleTarget, makePort: () => Port): Promise<void> {
    const places = this.#open.get(page) ?? new Set();
    if (places.size >= maxConsolesPerPage) {
      throw new Failure('console/refused', `This window already has ${maxConsolesPerPage} console connections open.`, {
        hint: 'Close a console first.',
      });
    }
    this.#open.set(page, places);
    let abandoned = false;
    const place = {
      end: () => {
        abandoned = true;
      },
    };
    places.add(place);
    try {
      const openTransport = await this.#find(target);
      if (abandoned) return;
      place.end = carryConsole(makePort(), openTransport, () => this.#leave(page, place));
    } catch (error) {
      this.#leave(page, place);
      throw error;
    }
  }

  /** Ends all that a page had open: it was closed, reloaded or navigated, or its process died. */
  closeAll(page: Page): void {
    const places = [...(this.#open.get(page) ?? [])];
    this.#open.delete(page);
    for (const place of places) place.end();
  }

  openCount(page: Page): number {
    return this.#open.get(page)?.size ?? 0;
  }

  #leave(page: Page, place: { end: () => void }): void {
    const places = this.#open.get(page);
    places?.delete(place);
    if (places?.size === 0) this.#open.delete(page);
  }

  async #find(target: ConsoleTarget): Promise<OpenTransport> {
    if (target.kind === 'spice')
      return unixSocketTransport(await this.#directory.spiceSocketPath(target.guest, target.place ?? 'home'), target.arriving);
    if (target.kind === 'serial') return this.#directory.openSerial(target.guest);
    if (target.kind === 'folders') return this.#directory.openFolders(target.guest);
    const endpoint = await this.#directory.sshEndpoint(target.guest);
    const knownHostsPath = this.#knownHostsPath(target.guest);
    await mkdir(dirname(knownHostsPath), { recursive: true, mode: 0o700 });
    return terminalTransport({
      file: await findProgram('ssh'),
      arguments: buildSshArguments({ guest: target.guest, user: target.user, endpoint, knownHostsPath }),
      columns: target.columns,
      rows: target.rows,
    });
  }
}
