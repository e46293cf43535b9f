import type { Guest } from '../../../contract/guest-state.ts';
import { verbIcons, verbReason } from '../../parts/guest-menu.tsx';
import { primaryVerb, verbWord } from '../../parts/guest-words.ts';
import { doVerb, useBusyGuests } from '../../state/guest-verbs.ts';
import { IconButton } from '../../ui/Button.tsx';

/** The verb that is wanted most, one press away. */
export function QuickVerb({ guest, className = '' }: { guest: Guest; className?: string }) {
  const busy = useBusyGuests((state) => state[guest.id] !== undefined);
  const verb = primaryVerb(guest);
  return (
    <IconButton
      icon={verbIcons[verb]}
      label={verbWord(guest, verb)}
      kind="secondary"
      className={className}
      reason={verbReason(guest, verb)}
      busy={busy}
      onPress={() => void doVerb(guest, verb)}
    />
  );
}
