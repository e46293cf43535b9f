import type { GuestId } from '../../../contract/ids.ts';

/** The serial console, and ssh where an address or a port forward is known. */
export function TerminalTab({ guestId }: { guestId: GuestId }) {
  return <div>{guestId}</div>;
}
