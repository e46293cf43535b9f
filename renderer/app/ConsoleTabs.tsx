import { CircleDot, ExternalLink, type LucideIcon, Mic, Volume2, VolumeX, X } from 'lucide-react';
import { type MouseEvent, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { GuestId } from '../../contract/ids.ts';
import { GuestStateBadge } from '../parts/GuestStateBadge.tsx';
import { type ConsoleMark, useConsoleMarks } from '../state/console-marks.ts';
import { closeConsole, detachConsole, useOpenConsoles } from '../state/open-consoles.ts';
import { useGuest } from '../state/store.ts';
import { IconButton } from '../ui/Button.tsx';
import { ContextMenu, MenuItem } from '../ui/Menu.tsx';
import { words } from '../words/en.ts';
import './ConsoleTabs.css';

/** The consoles that are open, above the content; each can be torn off into a window of its own. */
export function ConsoleTabs() {
  const { guestIds, active } = useOpenConsoles();
  const [location, navigate] = useLocation();
  const [menu, setMenu] = useState<{ id: GuestId; x: number; y: number } | null>(null);
  if (guestIds.length === 0) return null;
  const close = (id: GuestId) => {
    closeConsole(id);
    if (location === `/guests/${id}/console`) navigate(`/guests/${id}/overview`);
  };
  const detach = async (id: GuestId) => {
    if (location === `/guests/${id}/console`) navigate(`/guests/${id}/overview`);
    await detachConsole(id);
  };
  return (
    <nav className="console-tabs" aria-label={words.consoles.strip}>
      <ul className="row">
        {guestIds.map((id) => (
          <ConsoleTab key={id} id={id} here={id === active} onClose={() => close(id)} onMenu={(at) => setMenu({ id, ...at })} />
        ))}
      </ul>
      <ContextMenu at={menu} label={words.consoles.strip} onClose={() => setMenu(null)}>
        <MenuItem id="detach" icon={ExternalLink} onAction={() => menu && void detach(menu.id)}>
          {words.consoles.detach}
        </MenuItem>
        <MenuItem id="close" icon={X} onAction={() => menu && close(menu.id)}>
          {words.consoles.closeThis}
        </MenuItem>
        <MenuItem
          id="others"
          onAction={() => {
            for (const other of guestIds) if (other !== menu?.id) close(other);
          }}
        >
          {words.consoles.closeOthers}
        </MenuItem>
      </ContextMenu>
    </nav>
  );
}

/** In the order of their weight. */
const marks: readonly { mark: ConsoleMark; icon: LucideIcon }[] = [
  { mark: 'records', icon: CircleDot },
  { mark: 'hears', icon: Mic },
  { mark: 'plays', icon: Volume2 },
  { mark: 'muted', icon: VolumeX },
];

type TabProps = { id: GuestId; here: boolean; onClose: () => void; onMenu: (at: { x: number; y: number }) => void };

function ConsoleTab({ id, here, onClose, onMenu }: TabProps) {
  const guest = useGuest(id);
  const going = useConsoleMarks(id);
  if (!guest) return null;
  const onContextMenu = (event: MouseEvent) => {
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    // The menu key gives no position.
    onMenu(event.clientX === 0 && event.clientY === 0 ? { x: box.left, y: box.bottom } : { x: event.clientX, y: event.clientY });
  };
  return (
    <li
      className={here ? 'console-tab console-tab-here' : 'console-tab'}
      onContextMenu={onContextMenu}
      onAuxClick={(event) => event.button === 1 && onClose()}
    >
      <Link
        href={`/guests/${id}/console`}
        className="console-tab-link"
        title={guest.spec.name}
        {...(here ? { 'aria-current': 'page' } : {})}
      >
        <GuestStateBadge state={guest.state} compact />
        <bdi className="ellipsis">{guest.spec.name}</bdi>
        {marks.map(
          ({ mark, icon: Icon }) =>
            going.includes(mark) && (
              <span
                key={mark}
                className="console-tab-mark"
                data-mark={mark}
                role="img"
                aria-label={words.consoles.marks[mark]}
                title={words.consoles.marks[mark]}
              >
                <Icon size={14} aria-hidden="true" />
              </span>
            ),
        )}
      </Link>
      <IconButton icon={X} label={words.consoles.close(guest.spec.name)} className="console-tab-close" onPress={onClose} />
    </li>
  );
}
