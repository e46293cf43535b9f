/** A guest as clients see it: what is stored of it and what is observed, in one. */
import { specDifferences } from '../../../contract/guest-hardware.ts';
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
  const runsWith = stored.run?.spec ?? null;
  const pending = runsWith ? specDifferences(runsWith, spec) : [];
  const waiting = pending.length > 0 ? { pending } : {};
  const view: Guest = { id, spec, state, createdAt, lastStartedAt, trashedAt, ...shownLineage(lineage), ...waiting };
  views.set(stored, view);
  return view;
}
