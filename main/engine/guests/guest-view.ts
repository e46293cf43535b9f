/** A guest as clients see it: what is stored of it and what is observed, in one. */
import type { Guest, GuestState } from '../../../contract/guest-state.ts';
import type { StoredGuest } from './store.ts';

const views = new WeakMap<Readonly<StoredGuest>, Guest>();

/** The same object as long as nothing changed, and never written to: who lists a thousand guests relies on both. */
export function viewOf(stored: Readonly<StoredGuest>, state: GuestState): Guest {
  const known = views.get(stored);
  if (known?.state === state) return known;
  const { id, spec, createdAt, lastStartedAt, trashedAt } = stored;
  const view: Guest = { id, spec, state, createdAt, lastStartedAt, trashedAt };
  views.set(stored, view);
  return view;
}
