import { useEffect, useMemo, useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { ConsoleHead } from '../../console/console.ts';
import { HeadConsole } from '../../console/head-console.ts';
import type { SessionView } from '../../console/session.ts';
import { useRemembered } from '../../state/remembered.ts';
import { useSettings } from '../../state/store.ts';
import { placesOf } from './spread.ts';
import { type Spread, useSpread } from './use-spread.ts';

type Layout = 'tabs' | 'tiled';
/** `count`: null is as many as the guest's display device has. `apart`: the monitors that are looked at in windows of their own. */
type Choice = { count: number | null; layout: Layout; apart: readonly number[] };
const asItIs: Choice = { count: null, layout: 'tabs', apart: [] };

/** A monitor that is gone may be back in a moment: a guest that starts, or is connected to anew, has them one after the other. */
const lingersMs = 3000;

/** One monitor as if it were the only one. `head` is null for a guest that has no others. */
type ShownMonitor = { head: number | null; view: SessionView | null };
type OneOfSeveral = ShownMonitor & { head: number };

export type UsedMonitors = {
  /** The connection that they have in common, for sound and the like. */
  whole: SessionView | null;
  /** The one that the toolbar and the strip are about. */
  main: ShownMonitor;
  /** Beside it, where they are tiled. */
  beside: readonly OneOfSeveral[];
  /** In windows of their own; without a view those that have just gone. */
  apart: readonly OneOfSeveral[];
  /** The ids of those that there are, and of those that are shown here. */
  heads: readonly number[];
  here: readonly number[];
  /** How many the guest's display device can have, and how many are asked for. */
  most: number;
  count: number;
  layout: Layout;
  /** Full screen on all displays. */
  spread: Spread;
  setCount(count: number): void;
  setLayout(layout: Layout): void;
  /** Puts these into windows of their own, and all others back into this one. */
  setApart(heads: readonly number[]): void;
  bringBack(head: number): void;
  /** Which is shown, where they are tabs. */
  show(head: number): void;
};

/** Which monitors of a guest are looked at, and how: remembered for each guest. The guest is asked for as many. */
export function useMonitors(guestId: GuestId, guest: Guest | undefined, view: SessionView | null): UsedMonitors {
  const [choice, setChoice] = useRemembered(`monitors.${guestId}`, asItIs, acceptChoice);
  const [shown, setShown] = useState(0);
  const whole = view?.console ?? null;
  const all = view?.heads;
  const most = Math.max(guest?.spec.display.heads ?? 1, all?.length ?? 1);
  const resizes = useSettings().consoleResizeGuest && (view?.capabilities?.resizeGuest.possible ?? false);
  const possible = useMemo(
    () => (resizes ? Array.from({ length: most }, (_, head) => head) : (all ?? []).map(({ id }) => id)),
    [resizes, most, all],
  );
  const spread = useSpread(guestId, possible);
  const { on: isSpread, assignment } = spread;
  const count = isSpread && resizes ? assignment.size : Math.min(choice.count ?? most, most);
  const layout = isSpread ? 'tabs' : choice.layout;
  const chosenApart = useMemo(() => (isSpread ? [...assignment.keys()].slice(1) : choice.apart), [isSpread, assignment, choice.apart]);
  const heads = useMemo(() => (all ?? []).filter(({ id }) => id < count), [all, count]);
  const several = heads.length > 1;

  const places = useMemo(() => (isSpread ? placesOf(assignment) : []), [isSpread, assignment]);
  useEffect(() => {
    if (resizes && most > 1) whole?.setMonitors(count, places);
  }, [whole, resizes, most, count, places]);

  const views = useMemo(() => heads.map((head) => ({ head: head.id, view: view && viewOf(view, head) })), [heads, view]);
  const here = views.filter(({ head }) => !chosenApart.includes(head));
  // Something is shown in this window in any case.
  if (here.length === 0 && views[0]) here.push(views[0]);
  const recent = useRecent(heads.map(({ id }) => id));
  const tiled = layout === 'tiled';
  const main = (tiled ? here[0] : (here.find(({ head }) => head === shown) ?? here[0])) ?? null;
  return {
    whole: view,
    main: several && main ? main : { head: null, view },
    beside: several && tiled ? here.slice(1) : [],
    apart: chosenApart
      .filter((head) => head < count && recent.has(head) && !here.some((each) => each.head === head))
      .map((head) => views.find((each) => each.head === head) ?? { head, view: null }),
    heads: heads.map(({ id }) => id),
    here: here.map(({ head }) => head),
    most,
    count,
    layout,
    spread,
    setCount: (next) => {
      setChoice({ ...choice, count: next });
      whole?.setMonitors(next, []);
    },
    setLayout: (layout) => setChoice({ ...choice, layout }),
    setApart: (next) => setChoice({ ...choice, apart: next }),
    bringBack: (head) => setChoice({ ...choice, apart: choice.apart.filter((other) => other !== head) }),
    show: setShown,
  };
}

/** The ids, and for a moment those that were among them before. */
function useRecent(ids: readonly number[]): ReadonlySet<number> {
  const now = ids.join(' ');
  const [known, setKnown] = useState('');
  useEffect(() => {
    setKnown((before) => (now.startsWith(before) ? now : before));
    const timer = setTimeout(() => setKnown(now), lingersMs);
    return () => clearTimeout(timer);
  }, [now]);
  return useMemo(() => new Set(`${now} ${known}`.split(' ').filter(Boolean).map(Number)), [now, known]);
}

/** The session as if that monitor were all that there is. */
function viewOf(view: SessionView, head: ConsoleHead): SessionView {
  const { widthPx, heightPx } = head;
  return {
    ...view,
    console: view.console && headConsole(view.console, head),
    size: { widthPx, heightPx },
    frame: view.frame && head.canvas,
  };
}

/** A screen goes by the object: a monitor that stays as it is stays the same one. */
const headConsoles = new WeakMap<ConsoleHead, HeadConsole>();
function headConsole(whole: NonNullable<SessionView['console']>, head: ConsoleHead): HeadConsole {
  const known = headConsoles.get(head);
  if (known) return known;
  const made = new HeadConsole(whole, head);
  headConsoles.set(head, made);
  return made;
}

function acceptChoice(stored: unknown): Choice | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { count, layout, apart = [] } = stored as Partial<Record<keyof Choice, unknown>>;
  const isCount = count === null || (typeof count === 'number' && Number.isInteger(count) && count >= 1);
  const areHeads = Array.isArray(apart) && apart.every((head) => Number.isInteger(head) && head >= 0);
  return isCount && areHeads && (layout === 'tabs' || layout === 'tiled') ? { count, layout, apart } : null;
}
