/** Bytes over a Unix socket: the SPICE server of a guest on this computer. */
import { connect } from 'node:net';
import { GuardedHandlers, type OpenTransport } from './transport.ts';

export function unixSocketTransport(path: string): OpenTransport {
  return (given) => {
    const handlers = new GuardedHandlers(given);
    const socket = connect(path);
    let opened = false;
    let failure = '';
    socket.on('connect', () => {
      opened = true;
      handlers.open();
    });
    socket.on('data', (bytes) => handlers.data(bytes));
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
        if (!handlers.ended) socket.write(bytes, (error) => error ?? taken());
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      resize() {},
      close() {
        handlers.end();
        socket.destroy();
      },
    };
  };
}
