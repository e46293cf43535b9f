/** One client's connection to the events: a snapshot first, then every change in order, numbered without a gap. */
import type { WebSocket } from 'ws';
import { clientMessage, type Snapshot } from '../../../contract/events.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { ChangesHub, HubConnection } from '../feed/changes-hub.ts';
import type { Log } from '../log/log.ts';
import { guestsJson } from './json-text.ts';

/** What may wait for a client that does not read, beyond its snapshot. It is then dropped, and begins anew when it comes back. */
const waitingMaxBytes = 8 * 1024 * 1024;

export type EventsDeps = { hub: ChangesHub; snapshot: () => Snapshot; log: Log };

/** Serves the events on an open socket until it closes. */
export function serveEvents(socket: WebSocket, { hub, snapshot, log }: EventsDeps): void {
  let seq = 0;
  let watched: ReadonlySet<GuestId> = new Set();
  let snapshotBytes = 0;

  const send = (json: string) => {
    // `json` is an object's text; the sequence number is put in front of its fields.
    socket.send(`{"seq":${seq++},${json.slice(1)}`);
    if (socket.bufferedAmount <= waitingMaxBytes + snapshotBytes) return;
    log.warn({ waitingBytes: socket.bufferedAmount }, 'A client does not read its events and is dropped.');
    socket.terminate();
  };
  const { guests, ...rest } = snapshot();
  const first = `{"type":"snapshot","snapshot":{"guests":${guestsJson(guests)},${JSON.stringify(rest).slice(1)}}`;
  snapshotBytes = Buffer.byteLength(first);
  // INVARIANT: nothing can change between the snapshot and the subscription, since both happen in one turn (server.test.ts).
  const connection: HubConnection = hub.connect({
    change: send,
    samples(samples) {
      const own = samples.filter((sample) => watched.has(sample.guestId));
      if (own.length > 0) send(JSON.stringify({ type: 'samples', samples: own }));
    },
  });
  send(first);

  socket.on('message', (data, isBinary) => {
    const message = isBinary ? null : parseClientMessage(String(data));
    if (!message) return socket.close(1008, 'This message cannot be understood.');
    watched = new Set(message.guestIds);
    connection.watch(message.guestIds);
  });
  socket.on('close', () => connection.close());
}

function parseClientMessage(text: string) {
  try {
    const parsed = clientMessage.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
