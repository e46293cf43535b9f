import { FolderInput, FolderOpen } from 'lucide-react';
import { useEffect } from 'react';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { placeNote } from '../../parts/PlaceSelect.tsx';
import { openMove } from '../../state/moving.ts';
import { showFile } from '../../state/show-file.ts';
import { useEngineStore } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';

const w = words.storage;
/** A disk is plugged in and pulled out without a word. */
const lookEveryMs = 5000;

/** Where a guest lies that does not lie in the data folder, and that it cannot be had while that is not there. */
export function GuestPlace({ guest }: { guest: Guest }) {
  const home = useEngineStore((state) => state.engine?.home ?? '');
  const { value: places, reload } = useCall('storage.places', {}, guest.state.busy ?? '');
  const location = places?.locations.find(({ id }) => id === places.guests[guest.id]);
  const elsewhere = location !== undefined;
  useEffect(() => {
    if (!elsewhere) return;
    const timer = setInterval(reload, lookEveryMs);
    return () => clearInterval(timer);
  }, [elsewhere, reload]);
  if (!location) return null;
  return (
    <section className="guest-box stack" aria-label={w.place}>
      <div className="row">
        <h2 className="grow">{w.place}</h2>
        <IconButton
          icon={FolderOpen}
          label={words.common.showFile}
          reason={location.reachable ? null : w.unreachable}
          onPress={() => void showFile(`${home}/guests/${guest.id}`)}
        />
        <Button
          kind="quiet"
          icon={FolderInput}
          reason={location.reachable ? guestCannot(guest.state, 'move') : w.unreachable}
          onPress={() => openMove(guest)}
        >
          {w.moveMenu}
        </Button>
      </div>
      {!location.reachable && (
        <Notice tone="warning" title={w.awayTitle(location.name)}>
          <p>{w.awayText}</p>
        </Notice>
      )}
      <div>
        <div className="ellipsis" title={location.name}>
          <bdi>{location.name}</bdi>
        </div>
        <div className="small muted ellipsis selectable" title={location.path}>
          <bdi>{location.path}</bdi>
        </div>
        {location.reachable && <div className="small muted">{placeNote(location)}</div>}
      </div>
    </section>
  );
}
