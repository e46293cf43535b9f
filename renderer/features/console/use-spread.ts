import { useEffect, useMemo, useRef, useState } from 'react';
import type { GuestId } from '../../../contract/ids.ts';
import type { PhysicalDisplay } from '../../../contract/shell.ts';
import { shell } from '../../state/bridge.ts';
import { useRemembered } from '../../state/remembered.ts';
import { useEngineStore } from '../../state/store.ts';
import { type Assignment, assignDisplays, type DisplayMark, inOrder } from './spread.ts';

type Chosen = Readonly<Record<number, DisplayMark>>;
const nothingChosen: Chosen = {};

/** A window manager takes its time, and takes windows off a display that was unplugged. */
const settlesMs = 5000;

export type Spread = {
  /** Every monitor of the guest is full screen on a display of its own. */
  on: boolean;
  displays: readonly PhysicalDisplay[];
  /** Which has which, now or once it is on. */
  assignment: Assignment;
  begin(): void;
  end(): void;
  /** From then on, remembered for the guest; who had that display gets the other one. */
  assign(head: number, display: PhysicalDisplay): void;
};

/**
 * The guest on all displays of this computer. `heads`: those that there can be; as many are used as there are displays. It ends when one of the
 * windows leaves full screen; a display that is unplugged takes its monitor with it, and brings it back.
 */
export function useSpread(guestId: GuestId, heads: readonly number[]): Spread {
  const [on, setOn] = useState(false);
  const [first, setFirst] = useState<string | null>(null);
  const [chosen, setChosen] = useRemembered(`displays.${guestId}`, nothingChosen, acceptChosen);
  const known = useEngineStore((state) => state.displays);
  const displays = useMemo(() => inOrder(known), [known]);
  const assignment = useMemo(
    () => assignDisplays(heads.slice(0, displays.length), displays, chosen, first),
    [heads, displays, chosen, first],
  );

  const fullScreen = useEngineStore((state) => state.fullScreen);
  const fullHeads = useEngineStore((state) => state.fullHeads);
  const others = [...fullHeads].filter((name) => name.startsWith(`head-${guestId}-`)).length;
  const full = (fullScreen ? 1 : 0) + others;
  const wasFull = useRef(0);
  const changedAt = useRef(0);
  const latest = useRef({ full, expected: 0 });
  latest.current = { full, expected: assignment.size };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the displays and the windows say when
  useEffect(() => {
    changedAt.current = performance.now();
  }, [displays, assignment, on]);
  useEffect(() => {
    const left = full < wasFull.current;
    wasFull.current = full;
    if (!on || !left) return;
    const timer = setTimeout(
      () => {
        // With its display a window was to go.
        if (latest.current.full >= latest.current.expected) return;
        setOn(false);
        void shell('shell.setFullScreen', { on: false });
      },
      performance.now() - changedAt.current < settlesMs ? settlesMs : 0,
    );
    return () => clearTimeout(timer);
  }, [on, full]);

  const [main] = heads;
  const here = main === undefined ? undefined : assignment.get(main)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: after every change of the displays, since windows may have been moved
  useEffect(() => {
    if (on && here !== undefined) void shell('shell.setFullScreen', { on: true, display: here });
  }, [on, here, displays]);

  return {
    on,
    displays,
    assignment,
    begin: () => {
      setFirst(displayOfThisWindow(displays));
      setOn(true);
    },
    end: () => {
      setOn(false);
      void shell('shell.setFullScreen', { on: false });
    },
    assign: (head, display) => {
      const next: Record<number, DisplayMark> = { ...chosen, [head]: markOf(display) };
      const had = assignment.get(head);
      for (const [other, its] of assignment)
        if (other !== head && its.id === display.id) {
          if (had) next[other] = markOf(had);
          else delete next[other];
        }
      setChosen(next);
    },
  };
}

function displayOfThisWindow(displays: readonly PhysicalDisplay[]): string | null {
  const x = window.screenX + window.outerWidth / 2;
  const y = window.screenY + window.outerHeight / 2;
  const is = (display: PhysicalDisplay) =>
    x >= display.x && x < display.x + display.width && y >= display.y && y < display.y + display.height;
  return displays.find(is)?.id ?? null;
}

function markOf({ id, label, x, y }: PhysicalDisplay): DisplayMark {
  return { id, label, x, y };
}

function acceptChosen(stored: unknown): Chosen | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const isMark = (mark: unknown): mark is DisplayMark =>
    typeof mark === 'object' &&
    mark !== null &&
    'id' in mark &&
    typeof mark.id === 'string' &&
    'label' in mark &&
    typeof mark.label === 'string' &&
    'x' in mark &&
    typeof mark.x === 'number' &&
    'y' in mark &&
    typeof mark.y === 'number';
  return Object.values(stored).every(isMark) ? (stored as Chosen) : null;
}
