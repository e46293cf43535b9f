import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { SnapshotSchedule } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { NumberField } from '../../ui/NumberField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';

const w = words.snapshots;

type Props = { guest: Guest; schedule: SnapshotSchedule; onClose: () => void; onChanged: () => void };

/** How snapshots are made by themselves, and how many are kept. */
export function ScheduleDialog({ guest, schedule, onClose, onChanged }: Props) {
  const [wanted, setWanted] = useState(schedule);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const change = (part: Partial<SnapshotSchedule>) => setWanted((before) => ({ ...before, ...part }));
  const keepsNothing = wanted.enabled && wanted.keepHourly + wanted.keepDaily + wanted.keepWeekly === 0;
  const save = async () => {
    setBusy(true);
    const answer = await call('snapshot.setSchedule', { guest: guest.id, schedule: wanted });
    setBusy(false);
    if (!answer.ok) return setError(answer.error);
    onChanged();
    onClose();
  };
  return (
    <FormDialog
      title={w.scheduleTitle}
      submitLabel={words.common.save}
      reason={keepsNothing ? w.scheduleNothing : null}
      busy={busy}
      onSubmit={save}
      onClose={onClose}
    >
      <Switch label={w.scheduleOn} value={wanted.enabled} onChange={(enabled) => change({ enabled })} description={w.scheduleOnNote} />
      <fieldset className="snapshots-counts">
        <legend className="field-label">{w.keepEach}</legend>
        <NumberField
          label={w.keepHourly}
          value={wanted.keepHourly}
          onChange={(keepHourly) => change({ keepHourly })}
          min={0}
          max={48}
          disabled={!wanted.enabled}
        />
        <NumberField
          label={w.keepDaily}
          value={wanted.keepDaily}
          onChange={(keepDaily) => change({ keepDaily })}
          min={0}
          max={31}
          disabled={!wanted.enabled}
        />
        <NumberField
          label={w.keepWeekly}
          value={wanted.keepWeekly}
          onChange={(keepWeekly) => change({ keepWeekly })}
          min={0}
          max={52}
          disabled={!wanted.enabled}
        />
      </fieldset>
      <Switch
        label={w.beforeHardware}
        value={wanted.beforeHardwareChange}
        onChange={(beforeHardwareChange) => change({ beforeHardwareChange })}
        description={w.beforeHardwareNote}
      />
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
