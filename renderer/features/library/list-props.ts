import type { Selection } from 'react-aria-components';
import type { Guest } from '../../../contract/guest-state.ts';

/** What both views of the list share. */
export type ListProps = {
  guests: readonly Guest[];
  selected: ReadonlySet<string>;
  onSelect: (selected: Set<string>) => void;
  renaming: string | null;
  onRenamed: () => void;
  onOpen: (id: string) => void;
};

/** React Aria's selection as ids; "all" is all that is shown. */
export function selectionIds(selection: Selection, guests: readonly Guest[]): Set<string> {
  return selection === 'all' ? new Set(guests.map((guest) => guest.id)) : new Set([...selection].map(String));
}
