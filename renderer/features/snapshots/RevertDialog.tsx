import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { GuestSnapshot } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { call } from '../../state/bridge.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { Checkbox } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';

const w = words.snapshots;

type Props = { guest: Guest; snapshot: GuestSnapshot; canKeep: boolean; onClose: () => void };

/** Asks what shall become of the present, and goes back. */
export function RevertDialog({ guest, snapshot, canKeep, onClose }: Props) {
  const [keep, setKeep] = useState(canKeep);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const isOn = guest.state.run !== undefined;
  const reason = isOn ? null : guestCannot(guest.state, 'revert');
  const start = async () => {
    setBusy(true);
    const answer = await call('snapshot.revert', { snapshot: snapshot.id, keepPresent: keep, forceOff: isOn });
    setBusy(false);
    if (answer.ok) onClose();
    else setError(answer.error);
  };
  return (
    <Dialog
      open
      role="alertdialog"
      title={w.backTitle(snapshot.name)}
      onClose={onClose}
      closeLabel={words.common.close}
      actions={
        <>
          <Button onPress={onClose} autoFocus>
            {words.common.cancel}
          </Button>
          <Button kind={isOn || !keep ? 'danger' : 'primary'} reason={reason} busy={busy} onPress={() => void start()}>
            {isOn ? w.backForceStart : w.backStart}
          </Button>
        </>
      }
    >
      <div className="stack">
        <p>
          <bdi>{w.backText(guest.spec.name)}</bdi>
        </p>
        {isOn && <Notice tone="warning" title={w.backForceOff} />}
        {canKeep && <Checkbox label={w.backKeep} value={keep} onChange={setKeep} description={w.backKeepNote} />}
        {!keep && <p className="muted">{w.backLost}</p>}
        {error && <ErrorPanel error={error} />}
      </div>
    </Dialog>
  );
}
