import { MonitorPlay, Pencil, SquareArrowOutUpRight } from 'lucide-react';
import type { MouseEvent } from 'react';
import { useLocation } from 'wouter';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { CopyItems, KeepItems, PowerItems } from '../../parts/guest-menu.tsx';
import { useGuest } from '../../state/store.ts';
import { ContextMenu, MenuItem, MenuSection } from '../../ui/Menu.tsx';
import { words } from '../../words/en.ts';
import { BulkItems } from './BulkBar.tsx';

export type MenuPlace = { id: string; x: number; y: number };

/** Where the menu of a guest opens: at the pointer, or at its card for the menu key, which gives no place or one outside of it. */
export function menuPlace(event: MouseEvent, row: HTMLElement, id: string): MenuPlace {
  const box = row.getBoundingClientRect();
  const byPointer = event.button === 2;
  return { id, x: byPointer ? event.clientX : box.left + 24, y: byPointer ? event.clientY : box.top + 24 };
}

type Props = {
  place: MenuPlace | null;
  selected: readonly Guest[];
  onClose: () => void;
  onOpen: (id: string) => void;
  onRename: (id: string) => void;
};

/** All that can be done to one guest; to all selected ones when it is among several. */
export function GuestContextMenu({ place, selected, onClose, onOpen, onRename }: Props) {
  const guest = useGuest(place?.id ?? '');
  const [, navigate] = useLocation();
  if (!place || !guest) return null;
  const several = selected.length > 1 && selected.some((other) => other.id === guest.id);
  return (
    <ContextMenu at={place} label={several ? words.library.selected(selected.length) : guest.spec.name} onClose={onClose}>
      {several ? (
        <BulkItems guests={selected} />
      ) : (
        <>
          <MenuSection label={words.verbs.open}>
            <MenuItem id="open" icon={SquareArrowOutUpRight} keys="Enter" onAction={() => onOpen(guest.id)}>
              {words.verbs.open}
            </MenuItem>
            <MenuItem
              id="console"
              icon={MonitorPlay}
              reason={guestCannot(guest.state, 'console')}
              onAction={() => navigate(`/guests/${guest.id}/console`)}
            >
              {words.verbs.console}
            </MenuItem>
            <MenuItem id="rename" icon={Pencil} keys="F2" reason={guestCannot(guest.state, 'rename')} onAction={() => onRename(guest.id)}>
              {words.verbs.rename}
            </MenuItem>
          </MenuSection>
          <PowerItems guest={guest} />
          <CopyItems guest={guest} onStarted={(id) => navigate(`/guests/${id}/console`)} />
          <KeepItems guest={guest} />
        </>
      )}
    </ContextMenu>
  );
}
