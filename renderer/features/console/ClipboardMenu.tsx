import { Clipboard, ClipboardX } from 'lucide-react';
import { clipboardPolicy } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { SessionView } from '../../console/session.ts';
import { annotateGuest } from '../../state/guest-verbs.ts';
import { IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { consoleWords } from '../../words/console.ts';

/** From the most that is shared to the least. */
const ways = ['both', 'to-guest', 'to-computer', 'off'] as const;

/** Which way what is copied goes between this computer and the guest. The choice is kept with the guest. */
export function ClipboardMenu({ guest, view }: { guest: Guest; view: SessionView | null }) {
  const possible = view?.phase === 'connected' ? view.capabilities?.clipboard : undefined;
  const missing = possible && !possible.possible ? possible.reason : null;
  const policy = guest.spec.clipboard;
  return (
    <MenuTrigger
      label={consoleWords.clipboard}
      button={<IconButton icon={policy === 'off' ? ClipboardX : Clipboard} label={consoleWords.clipboard} aria-haspopup="menu" />}
    >
      <MenuSection
        title={consoleWords.clipboard}
        choose="single"
        selected={[policy]}
        onSelect={(chosen) => {
          const [way] = clipboardPolicy.options.filter((each) => chosen.has(each));
          if (way !== undefined && way !== policy) void annotateGuest(guest, { clipboard: way });
        }}
      >
        {ways.map((way) => (
          <MenuItem key={way} id={way} note={way === policy && way !== 'off' && missing ? missing : consoleWords.clipboardNotes[way]}>
            {consoleWords.clipboardWays[way]}
          </MenuItem>
        ))}
      </MenuSection>
    </MenuTrigger>
  );
}
