import { FolderPlus } from 'lucide-react';
import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { StorageLocation } from '../../../contract/storage.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { Button } from '../../ui/Button.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatList } from '../../words/format.ts';

const w = words.storage;

/** The folders that were named for images and guests, beside the data folder. */
export function Locations({ locations, onChanged }: { locations: readonly StorageLocation[]; onChanged: () => void }) {
  const [adding, setAdding] = useState(false);
  return (
    <section className="storage-section" aria-label={w.locations}>
      <div className="storage-head">
        <div className="grow">
          <h2>{w.locations}</h2>
          <p className="muted small">{w.locationsText}</p>
        </div>
        <Button icon={FolderPlus} onPress={() => setAdding(true)}>
          {w.addLocation}
        </Button>
      </div>
      {locations.length > 0 && (
        <ul aria-label={w.locations}>
          {locations.map((location) => (
            <LocationRow key={location.id} location={location} onChanged={onChanged} />
          ))}
        </ul>
      )}
      {adding && (
        <AddLocation
          onClose={() => {
            setAdding(false);
            onChanged();
          }}
        />
      )}
    </section>
  );
}

function LocationRow({ location, onChanged }: { location: StorageLocation; onChanged: () => void }) {
  const [error, setError] = useState<GuesthouseError | null>(null);
  const { id, name, path, reachable, freeBytes, totalBytes, images, guests, neededBy, use } = location;
  const needed = [...new Set([...images, ...guests, ...neededBy])];
  const facts = [
    ...(reachable ? [w.holdsHere(formatBytes(use.realBytes))] : []),
    ...(guests.length > 0 ? [w.guestsThere(guests.length)] : []),
    ...(images.length > 0 ? [w.imagesThere(images.length)] : []),
  ];
  const forget = async () => {
    const answer = await call('storage.removeLocation', { location: id });
    setError(answer.ok ? null : answer.error);
    if (answer.ok) onChanged();
  };
  return (
    <li className="storage-line">
      <div className="storage-head">
        <div className="grow">
          <div className="ellipsis" title={name}>
            <bdi>{name}</bdi>
          </div>
          <div className="small muted ellipsis selectable" title={path}>
            <bdi>{path}</bdi>
          </div>
          {facts.length > 0 && <div className="small muted">{facts.join(' · ')}</div>}
        </div>
        <span className="muted">{reachable ? w.ofTotal(formatBytes(freeBytes), formatBytes(totalBytes)) : w.unreachable}</span>
        <Button kind="quiet" reason={needed.length > 0 ? w.locationInUse(formatList(needed)) : null} onPress={() => void forget()}>
          {w.forget}
        </Button>
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </li>
  );
}

function AddLocation({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [path, setPath] = useState('');
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const reason = name.trim() === '' || path.trim() === '' ? w.reasonLocation : null;
  const add = async () => {
    setBusy(true);
    const answer = await call('storage.addLocation', { name: name.trim(), path: path.trim() });
    setBusy(false);
    setError(answer.ok ? null : answer.error);
    if (answer.ok) onClose();
  };
  return (
    <FormDialog title={w.addLocationTitle} submitLabel={w.addLocationDo} reason={reason} busy={busy} onSubmit={add} onClose={onClose}>
      <p className="muted">{w.addLocationNote}</p>
      <TextField label={w.locationName} value={name} onChange={setName} placeholder={w.locationNamePlaceholder} autoFocus />
      <TextField label={w.locationFolder} value={path} onChange={setPath} placeholder="/" mono direction="ltr" />
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
