/** What goes on in the consoles of this window beside their pictures: said by each console, shown on its tab, which may be all that is to be seen of it. */
import { useEffect } from 'react';
import { create } from 'zustand';
import type { GuestId } from '../../contract/ids.ts';

/** `hears`: the guest hears this computer's microphone. `muted`: it plays, and this computer is silent about it. */
export type ConsoleMark = 'records' | 'hears' | 'plays' | 'muted';

const useMarks = create<{ marks: Readonly<Record<GuestId, readonly ConsoleMark[]>> }>()(() => ({ marks: {} }));

const none: readonly ConsoleMark[] = [];

export function useConsoleMarks(id: GuestId): readonly ConsoleMark[] {
  return useMarks(({ marks }) => marks[id] ?? none);
}

/** Says that something goes on in the console of a guest, for as long as `on` and the component is there. */
export function useConsoleMark(id: GuestId, mark: ConsoleMark, on: boolean): void {
  useEffect(() => {
    if (!on) return;
    change(id, (marks) => [...marks, mark]);
    return () => change(id, (marks) => marks.filter((other) => other !== mark));
  }, [id, mark, on]);
}

function change(id: GuestId, how: (marks: readonly ConsoleMark[]) => readonly ConsoleMark[]): void {
  useMarks.setState(({ marks }) => ({ marks: { ...marks, [id]: how(marks[id] ?? none) } }));
}
