/** What a person does to move guests to other disks. The dialog for it is drawn by `app/MoveDialog.tsx`. */
import { create } from 'zustand';
import type { GuesthouseError } from '../../contract/errors.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import { call } from './bridge.ts';

/** The guest whose dialog for moving is open. */
export const useMoving = create<{ guest: GuestId | null }>()(() => ({ guest: null }));

export const openMove = (guest: Pick<Guest, 'id'>): void => useMoving.setState({ guest: guest.id });
export const closeMove = (): void => useMoving.setState({ guest: null });

/** Begins the move, which the list of jobs then shows. Answers what is wrong at once, or null. */
export async function moveGuest(guest: Pick<Guest, 'id'>, location: string | null): Promise<GuesthouseError | null> {
  const answer = await call('guest.move', { guest: guest.id, location });
  return answer.ok ? null : answer.error;
}
