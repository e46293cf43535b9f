import type { CallOutput } from '../../contract/calls.ts';
import { useImages } from './store.ts';
import { useCall } from './use-call.ts';
import { useSettled } from './use-settled.ts';

const none: CallOutput<'image.outdated'> = [];
/** Images change in bursts. */
const quietMs = 200;

/** The guests whose image has a newer published version. */
export function useOutdatedGuests(): CallOutput<'image.outdated'> {
  return useCall('image.outdated', {}, useSettled(useImages(), quietMs)).value ?? none;
}
