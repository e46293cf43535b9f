import { Ellipsis, Replace, Trash2 } from 'lucide-react';
import { guestCan, guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { verbIcons } from '../../parts/guest-menu.tsx';
import { SelectionBar } from '../../parts/SelectionBar.tsx';
import { deleteGuests, doVerbToAll } from '../../state/guest-verbs.ts';
import { type PowerVerb, powerVerbs } from '../../state/power-verbs.ts';
import { openRebase } from '../../state/rebasing.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';

const shownVerbs = ['start', 'pause', 'resume', 'shutdown'] as const satisfies readonly PowerVerb[];

/** What can be done to all selected guests; each verb says how many of them it fits. */
export function BulkBar({ guests, onClear }: { guests: readonly Guest[]; onClear: () => void }) {
  return (
    <SelectionBar
      label={words.library.bulkLabel}
      count={words.library.selected(guests.length)}
      clearLabel={words.library.clearSelection}
      onClear={onClear}
    >
      <span className="bulk-verbs">
        {shownVerbs.map((verb) => (
          <Button
            key={verb}
            kind="quiet"
            icon={verbIcons[verb]}
            placement="top"
            reason={bulkReason(guests, verb)}
            onPress={() => void doVerbToAll(guests, verb)}
          >
            {bulkLabel(guests, verb)}
          </Button>
        ))}
      </span>
      <Button kind="quiet" icon={Trash2} placement="top" reason={deleteReason(guests)} onPress={() => void deleteGuests(guests)}>
        {words.library.bulkVerb(words.verbs.delete, deletable(guests), guests.length)}
      </Button>
      <MenuTrigger
        label={words.library.bulkLabel}
        placement="top end"
        button={<IconButton icon={Ellipsis} label={words.common.more} placement="top" />}
      >
        <BulkItems guests={guests} />
      </MenuTrigger>
    </SelectionBar>
  );
}

/** The same as lines of a menu. */
export function BulkItems({ guests }: { guests: readonly Guest[] }) {
  return (
    <>
      <MenuSection title={words.library.selected(guests.length)}>
        {powerVerbs.map((verb) => (
          <MenuItem
            key={verb}
            id={verb}
            icon={verbIcons[verb]}
            reason={bulkReason(guests, verb)}
            danger={verb === 'forceOff'}
            onAction={() => void doVerbToAll(guests, verb)}
          >
            {bulkLabel(guests, verb)}
          </MenuItem>
        ))}
      </MenuSection>
      <MenuSection label={cloneWords.section}>
        <MenuItem id="rebase" icon={Replace} onAction={() => openRebase({ guests: guests.map(({ id }) => id) })}>
          {cloneWords.rebase}
        </MenuItem>
      </MenuSection>
      <MenuSection label={words.verbs.delete}>
        <MenuItem id="delete" icon={Trash2} danger reason={deleteReason(guests)} onAction={() => void deleteGuests(guests)}>
          {words.library.bulkVerb(words.verbs.delete, deletable(guests), guests.length)}
        </MenuItem>
      </MenuSection>
    </>
  );
}

function able(guests: readonly Guest[], verb: PowerVerb): number {
  return guests.filter((guest) => guestCan(guest.state, verb).kind === 'allowed').length;
}

function deletable(guests: readonly Guest[]): number {
  return guests.filter((guest) => guestCan(guest.state, 'delete').kind === 'allowed').length;
}

function bulkLabel(guests: readonly Guest[], verb: PowerVerb): string {
  return words.library.bulkVerb(words.verbs.labels[verb], able(guests, verb), guests.length);
}

/** One guest gives the engine's own reason; several that differ in theirs give one for all. */
function bulkReason(guests: readonly Guest[], verb: PowerVerb): string | null {
  if (able(guests, verb) > 0) return null;
  return sharedReason(guests.map((guest) => guestCannot(guest.state, verb))) ?? words.library.bulkNone(words.verbs.labels[verb]);
}

function deleteReason(guests: readonly Guest[]): string | null {
  if (deletable(guests) > 0) return null;
  return sharedReason(guests.map((guest) => guestCannot(guest.state, 'delete'))) ?? words.library.bulkNone(words.verbs.delete);
}

function sharedReason(reasons: readonly (string | null)[]): string | null {
  const [first] = reasons;
  return first && reasons.every((reason) => reason === first) ? first : null;
}
