import { useState } from 'react';
import type { GuestId } from '../../../contract/ids.ts';
import { largestZoom, type Rotation, type ScaleMode, type ViewChoice } from '../../console/pointer/geometry.ts';
import { recall, remember } from '../../state/remembered.ts';

/** Null: as the settings say for all guests. */
type Kept = { mode: ScaleMode | null; rotation: Rotation; zoom: number };

const asItIs: Kept = { mode: null, rotation: 0, zoom: 1 };

/** How this guest is looked at in this window's app, remembered for each guest. */
export function useViewChoice(guestId: GuestId, general: ScaleMode): { choice: ViewChoice; choose: (change: Partial<ViewChoice>) => void } {
  const key = `consoleView.${guestId}`;
  const [kept, setKept] = useState(() => recall(key, asItIs, acceptKept));
  return {
    choice: { ...kept, mode: kept.mode ?? general },
    choose: (change) =>
      setKept((before) => {
        const next = { ...before, ...change };
        remember(key, next);
        return next;
      }),
  };
}

function acceptKept(stored: unknown): Kept | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { mode, rotation, zoom } = stored as Partial<Record<keyof Kept, unknown>>;
  const isMode = mode === null || mode === 'fit' || mode === 'whole' || mode === 'exact';
  const isRotation = rotation === 0 || rotation === 90 || rotation === 180 || rotation === 270;
  const isZoom = typeof zoom === 'number' && zoom >= 1 && zoom <= largestZoom;
  return isMode && isRotation && isZoom ? { mode, rotation, zoom } : null;
}
