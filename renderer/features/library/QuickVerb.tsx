import { Copy } from 'lucide-react';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { verbIcons, verbReason } from '../../parts/guest-menu.tsx';
import { primaryVerb, verbWord } from '../../parts/guest-words.ts';
import { openClone } from '../../state/cloning.ts';
import { doVerb, useBusyGuests } from '../../state/guest-verbs.ts';
import { IconButton } from '../../ui/Button.tsx';
import { cloneWords } from '../../words/clone.ts';

/** The verb that is wanted most, one press away. */
export function QuickVerb({ guest, className = '' }: { guest: Guest; className?: string }) {
  const busy = useBusyGuests((state) => state[guest.id] !== undefined);
  const verb = primaryVerb(guest);
  if (guest.state.status === 'template')
    return (
      <IconButton
        icon={Copy}
        label={cloneWords.newFromTemplate}
        kind="secondary"
        className={className}
        reason={guestCannot(guest.state, 'clone')}
        onPress={() => openClone(guest)}
      />
    );
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
