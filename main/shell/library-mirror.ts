/** What the shell itself must know of the engine's library: for the tray, the notifications, the quit dialog and the theme. */
import type { ServerMessage } from '../../contract/events.ts';
import type { Guest, GuestStatus } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import { defaultSettings, type Settings } from '../../contract/settings.ts';

/** A guest in one of these has a QEMU process. */
const alive: ReadonlySet<GuestStatus> = new Set(['starting', 'running', 'paused', 'stopping', 'suspending']);

export class LibraryMirror {
  readonly guests = new Map<GuestId, Guest>();
  settings: Settings = defaultSettings;
  readonly #listeners = new Set<(message: ServerMessage) => void>();

  apply(message: ServerMessage): void {
    if (message.type === 'snapshot') {
      this.guests.clear();
      for (const guest of message.snapshot.guests) this.guests.set(guest.id, guest);
      this.settings = message.snapshot.settings;
    } else if (message.type === 'guest') {
      if (message.guest) this.guests.set(message.id, message.guest);
      else this.guests.delete(message.id);
    } else if (message.type === 'settings') {
      this.settings = message.settings;
    }
    for (const listener of [...this.#listeners]) listener(message);
  }

  /** Told after the mirror has changed. Returns how to stop. */
  listen(listener: (message: ServerMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Guests with a QEMU process, by name. */
  get running(): Guest[] {
    return [...this.guests.values()].filter(({ state }) => alive.has(state.status)).sort((a, b) => a.spec.name.localeCompare(b.spec.name));
  }
}
