/** A guest as clients see it: what is stored of it and what is observed, in one. */
import type { Guest, GuestState } from '../../../contract/guest-state.ts';
import type { Lineage, StoredGuest } from './store.ts';

const views = new WeakMap<Readonly<StoredGuest>, Guest>();

function shownLineage({ disposable, origin, identity }: Lineage): Pick<Guest, 'disposable' | 'origin' | 'identity'> {
  return { ...(disposable ? { disposable } : {}), ...(origin ? { origin } : {}), ...(identity ? { identity } : {}) };
}

/** The same object as long as nothing changed, and never written to: who lists a thousand guests relies on both. */
export function viewOf(stored: Readonly<StoredGuest>, state: GuestState): Guest {
  const known = views.get(stored);
  if (known?.state === state) return known;
  const { id, spec, createdAt, lastStartedAt, trashedAt, lineage } = stored;
  const view: Guest = { id, spec, state, createdAt, lastStartedAt, trashedAt, ...shownLineage(lineage) };
  views.set(stored, view);
  return view;
}
