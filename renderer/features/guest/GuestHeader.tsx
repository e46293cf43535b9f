import { ChevronDown, Copy, Pencil, Turtle, Zap } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { Focusable } from 'react-aria-components';
import { useLocation } from 'wouter';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { DisposableMark } from '../../parts/DisposableMark.tsx';
import { GuestStateBadge } from '../../parts/GuestStateBadge.tsx';
import { CopyItems, KeepItems, PowerItems, verbIcons, verbReason } from '../../parts/guest-menu.tsx';
import { primaryVerb, verbWord } from '../../parts/guest-words.ts';
import { InlineName } from '../../parts/InlineName.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { openClone } from '../../state/cloning.ts';
import { doVerb, useBusyGuests } from '../../state/guest-verbs.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { MenuTrigger } from '../../ui/Menu.tsx';
import { WithTooltip } from '../../ui/Tooltip.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';

/** Which guest, how it is, and the one thing that is most likely wanted. */
export function GuestHeader({ guest }: { guest: Guest }) {
  const [renaming, setRenaming] = useState(false);
  const [, navigate] = useLocation();
  const busy = useBusyGuests((state) => state[guest.id] !== undefined);
  const verb = primaryVerb(guest);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'F2' || renaming) return;
    event.preventDefault();
    setRenaming(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: F2 works anywhere in the header; the pencil does the same
    <header className="guest-header" onKeyDown={onKeyDown}>
      <OsLogo os={guest.spec.os} size={32} />
      <div className="guest-title">
        {renaming ? (
          <InlineName guest={guest} onDone={() => setRenaming(false)} />
        ) : (
          <>
            <h1 className="ellipsis" title={guest.spec.name}>
              <bdi>{guest.spec.name}</bdi>
            </h1>
            <IconButton
              icon={Pencil}
              label={words.guest.rename}
              hint="F2"
              reason={guestCannot(guest.state, 'rename')}
              onPress={() => setRenaming(true)}
            />
          </>
        )}
      </div>
      <div className="guest-marks">
        <GuestStateBadge state={guest.state} soft />
        <DisposableMark guest={guest} />
        <AcceleratorMark guest={guest} />
      </div>
      <div className="button-group guest-verbs">
        {guest.state.status === 'template' ? (
          <Button kind="primary" icon={Copy} reason={guestCannot(guest.state, 'clone')} onPress={() => openClone(guest)}>
            {cloneWords.newFromTemplate}
          </Button>
        ) : (
          <Button
            kind={verb === 'forceOff' || verb === 'reset' ? 'danger' : 'primary'}
            icon={verbIcons[verb]}
            reason={verbReason(guest, verb)}
            busy={busy}
            onPress={() => void doVerb(guest, verb)}
          >
            {verbWord(guest, verb)}
          </Button>
        )}
        <MenuTrigger
          label={words.verbs.more}
          placement="bottom end"
          button={<IconButton icon={ChevronDown} label={words.verbs.more} kind="secondary" className="guest-more" />}
        >
          <PowerItems guest={guest} except={verb} />
          <CopyItems guest={guest} onStarted={(id) => navigate(`/guests/${id}/console`)} />
          <KeepItems guest={guest} onDelete={() => navigate('/library')} />
        </MenuTrigger>
      </div>
    </header>
  );
}

/** How the guest's processor is made; that it is slow is never a riddle. */
function AcceleratorMark({ guest }: { guest: Guest }) {
  const { run } = guest.state;
  if (!run) return null;
  const Icon = run.emulated ? Turtle : Zap;
  const text = run.emulated ? words.guest.emulated : words.guest.accelerated(run.accelerator);
  return (
    <WithTooltip text={run.emulated ? words.guest.emulatedNote : text}>
      <Focusable>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its explanation must be reachable by keyboard */}
        <span className={run.emulated ? 'guest-mark guest-mark-slow' : 'guest-mark'} tabIndex={0} role="note">
          <Icon size={16} aria-hidden="true" />
          <span className="guest-mark-text">{text}</span>
        </span>
      </Focusable>
    </WithTooltip>
  );
}
