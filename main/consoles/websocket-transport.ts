/** Bytes over a WebSocket: the serial console, which belongs to the engine because several may watch it at once. */
import type { WebSocket } from 'ws';
import { GuardedHandlers, type OpenTransport } from './transport.ts';

export function webSocketTransport(connect: () => WebSocket): OpenTransport {
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
      if (code === 1000 || code === 1001) return handlers.closed(why || 'The guest closed its serial console.', true);
      const detail = failure || why || `code ${code}`;
      handlers.closed(opened ? `The serial console broke off (${detail}).` : `The serial console did not answer (${detail}).`, false);
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
