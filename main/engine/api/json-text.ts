/**
 * Guests as JSON text, kept as long as the guest is the same object: with a thousand guests, writing them out anew for every
 * list costs more than all the rest of the call.
 *
 * A `Guest` is never written to once it was given out (`main/engine/guests/guest-view.ts`).
 */
import type { Guest } from '../../../contract/guest-state.ts';

const texts = new WeakMap<Guest, string>();

export function guestJson(guest: Guest): string {
  const known = texts.get(guest);
  if (known !== undefined) return known;
  const text = JSON.stringify(guest);
  texts.set(guest, text);
  return text;
}

/** The text of a JSON array of guests. */
export function guestsJson(guests: readonly Guest[]): string {
  return `[${guests.map(guestJson).join(',')}]`;
}
