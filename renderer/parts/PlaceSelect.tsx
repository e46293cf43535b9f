import type { StoragePlaces } from '../../contract/storage.ts';
import { Select } from '../ui/Select.tsx';
import type { FieldCommon } from '../ui/TextField.tsx';
import { words } from '../words/en.ts';
import { formatBytes } from '../words/format.ts';

const w = words.storage;
const home = 'home';

/** How much room a place has, or that it cannot be had. */
export function placeNote({
  reachable = true,
  freeBytes,
  totalBytes,
}: {
  reachable?: boolean;
  freeBytes: number;
  totalBytes: number;
}): string {
  return reachable ? w.ofTotal(formatBytes(freeBytes), formatBytes(totalBytes)) : w.unreachable;
}

type Props = Omit<FieldCommon, 'disabled'> & {
  places: StoragePlaces;
  /** Id of a location; null is the data folder. */
  value: string | null;
  onChange: (location: string | null) => void;
};

/** Where something is to lie: in the data folder, or in one of the storage locations. */
export function PlaceSelect({ places, value, onChange, ...field }: Props) {
  const known = places.locations.some(({ id }) => id === value);
  return (
    <Select
      {...field}
      value={known && value !== null ? value : home}
      options={[
        { id: home, label: w.dataFolder, note: placeNote(places.home) },
        ...places.locations.map((location) => ({ id: location.id, label: location.name, note: placeNote(location) })),
      ]}
      onChange={(id) => onChange(id === home ? null : id)}
    />
  );
}
