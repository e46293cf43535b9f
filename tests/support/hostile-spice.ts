/** SPICE servers that mean no good, at the socket where the app expects the guest's own. The handshake is the real server's. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { unixSocketTransport } from '../../main/consoles/unix-socket-transport.ts';

export type Mischief =
  | { kind: 'garbage' }
  | { kind: 'silence' }
  /** Passes everything on, but closes the channels of this type (1 main, 2 display, 3 inputs, 4 cursor) after so many bytes. */
  | { kind: 'cut'; channel: number; afterBytes: number }
  /** Passes everything on, but on the channels of this type says this after the handshake, or what that function writes, and nothing more. */
  | { kind: 'inject'; channel: number; message: Uint8Array | ((page: Socket) => void) };

/** A message of the mini header's form; `claimed` lies about its size. */
export function spiceMessage(type: number, body: Uint8Array, claimed = body.byteLength): Uint8Array {
  const bytes = Buffer.alloc(6 + body.byteLength);
  bytes.writeUInt16LE(type, 0);
  bytes.writeUInt32LE(claimed, 2);
  bytes.set(body, 6);
  return bytes;
}

export function u32(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
}

/** Takes the place of the server at `socketPath` until it is given back. */
export async function takePlaceOf(socketPath: string, mischief: Mischief): Promise<{ met(): boolean; giveBack(): Promise<void> }> {
  const real = `${socketPath}.real`;
  renameSync(socketPath, real);
  const open = new Set<Socket>();
  let met = false;
  const meet = () => {
    met = true;
  };
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    if (mischief.kind === 'garbage' || mischief.kind === 'silence') meet();
    if (mischief.kind === 'garbage') socket.write(randomBytes(4096));
    else if (mischief.kind !== 'silence') relay(socket, real, mischief, meet);
  });
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  return {
    met: () => met,
    giveBack: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((closed) => server.close(closed));
      rmSync(socketPath, { force: true });
      renameSync(real, socketPath);
    },
  };
}

/** The real server is left as gently as the app leaves it: what is tried here is the page, not QEMU. */
function relay(page: Socket, realPath: string, mischief: Extract<Mischief, { channel: number }>, meet: () => void): void {
  let chosen = false;
  let opening = Buffer.alloc(0);
  let passed = 0;
  let handshake = Buffer.alloc(0);
  const fromServer = (bytes: Uint8Array) => {
    if (!chosen) {
      page.write(bytes);
      return;
    }
    if (mischief.kind === 'cut') {
      const rest = mischief.afterBytes - passed;
      passed += bytes.byteLength;
      page.write(bytes.subarray(0, Math.max(0, rest)), () => passed >= mischief.afterBytes && cut());
      return;
    }
    handshake = Buffer.concat([handshake, bytes]);
    // The link header tells the length of the link reply; four bytes more say that the ticket was right.
    const length = handshake.byteLength >= 16 ? 16 + handshake.readUInt32LE(12) + 4 : Number.POSITIVE_INFINITY;
    if (passed >= length) return;
    const upTo = Math.min(handshake.byteLength, length);
    page.write(handshake.subarray(passed, upTo));
    passed = Number.isFinite(length) ? upTo : handshake.byteLength;
    if (passed < length) return;
    if (typeof mischief.message === 'function') mischief.message(page);
    else page.write(mischief.message, meet);
  };
  const server = unixSocketTransport(realPath)({ open: () => {}, data: fromServer, closed: () => page.destroy() });
  const cut = () => {
    meet();
    page.destroy();
  };
  page.on('data', (bytes: Buffer) => {
    if (opening.byteLength < 21) {
      opening = Buffer.concat([opening, bytes]);
      chosen = opening[20] === mischief.channel;
      if (chosen && mischief.kind === 'cut' && mischief.afterBytes === 0) {
        cut();
        return;
      }
    }
    server.write(bytes, () => {});
  });
  page.on('close', () => server.close());
}
