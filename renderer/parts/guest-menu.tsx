import type { LucideIcon } from 'lucide-react';
import {
  CirclePause,
  CirclePlay,
  Copy,
  FolderInput,
  Hourglass,
  Layers2,
  Moon,
  PackageOpen,
  Pin,
  Play,
  Power,
  PowerOff,
  RotateCcw,
  Star,
  StarOff,
  Trash2,
} from 'lucide-react';
import { guestCan, guestCannot } from '../../contract/guest-can.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { keepDisposable, openClone, setTemplate, startDisposable } from '../state/cloning.ts';
import { annotateGuest, deleteGuests, doVerb } from '../state/guest-verbs.ts';
import { openMove } from '../state/moving.ts';
import { type PowerVerb, powerVerbs } from '../state/power-verbs.ts';
import { openExport } from '../state/transfer.ts';
import { MenuItem, MenuSection } from '../ui/Menu.tsx';
import { cloneWords } from '../words/clone.ts';
import { words } from '../words/en.ts';
import { transferWords } from '../words/transfer.ts';
import { verbWord } from './guest-words.ts';

export const verbIcons: Record<PowerVerb, LucideIcon> = {
  start: Play,
  resume: CirclePlay,
  pause: CirclePause,
  shutdown: Power,
  suspend: Moon,
  reset: RotateCcw,
  forceOff: PowerOff,
};

/** Why a verb would do nothing: what forbids it, or that it is so already. */
export function verbReason(guest: Guest, verb: PowerVerb): string | null {
  const denied = guestCannot(guest.state, verb);
  if (denied !== null) return denied;
  return guestCan(guest.state, verb).kind === 'ignored' ? words.verbs.already(words.status[guest.state.status]) : null;
}

/** The lines that start and stop a guest, each with the reason when it cannot be used. */
export function PowerItems({ guest, except }: { guest: Guest; except?: PowerVerb }) {
  return (
    <MenuSection label={words.guest.state}>
      {powerVerbs
        .filter((verb) => verb !== except)
        .map((verb) => (
          <MenuItem
            key={verb}
            id={verb}
            icon={verbIcons[verb]}
            reason={verbReason(guest, verb)}
            danger={verb === 'forceOff'}
            onAction={() => void doVerb(guest, verb)}
          >
            {verbWord(guest, verb)}
          </MenuItem>
        ))}
    </MenuSection>
  );
}

/** What makes guests of a guest, and what it is besides. `onStarted` is told of a disposable guest that runs. */
export function CopyItems({ guest, onStarted }: { guest: Guest; onStarted: (id: string) => void }) {
  const isTemplate = guest.state.status === 'template';
  const cannot = guestCannot(guest.state, 'clone');
  return (
    <MenuSection label={cloneWords.section}>
      <MenuItem id="clone" icon={Copy} reason={guestCannot(guest.state, 'cloneNow')} onAction={() => openClone(guest)}>
        {isTemplate ? cloneWords.newFromTemplateMenu : cloneWords.clone}
      </MenuItem>
      <MenuItem
        id="disposable"
        icon={Hourglass}
        reason={cannot}
        onAction={() => void startDisposable({ guest: guest.id }).then((id) => id && onStarted(id))}
      >
        {cloneWords.startDisposable}
      </MenuItem>
      <MenuItem id="export" icon={PackageOpen} reason={cannot} onAction={() => openExport(guest)}>
        {transferWords.export}
      </MenuItem>
      {guest.disposable ? (
        <MenuItem id="keep" icon={Pin} onAction={() => void keepDisposable(guest)}>
          {cloneWords.keep}
        </MenuItem>
      ) : (
        <MenuItem
          id="template"
          icon={Layers2}
          reason={guestCannot(guest.state, isTemplate ? 'makeGuest' : 'makeTemplate')}
          onAction={() => void setTemplate(guest, !isTemplate)}
        >
          {isTemplate ? cloneWords.makeGuest : cloneWords.makeTemplate}
        </MenuItem>
      )}
    </MenuSection>
  );
}

/** Favourite, where it lies, and delete. */
export function KeepItems({ guest, onDelete }: { guest: Guest; onDelete?: () => void }) {
  return (
    <MenuSection label={words.library.title}>
      <MenuItem
        id="favourite"
        icon={guest.spec.favourite ? StarOff : Star}
        onAction={() => void annotateGuest(guest, { favourite: !guest.spec.favourite })}
      >
        {guest.spec.favourite ? words.verbs.unfavourite : words.verbs.favourite}
      </MenuItem>
      <MenuItem id="move" icon={FolderInput} reason={guestCannot(guest.state, 'move')} onAction={() => openMove(guest)}>
        {words.storage.moveToDisk}
      </MenuItem>
      <MenuItem
        id="delete"
        icon={Trash2}
        danger
        keys="Del"
        reason={guestCannot(guest.state, 'delete')}
        onAction={() => {
          void deleteGuests([guest]);
          onDelete?.();
        }}
      >
        {words.verbs.delete}
      </MenuItem>
    </MenuSection>
  );
}
