/** A way to a guest's SPICE server that can be cut, at the socket where the app expects the server: QEMU lives on behind it. */
import { renameSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { unixSocketTransport } from '../../main/consoles/unix-socket-transport.ts';

export type CuttableSpice = {
  /** Connections that are open now. */
  open(): number;
  /** Ends all, and every new one at once, until it is mended. */
  cut(): void;
  mend(): void;
};

/** Stands before the server at `socketPath` until the test ends. */
export async function makeCuttable(socketPath: string): Promise<CuttableSpice> {
  const real = `${socketPath}.real`;
  renameSync(socketPath, real);
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((page) => {
    page.on('error', () => undefined);
    if (isCut) {
      page.destroy();
      return;
    }
    open.add(page);
    // The real server is left as gently as the app leaves it: what is tried is the window.
    const guest = unixSocketTransport(real)({
      open: () => undefined,
      data: (bytes) => void page.write(bytes),
      closed: () => page.destroy(),
    });
    page.on('data', (bytes: Buffer) => guest.write(bytes, () => undefined));
    page.on('close', () => {
      open.delete(page);
      guest.close();
    });
  });
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  onTestFinished(() => {
    for (const page of open) page.destroy();
    server.close();
    rmSync(socketPath, { force: true });
  });
  return {
    open: () => open.size,
    cut: () => {
      isCut = true;
      for (const page of open) page.destroy();
    },
    mend: () => {
      isCut = false;
    },
  };
}
