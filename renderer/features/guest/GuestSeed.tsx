import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { call } from '../../state/bridge.ts';
import { showToast } from '../../state/toasts.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { setupWords as w } from '../../words/setup.ts';
import { Facts } from './Facts.tsx';

/** The answers that the guest's system is set up with, until they are removed. Nothing where there are none. */
export function GuestSeed({ guest }: { guest: Guest }) {
  const { value: seed, reload } = useCall('seed.show', { guest: guest.id }, guest.state.status);
  const [refused, setRefused] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  if (!seed) return null;
  const resting = guest.state.status === 'off' || guest.state.status === 'crashed';
  const remove = async () => {
    setBusy(true);
    const answer = await call('seed.remove', { guest: guest.id });
    setBusy(false);
    if (!answer.ok) return setRefused(answer.error);
    setRefused(null);
    showToast({ tone: 'ok', title: w.seedRemoved(guest.spec.name) });
    reload();
  };
  return (
    <section className="guest-box stack">
      <h2>{w.seed}</h2>
      <Facts
        facts={[
          [w.seedFormats[seed.format], seed.firstStart ? w.seedFirst : w.seedThere],
          [w.seedMade, <TimeText key="made" at={seed.madeAt} />],
        ]}
      />
      {refused && <ErrorPanel error={refused} onDismiss={() => setRefused(null)} />}
      <div className="row">
        <Button onPress={() => void remove()} busy={busy} reason={resting ? null : w.seedInUse}>
          {w.seedRemove}
        </Button>
      </div>
    </section>
  );
}
