import { useState } from 'react';
import { useLocation } from 'wouter';
import type { GuesthouseError } from '../../contract/errors.ts';
import { guestCannot } from '../../contract/guest-can.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { ErrorPanel } from '../parts/ErrorPanel.tsx';
import { FormDialog } from '../parts/FormDialog.tsx';
import { placeNote } from '../parts/PlaceSelect.tsx';
import { closeMove, moveGuest, useMoving } from '../state/moving.ts';
import { useGuest } from '../state/store.ts';
import { useCall } from '../state/use-call.ts';
import { Button } from '../ui/Button.tsx';
import { RadioGroup } from '../ui/toggles.tsx';
import { words } from '../words/en.ts';

const w = words.storage;
const home = 'home';

/** The dialog that `state/moving.ts` opened, when there is one. */
export function MoveDialog() {
  const id = useMoving((state) => state.guest);
  const guest = useGuest(id ?? '');
  return guest ? <OpenDialog key={guest.id} guest={guest} /> : null;
}

/** Where to. The copying is a job that the list of jobs shows. */
function OpenDialog({ guest }: { guest: Guest }) {
  const { value: places, error } = useCall('storage.places', {});
  const [chosen, setChosen] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<GuesthouseError | null>(null);
  const [, navigate] = useLocation();
  const here = places?.guests[guest.id] ?? home;
  const options = [
    { id: home, label: w.dataFolder, reachable: true, path: places?.home.path ?? '', note: places ? placeNote(places.home) : '' },
    ...(places?.locations ?? []).map((location) => ({
      id: location.id,
      label: location.name,
      reachable: location.reachable,
      path: location.path,
      note: placeNote(location),
    })),
  ];
  const to = chosen ?? options.find(({ id, reachable }) => id !== here && reachable)?.id ?? here;
  const target = options.find(({ id }) => id === to);
  const reason = guestCannot(guest.state, 'move') ?? (to === here ? w.isThere : target?.reachable ? null : w.unreachable);

  const submit = async () => {
    setBusy(true);
    const failed = await moveGuest(guest, to === home ? null : to);
    setBusy(false);
    if (failed) setRefused(failed);
    else closeMove();
  };

  return (
    <FormDialog
      title={w.moveTitle(guest.spec.name)}
      submitLabel={w.move}
      reason={places ? (options.length > 1 ? reason : w.noOtherPlace) : w.looking}
      busy={busy}
      onSubmit={submit}
      onClose={closeMove}
    >
      {places && options.length > 1 && (
        <RadioGroup
          label={w.moveTo}
          value={to}
          onChange={setChosen}
          options={options.map(({ id, label, path, note }) => ({
            id,
            label: id === here ? w.itLiesHere(label) : label,
            description: `${path} · ${note}`,
          }))}
        />
      )}
      {places && options.length === 1 && (
        <>
          <p>{w.noOtherPlace}</p>
          <div>
            <Button
              onPress={() => {
                closeMove();
                navigate('/storage');
              }}
            >
              {w.addLocation}
            </Button>
          </div>
        </>
      )}
      {error && <ErrorPanel error={error} />}
      {refused && <ErrorPanel error={refused} onDismiss={() => setRefused(null)} />}
      <p className="small muted">{w.moveNote}</p>
    </FormDialog>
  );
}
