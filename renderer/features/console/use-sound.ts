import { useEffect } from 'react';
import type { GuestId } from '../../../contract/ids.ts';
import type { SoundChoice } from '../../console/console.ts';
import type { SessionView } from '../../console/session.ts';
import { recall, useRemembered } from '../../state/remembered.ts';

const asItWas: SoundChoice = { volume: 1, muted: false };

/** How loud the guest is heard here: remembered for each guest, and told to every console of it. */
export function useSound(guestId: GuestId, view: SessionView | null): [SoundChoice, (choice: SoundChoice) => void] {
  const [choice, setChoice] = useRemembered(keyOf(guestId), asItWas, acceptChoice);
  const live = view?.console ?? null;
  useEffect(() => live?.setSound(choice), [live, choice]);
  return [choice, setChoice];
}

/** Tells every console of the guest at once what was remembered: whoever changes it may be drawn later. */
export function useRememberedSound(guestId: GuestId, view: SessionView | null): void {
  const live = view?.console ?? null;
  useEffect(() => live?.setSound(recall(keyOf(guestId), asItWas, acceptChoice)), [live, guestId]);
}

const keyOf = (guestId: GuestId) => `sound.${guestId}`;

function acceptChoice(stored: unknown): SoundChoice | null {
  if (typeof stored !== 'object' || stored === null || !('volume' in stored) || !('muted' in stored)) return null;
  const { volume, muted } = stored;
  if (typeof volume !== 'number' || !(volume >= 0 && volume <= 1) || typeof muted !== 'boolean') return null;
  return { volume, muted };
}
