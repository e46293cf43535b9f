/** Bytes over a WebSocket to the engine: the serial console, which several may watch at once, and shared folders, which it alone opens. */
import type { WebSocket } from 'ws';
import { GuardedHandlers, type OpenTransport } from './transport.ts';

/** `what` is carried, for sentences. */
export function webSocketTransport(connect: () => WebSocket, what: string): OpenTransport {
  return (given) => {
    const handlers = new GuardedHandlers(given);
    const socket = connect();
    let opened = false;
    let failure = '';
    socket.on('open', () => {
      opened = true;
      handlers.open();
    });
    socket.on('message', (data, isBinary) => {
      const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
      if (isBinary) handlers.data(bytes);
    });
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', (code, reason) => {
      const why = reason.toString();
      if (code === 1000 || code === 1001) return handlers.closed(why || `${what} ended.`, true);
      const detail = failure || why || `code ${code}`;
      handlers.closed(`${what} ${opened ? 'broke off' : 'did not answer'} (${detail}).`, false);
    });
    return {
      write(bytes, taken) {
        if (!handlers.ended && socket.readyState === socket.OPEN) socket.send(bytes, { binary: true }, (error) => error ?? taken());
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      resize() {},
      close() {
        handlers.end();
        socket.terminate();
      },
    };
  };
}
