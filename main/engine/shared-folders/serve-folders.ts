/** One console's connection to the folders that its guest shares: what spice-webdavd says comes over a WebSocket, and is answered there. */
import type { WebSocket } from 'ws';
import { DavServer } from './dav-server.ts';
import { Multiplexer } from './multiplexer.ts';
import type { SharedFolder } from './open-folder.ts';

export type FolderService = {
  /** What is shared at the moment. */
  shares(): readonly SharedFolder[];
  failed(error: unknown): void;
};

const lookEveryMs = 5_000;

export function serveFolders(socket: WebSocket, { shares, failed }: FolderService): void {
  const server = new DavServer({ shares, now: Date.now, failed });
  const multiplexer = new Multiplexer({
    send(bytes, taken) {
      if (socket.readyState === socket.OPEN) socket.send(bytes, { binary: true }, (error) => error ?? taken());
    },
    connected: (client) => server.serve({ stream: client, began: () => client.requestBegan(), answered: () => client.requestAnswered() }),
    now: () => performance.now(),
  });
  const timer = setInterval(() => multiplexer.look(), lookEveryMs);
  timer.unref();
  socket.on('message', (data, isBinary) => {
    if (!isBinary || !Buffer.isBuffer(data)) return;
    const waiting = multiplexer.receive(data);
    if (!waiting) return;
    socket.pause();
    void waiting.then(() => socket.resume());
  });
  socket.on('close', () => {
    clearInterval(timer);
    multiplexer.close();
  });
}
