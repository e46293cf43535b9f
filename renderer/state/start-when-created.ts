/** Starts a guest as soon as its disks are there. Kept outside of any page, so that walking away from the page does not undo the wish. */
import type { Guest } from '../../contract/guest-state.ts';
import { doVerb } from './guest-verbs.ts';
import { useEngineStore } from './store.ts';

/** Starts the guest once its creation is done; forgets it when the creation fails or is cancelled. */
export function startWhenCreated(id: string): void {
  let seen = false;
  const look = (guest: Guest | undefined): boolean => {
    if (!guest) return seen;
    seen = true;
    if (guest.state.status === 'creating') return false;
    if (guest.state.status === 'off') void doVerb(guest, 'start');
    return true;
  };
  if (look(useEngineStore.getState().guests[id])) return;
  const stop = useEngineStore.subscribe((state) => {
    if (look(state.guests[id])) stop();
  });
}
