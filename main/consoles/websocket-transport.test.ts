import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { webSocketTransport } from './websocket-transport.ts';

/** A server on a Unix socket, as the engine is one. */
async function serve(talk: (socket: WebSocket) => void): Promise<() => WebSocket> {
  const folder = mkdtempSync(join(tmpdir(), 'gh-'));
  const path = join(folder, 's');
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  server.on('connection', talk);
  await new Promise<void>((settle) => http.listen(path, settle));
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
    http.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => new WebSocket('ws://engine/', { createConnection: () => connect(path) });
}

function follow(open: () => WebSocket): Promise<{ opened: boolean; text: string; reason: string; clean: boolean }> {
  return new Promise((settle) => {
    let opened = false;
    let text = '';
    const transport = webSocketTransport(
      open,
      'The serial console',
    )({
      open: () => {
        opened = true;
        transport.write(Buffer.from('hello'), () => {});
      },
      data: (bytes) => {
        text += Buffer.from(bytes).toString();
      },
      closed: (reason, clean) => settle({ opened, text, reason, clean }),
    });
  });
}

test('what is written is heard, and what is said arrives before the end', async () => {
  const open = await serve((socket) =>
    socket.on('message', (data) => {
      socket.send(Buffer.from(`heard ${String(data)}`));
      socket.close(1000, 'The guest shut down.');
    }),
  );
  expect(await follow(open)).toEqual({ opened: true, text: 'heard hello', reason: 'The guest shut down.', clean: true });
});

test('a connection that breaks off is told from one that was ended', async () => {
  const open = await serve((socket) => socket.on('message', () => socket.terminate()));
  expect(await follow(open)).toMatchObject({ opened: true, clean: false });
});

test('an engine that is not there is said not to answer', async () => {
  const ended = await follow(() => new WebSocket('ws://engine/', { createConnection: () => connect('/nonexistent/s') }));
  expect(ended).toMatchObject({ opened: false, clean: false, reason: expect.stringContaining('did not answer') });
});

test('closing is the end of it: nothing more is told', async () => {
  let said = 0;
  const open = await serve((socket) => socket.on('message', () => socket.send('late')));
  await new Promise<void>((settle) => {
    const transport = webSocketTransport(
      open,
      'The serial console',
    )({
      open: () => {
        transport.close();
        setTimeout(settle, 50);
      },
      data: () => said++,
      closed: () => said++,
    });
  });
  expect(said).toBe(0);
});
