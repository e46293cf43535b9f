/** What the palette can find, as a pure function of the guests and what was typed. */
import { guestCan } from '../../contract/guest-can.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { verbWord } from '../parts/guest-words.ts';
import { type PowerVerb, powerVerbs } from '../state/power-verbs.ts';
import { compareNames } from '../words/format.ts';

export type GuestEntry = { kind: 'guest'; guest: Guest } | { kind: 'verb'; guest: Guest; verb: PowerVerb; label: string };

const guestsShown = 30;
const verbsShown = 12;

/** Whether every word of `query` begins somewhere in `text`. */
export function matches(text: string, query: string): boolean {
  const low = text.toLocaleLowerCase();
  return query
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}

/**
 * The guests that fit `query`, and what can be done to them when the query says so ("start deb"). Those whose name begins with what was
 * typed come first.
 */
export function guestEntries(guests: readonly Guest[], query: string): GuestEntry[] {
  const trimmed = query.trim();
  const found = guests
    .filter((guest) => matches(guest.spec.name, trimmed))
    .sort((one, other) => rank(one, trimmed) - rank(other, trimmed) || compareNames(one.spec.name, other.spec.name))
    .slice(0, guestsShown)
    .map((guest): GuestEntry => ({ kind: 'guest', guest }));
  if (trimmed === '') return found;
  const verbs: GuestEntry[] = [];
  for (const guest of guests) {
    if (verbs.length >= verbsShown) break;
    for (const verb of powerVerbs) {
      const label = `${verbWord(guest, verb)}: ${guest.spec.name}`;
      if (
        matches(label, trimmed) &&
        guestCan(guest.state, verb).kind === 'allowed' &&
        (found.length <= 3 || !matches(guest.spec.name, trimmed))
      )
        verbs.push({ kind: 'verb', guest, verb, label });
    }
  }
  return [...found, ...verbs.slice(0, verbsShown)];
}

function rank(guest: Guest, query: string): number {
  return guest.spec.name.toLocaleLowerCase().startsWith(query.toLocaleLowerCase()) ? 0 : 1;
}
