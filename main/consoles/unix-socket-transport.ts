/** Bytes over a Unix socket: the SPICE server of a guest on this computer. */
import { connect, type Socket } from 'node:net';
import { farewellDeadlineMs, SpiceFarewell } from './spice-farewell.ts';
import { GuardedHandlers, type OpenTransport } from './transport.ts';

/**
 * Into which all of these sockets read, one after the other: as much as the system holds for one (208 KiB) comes in one piece, and no read makes
 * memory that is larger than what it got.
 */
const readInto = Buffer.alloc(256 * 1024);

/** `arriving`: a channel to where a guest is about to move. */
export function unixSocketTransport(path: string, arriving = false): OpenTransport {
  return (given) => {
    const handlers = new GuardedHandlers(given);
    const farewell = new SpiceFarewell(arriving);
    const heard = { bytes: (_bytes: Uint8Array) => {} };
    const socket = connect({
      path,
      onread: {
        buffer: readInto,
        callback: (length) => {
          heard.bytes(readInto.subarray(0, length));
          return true;
        },
      },
    });
    let opened = false;
    let failure = '';
    socket.on('connect', () => {
      opened = true;
      handlers.open();
    });
    heard.bytes = (bytes) => {
      farewell.received(bytes);
      handlers.data(new Uint8Array(bytes));
    };
    // 'close' follows and tells; a half-open console is of no use to anyone.
    socket.on('end', () => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code ?? error.message;
    });
    socket.on('close', () => {
      if (failure === '') return handlers.closed('The guest closed its console.', true);
      handlers.closed(opened ? `The console connection broke (${failure}).` : `The guest’s console did not answer (${failure}).`, false);
    });
    return {
      write(bytes, taken) {
        if (handlers.ended) return;
        farewell.sent(bytes);
        socket.write(bytes, (error) => error ?? taken());
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      resize() {},
      close() {
        handlers.end();
        leave(socket, farewell, heard);
      },
    };
  };
}

const farewells = new Set<Socket>();

/** Settles when no server is still being waited for. The app ends only then (or after a while), since its end closes every socket at once. */
export async function farewellsSaid(): Promise<void> {
  await Promise.all([...farewells].map((socket) => new Promise<void>((settle) => socket.once('close', () => settle()))));
}

/** Closes the socket as soon as the server does not mind. */
function leave(socket: Socket, farewell: SpiceFarewell, heard: { bytes(bytes: Uint8Array): void }): void {
  const { owed } = farewell;
  if (owed === null || socket.destroyed) {
    socket.destroy();
    return;
  }
  farewells.add(socket);
  if (owed.byteLength > 0) socket.write(owed);
  const deadline = setTimeout(() => socket.destroy(), farewellDeadlineMs);
  socket.on('close', () => {
    farewells.delete(socket);
    clearTimeout(deadline);
  });
  heard.bytes = (bytes) => {
    farewell.received(bytes);
    if (farewell.answered) socket.destroy();
  };
  socket.resume();
}
