/**
 * Which windows may open the microphone. A page asks for it for one guest, and it is the shell that asks the user, in a dialog of the system: a
 * script that came to run in a page can neither answer it nor open the microphone without.
 *
 * INVARIANT: no page hears the microphone before the user said yes for a guest, nor after it was given back (tests/e2e/sound.test.ts).
 */
import { BrowserWindow, dialog, systemPreferences, type WebContents } from 'electron';
import { Failure } from '../../contract/errors.ts';
import type { GuestId } from '../../contract/ids.ts';

export class Microphones {
  readonly #nameOf: (guest: GuestId) => string | null;
  /** For which guests each page may open it at the moment. */
  readonly #open = new Map<WebContents, Set<GuestId>>();
  /** What was asked last for a guest of a page: whoever takes it back while the user is being asked is not given it any more. */
  readonly #asked = new Map<WebContents, Map<GuestId, symbol>>();
  /** Guests that the user said yes for since the app was started. */
  readonly #agreed = new Set<GuestId>();

  constructor(nameOf: (guest: GuestId) => string | null) {
    this.#nameOf = nameOf;
  }

  mayHear(contents: WebContents | null): boolean {
    return contents !== null && (this.#open.get(contents)?.size ?? 0) > 0;
  }

  /** Whether the page may open the microphone for `guest` now. Throws `guest/not-found`. */
  async set(contents: WebContents, guest: GuestId, on: boolean): Promise<boolean> {
    const asked = this.#asked.get(contents) ?? new Map<GuestId, symbol>();
    if (!on) {
      asked.delete(guest);
      this.#open.get(contents)?.delete(guest);
      return false;
    }
    const name = this.#nameOf(guest);
    if (name === null) throw new Failure('guest/not-found', 'The guest that was to hear the microphone does not exist any more.');
    const request = Symbol('asked');
    this.#asked.set(contents, asked.set(guest, request));
    if (!this.#agreed.has(guest) && !(await this.#ask(contents, name))) return false;
    if (this.#asked.get(contents)?.get(guest) !== request) return false;
    this.#agreed.add(guest);
    const open = this.#open.get(contents) ?? new Set();
    open.add(guest);
    this.#open.set(contents, open);
    return true;
  }

  /** The page is gone, or is another one. */
  pageLeft(contents: WebContents): void {
    this.#asked.delete(contents);
    this.#open.delete(contents);
  }

  async #ask(contents: WebContents, name: string): Promise<boolean> {
    const window = BrowserWindow.fromWebContents(contents);
    if (!window) return false;
    const { response } = await dialog.showMessageBox(window, {
      type: 'question',
      message: `Let “${name}” hear this computer’s microphone?`,
      detail: 'It hears it while it records and its console is open here, until you switch the microphone off.',
      buttons: ['Don’t allow', 'Allow'],
      defaultId: 0,
      cancelId: 0,
    });
    if (response !== 1) return false;
    return process.platform !== 'darwin' || systemPreferences.askForMediaAccess('microphone');
  }
}
