import { TriangleAlert } from 'lucide-react';
import { Dialog, DialogTrigger, Popover } from 'react-aria-components';
import type { Guest } from '../../contract/guest-state.ts';
import { dismissTrouble, useTroubles } from '../state/guest-verbs.ts';
import { IconButton } from '../ui/Button.tsx';
import { words } from '../words/en.ts';
import { ErrorPanel } from './ErrorPanel.tsx';
import './TroubleButton.css';

/** A warning sign where the last thing asked of a guest failed; what failed opens from it. */
export function TroubleButton({ guest }: { guest: Guest }) {
  const trouble = useTroubles((state) => state[guest.id]);
  if (!trouble) return null;
  return (
    <DialogTrigger>
      <IconButton icon={TriangleAlert} label={words.verbs.trouble[trouble.verb]} className="trouble-button" />
      <Popover className="popover trouble-popover">
        <Dialog aria-label={words.library.troubleLabel(guest.spec.name)}>
          <ErrorPanel error={trouble.error} title={words.verbs.trouble[trouble.verb]} onDismiss={() => dismissTrouble(guest.id)} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
