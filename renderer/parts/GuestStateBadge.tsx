import type { GuestState } from '../../contract/guest-state.ts';
import { StateBadge } from '../ui/StateBadge.tsx';
import { stateShape, stateWord } from './guest-words.ts';

/** A guest's state as shape, colour and word. */
export function GuestStateBadge({ state, ...rest }: { state: GuestState; compact?: boolean; soft?: boolean }) {
  return <StateBadge shape={stateShape(state)} label={stateWord(state)} {...rest} />;
}
