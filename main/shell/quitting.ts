/**
 * How the app ends: what becomes of the guests that run is decided by the setting, or by the user, and carried out before the app leaves.
 *
 * ```
 *   idle ─ request ─► asking ─ answer ─► waiting ─ all are off or suspended ─► leaving
 *     ▲                  │ cancel           │ cancel
 *     └──────────────────┴──────────────────┘
 *   Nothing runs, or the guests keep running: idle ─ request ─► leaving
 * ```
 * Knows no Electron.
 */
import { toGuesthouseError } from '../../contract/errors.ts';
import { guestCan } from '../../contract/guest-can.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { Settings } from '../../contract/settings.ts';
import type { ShellCallParsed, ShellEvent } from '../../contract/shell.ts';

export type QuitAnswer = ShellCallParsed<'shell.quit'>;
type QuitProgress = Extract<ShellEvent, { type: 'quitting' }>['progress'];

export type QuittingOptions = {
  onQuit: () => Settings['onQuit'];
  /** Guests with a QEMU process. */
  running: () => Guest[];
  /** Shows the question; the answer comes through `answer`. */
  ask: (names: string[]) => void;
  tell: (progress: QuitProgress) => void;
  suspend: (guest: GuestId) => Promise<unknown>;
  resume: (guest: GuestId) => Promise<unknown>;
  shutdown: (guest: GuestId) => Promise<unknown>;
  remember: (onQuit: Settings['onQuit']) => Promise<unknown>;
  /** Ends the app; called once. */
  leave: () => void;
};

export class Quitting {
  readonly #options: QuittingOptions;
  #phase: 'idle' | 'asking' | 'waiting' | 'leaving' = 'idle';
  #action: 'suspend' | 'shutdown' = 'shutdown';
  #failed: string | null = null;

  constructor(options: QuittingOptions) {
    this.#options = options;
  }

  get isLeaving(): boolean {
    return this.#phase === 'leaving';
  }

  /** Somebody wants the app to end. Asking again while it is asked or waited for shows the question again and changes nothing. */
  request(): void {
    if (this.#phase === 'leaving') return;
    if (this.#phase === 'waiting') {
      this.#tellProgress();
      return;
    }
    const running = this.#options.running();
    const wish = this.#options.onQuit();
    if (running.length === 0 || wish === 'keep-running') this.#leave();
    else if (wish !== 'ask') void this.#begin(wish);
    else {
      this.#phase = 'asking';
      this.#options.ask(running.map(({ spec }) => spec.name));
    }
  }

  /** The user's answer. One that nobody asked for counts as well: the page's own menu may offer to quit. */
  async answer({ guests, remember }: QuitAnswer): Promise<void> {
    if (this.#phase === 'leaving') return;
    if (guests === 'cancel') {
      this.cancel();
      return;
    }
    if (remember) await this.#options.remember(guests).catch(() => {});
    if (guests === 'keep-running') this.#leave();
    else await this.#begin(guests);
  }

  cancel(): void {
    if (this.#phase === 'waiting') this.#options.tell(null);
    if (this.#phase !== 'leaving') this.#phase = 'idle';
  }

  /** The user's session ends and nobody can be asked: guests are brought to safety as the setting says, by shutting down if it says to ask. */
  async sessionEnds(): Promise<void> {
    const wish = this.#options.onQuit();
    if (this.#phase === 'leaving' || this.#phase === 'waiting') return;
    if (this.#options.running().length === 0 || wish === 'keep-running') this.#leave();
    else await this.#begin(wish === 'suspend' ? 'suspend' : 'shutdown');
  }

  /** To be called whenever a guest has changed. */
  guestsChanged(): void {
    if (this.#phase !== 'waiting') return;
    if (this.#options.running().length === 0) this.#leave();
    else this.#tellProgress();
  }

  async #begin(action: 'suspend' | 'shutdown'): Promise<void> {
    this.#phase = 'waiting';
    this.#action = action;
    this.#failed = null;
    this.#tellProgress();
    const outcomes = await Promise.allSettled(this.#options.running().map((guest) => this.#settle(guest, action)));
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => toGuesthouseError(reason).message);
    if (this.#phase !== 'waiting') return;
    if (failures.length > 0) this.#failed = failures.join(' ');
    this.guestsChanged();
  }

  async #settle(guest: Guest, action: 'suspend' | 'shutdown'): Promise<void> {
    if (guestCan(guest.state, action).kind === 'ignored') return;
    if (action === 'suspend') {
      await this.#options.suspend(guest.id);
      return;
    }
    // A guest that stands still hears no request to shut down.
    if (guest.state.status === 'paused' && guestCan(guest.state, 'shutdown').kind === 'denied') await this.#options.resume(guest.id);
    await this.#options.shutdown(guest.id);
  }

  #tellProgress(): void {
    const running = this.#options.running();
    const unanswered = running.filter(({ state }) => state.shutdown?.unanswered).map(({ spec }) => spec.name);
    const silence =
      unanswered.length > 0 ? `${unanswered.join(', ')} did not shut down in time. Force it off, or cancel and look at it.` : null;
    this.#options.tell({
      guests: this.#action,
      waitingFor: running.map(({ spec }) => spec.name),
      failed: this.#failed ?? silence,
    });
  }

  #leave(): void {
    this.#phase = 'leaving';
    this.#options.leave();
  }
}
