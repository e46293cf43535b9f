import { useEffect, useMemo, useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { ConsoleHead } from '../../console/console.ts';
import { HeadConsole } from '../../console/head-console.ts';
import type { SessionView } from '../../console/session.ts';
import { useRemembered } from '../../state/remembered.ts';
import { useSettings } from '../../state/store.ts';

type Layout = 'tabs' | 'tiled';
/** `count`: null is as many as the guest's display device has. */
type Choice = { count: number | null; layout: Layout };
const asItIs: Choice = { count: null, layout: 'tabs' };

/** One monitor as if it were the only one. `head` is null for a guest that has no others. */
type ShownMonitor = { head: number | null; view: SessionView | null };

export type UsedMonitors = {
  /** The connection that they have in common, for sound and the like. */
  whole: SessionView | null;
  /** The one that the toolbar and the strip are about. */
  main: ShownMonitor;
  /** Beside it, where they are tiled. */
  beside: readonly (ShownMonitor & { head: number })[];
  /** The ids of those that there are. */
  heads: readonly number[];
  /** How many the guest's display device can have, and how many are asked for. */
  most: number;
  count: number;
  layout: Layout;
  setCount(count: number): void;
  setLayout(layout: Layout): void;
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
  const count = Math.min(choice.count ?? most, most);
  const heads = useMemo(() => (all ?? []).filter(({ id }) => id < count), [all, count]);
  const several = heads.length > 1;

  const resizes = useSettings().consoleResizeGuest && (view?.capabilities?.resizeGuest.possible ?? false);
  useEffect(() => {
    if (resizes && most > 1) whole?.setMonitors(count);
  }, [whole, resizes, most, count]);

  const views = useMemo(() => heads.map((head) => ({ head: head.id, view: view && viewOf(view, head) })), [heads, view]);
  const tiled = choice.layout === 'tiled';
  const main = (tiled ? views[0] : (views.find(({ head }) => head === shown) ?? views[0])) ?? null;
  return {
    whole: view,
    main: several && main ? main : { head: null, view },
    beside: several && tiled ? views.slice(1) : [],
    heads: heads.map(({ id }) => id),
    most,
    count,
    layout: choice.layout,
    setCount: (next) => {
      setChoice({ ...choice, count: next });
      whole?.setMonitors(next);
    },
    setLayout: (layout) => setChoice({ ...choice, layout }),
    show: setShown,
  };
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
  const { count, layout } = stored as Partial<Record<keyof Choice, unknown>>;
  const isCount = count === null || (typeof count === 'number' && Number.isInteger(count) && count >= 1);
  return isCount && (layout === 'tabs' || layout === 'tiled') ? { count, layout } : null;
}
