import type { GuestId } from '../../../contract/ids.ts';

/** The console of one guest. `visible` is false while its tab is not on the screen; the connection goes on. */
export function ConsolePane({ guestId, visible }: { guestId: GuestId; visible: boolean }) {
  return <div hidden={!visible}>{guestId}</div>;
}
