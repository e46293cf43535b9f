/** One client's connection to a guest's serial console: binary messages both ways, first what was printed so far. */
import type { WebSocket } from 'ws';
import type { GuestId } from '../../../contract/ids.ts';
import type { Guests } from '../guests/guests.ts';

/** Serves the console on an open socket until either side closes it. @throws Failure `console/unavailable`, `guest/denied` */
export function serveSerial(socket: WebSocket, guests: Pick<Guests, 'attachSerial'>, id: GuestId): void {
  const attachment = guests.attachSerial(id, {
    data(bytes) {
      socket.send(bytes);
    },
    backlogBytes: () => socket.bufferedAmount,
    closed(reason) {
      socket.close(1000, closeReason(reason));
    },
  });
  socket.on('message', (data, isBinary) => attachment.write(isBinary ? (data as Buffer) : Buffer.from(String(data), 'utf8')));
  socket.on('close', () => attachment.detach());
}

/** A WebSocket's reason has 123 bytes at most. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length <= 123
    ? text
    : `${bytes
        .subarray(0, 119)
        .toString('utf8')
        .replace(/\uFFFD$/, '')}…`;
}
