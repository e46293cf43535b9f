/**
 * A bare QEMU with a SPICE server: what is tested through it is the SPICE client alone. The server listens on loopback, since it packs no
 * pictures for a client on a Unix socket; a relay on a Unix socket leads there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';
import { connectTo, JsonLines } from './json-lines.ts';
import type { Pixels } from './png.ts';
import { readPortablePixmap } from './test-photos.ts';

export type SpiceMachine = {
  qemu: ChildProcess;
  /** For its sockets; removed with the test. */
  folder: string;
  socketPath: string;
  qmp(command: string, input?: object): Promise<unknown>;
  /** What QEMU itself says that the screen shows; `of` a device's monitor that is not the first. */
  screendump(of?: { device: string; head: number }): Promise<Pixels>;
};

/**
 * Starts it with these words after those that it always has; it ends with the test. `spice` are further options of its server, `environment`
 * is added to QEMU's.
 */
export async function startSpiceMachine(
  words: (folder: string) => readonly string[],
  spice = '',
  environment: Record<string, string> = {},
): Promise<SpiceMachine> {
  const folder = mkdtempSync('/tmp/gh-spice-');
  const socketPath = join(folder, 'spice.sock');
  const qmpPath = join(folder, 'qmp.sock');
  const all = [
    '-machine',
    'q35,accel=tcg',
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-qmp',
    `unix:${qmpPath},server=on,wait=off`,
  ];
  const port = await freePort();
  all.push('-spice', `port=${port},addr=127.0.0.1,disable-ticketing=on${spice}`, ...words(folder));
  const qemu = spawn('qemu-system-x86_64', all, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment } });
  const ended = new Promise((settle) => qemu.once('exit', settle));
  onTestFinished(async () => {
    if (qemu.exitCode === null && qemu.signalCode === null) qemu.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const relay = createServer((client) => {
    const server = createConnection(port, '127.0.0.1');
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((listening) => relay.listen(socketPath, listening));
  onTestFinished(() => void relay.close());
  const connection = await connectTo(qmpPath);
  onTestFinished(() => void connection.destroy());
  connection.on('error', () => undefined);
  const lines = new JsonLines(connection);
  const qmp = (execute: string, input: object = {}) => lines.request(execute, input);
  await qmp('qmp_capabilities');
  // Not packed: that takes longer than all else.
  const picture = join(folder, 'screen.ppm');
  return {
    qemu,
    folder,
    socketPath,
    qmp,
    screendump: async (of = undefined) => {
      await qmp('screendump', { filename: picture, format: 'ppm', ...of });
      return readPortablePixmap(readFileSync(picture));
    },
  };
}
