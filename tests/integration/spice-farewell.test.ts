/** Real QEMU: closing a console at any moment of its opening must not take the guest with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Transport } from '../../main/consoles/transport.ts';
import { unixSocketTransport } from '../../main/consoles/unix-socket-transport.ts';
import { until } from '../support/until.ts';

const rounds = 60;
const channels = { main: 1, display: 2, inputs: 3, cursor: 4, playback: 5, record: 6 };

async function startQemu(): Promise<{ qemu: ChildProcess; socketPath: string }> {
  const folder = mkdtempSync('/tmp/gh-spice-');
  const socketPath = join(folder, 'spice.sock');
  const words = ['-machine', 'q35,accel=tcg', '-m', '64', '-nodefaults', '-display', 'none', '-device', 'virtio-vga', '-S'];
  words.push('-audiodev', 'spice,id=sound', '-device', 'intel-hda', '-device', 'hda-duplex,audiodev=sound');
  const qemu = spawn('qemu-system-x86_64', [...words, '-spice', `unix=on,addr=${socketPath},disable-ticketing=on`], { stdio: 'ignore' });
  onTestFinished(async () => {
    if (qemu.exitCode === null && qemu.signalCode === null) {
      const ended = new Promise((settle) => qemu.once('exit', settle));
      qemu.kill('SIGKILL');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });
  await until('QEMU listens', () => existsSync(socketPath));
  return { qemu, socketPath };
}

/** Opens a channel as a client does: link, ticket, and for a display its first message. */
function openChannel(socketPath: string, type: number, session: number): { transport: Transport; session: Promise<number | null> } {
  const link = Buffer.alloc(16 + 22);
  link.write('REDQ');
  link.writeUInt32LE(2, 4);
  link.writeUInt32LE(2, 8);
  link.writeUInt32LE(22, 12);
  link.writeUInt32LE(session, 16);
  link[20] = type;
  link.writeUInt32LE(1, 22);
  link.writeUInt32LE(18, 30);
  link.writeUInt32LE(0b1001, 34);
  let received = Buffer.alloc(0);
  let ticketSent = false;
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const transport = unixSocketTransport(socketPath)({
    open: () => transport.write(link, () => {}),
    data: (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.byteLength < 16) return;
      const replyEnd = 16 + received.readUInt32LE(12);
      if (!ticketSent && received.byteLength >= replyEnd) {
        ticketSent = true;
        const key = createPublicKey({ key: received.subarray(20, 182), format: 'der', type: 'spki' });
        const secret = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, Buffer.from([0]));
        transport.write(Buffer.concat([Buffer.from([1, 0, 0, 0]), secret]), () => {});
        if (type === channels.display)
          transport.write(Buffer.from([101, 0, 14, 0, 0, 0, 1, 0, 0, 160, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), () => {});
      }
      // SPICE_MSG_MAIN_INIT is the main channel's first message but one, and begins with the session's id.
      for (let at = replyEnd + 4; at + 6 <= received.byteLength; at += 6 + received.readUInt32LE(at + 2))
        if (received.readUInt16LE(at) === 103 && received.byteLength >= at + 10) resolve(received.readUInt32LE(at + 6));
    },
    closed: () => resolve(null),
  });
  return { transport, session: promise };
}

test('QEMU outlives consoles that are closed at any moment of their opening', async () => {
  const { qemu, socketPath } = await startQemu();
  for (let round = 0; round < rounds; round++) {
    const main = openChannel(socketPath, channels.main, 0);
    const session = await main.session;
    const others =
      session === null
        ? []
        : Object.values(channels)
            .filter((type) => type !== channels.main)
            .map((type) => openChannel(socketPath, type, session));
    // Spread evenly over the some 30 ms that opening takes.
    await pause((round * 7) % 31);
    for (const { transport } of round % 2 === 0 ? [main, ...others] : [...others, main]) transport.close();
    expect({ round, exit: qemu.exitCode, signal: qemu.signalCode }).toEqual({ round, exit: null, signal: null });
  }
  const last = openChannel(socketPath, channels.main, 0);
  expect(await last.session).toBeGreaterThan(0);
  last.transport.close();
});
