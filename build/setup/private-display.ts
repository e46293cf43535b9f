/** An X server in memory, for a window on a computer without a display. Nobody but its starter can look at it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface PrivateDisplay {
  /** To be added to the environment of whatever shall show its windows there. */
  environment: { DISPLAY: string; XAUTHORITY: string };
  pid: number;
  stop: () => Promise<void>;
}

/** True when this session has a screen to show windows on. macOS and Windows always count as having one. */
export function hasDisplay(environment: NodeJS.ProcessEnv = process.env): boolean {
  return process.platform !== 'linux' || Boolean(environment.DISPLAY || environment.WAYLAND_DISPLAY);
}

/** Starts Xvfb with a screen of the given size on a free display. It ends with `stop`, and with this process. */
export async function startPrivateDisplay({ width = 1600, height = 1000 } = {}): Promise<PrivateDisplay> {
  const directory = mkdtempSync(join(tmpdir(), 'gh-display-'));
  const authority = join(directory, 'authority');
  writeFileSync(authority, buildAuthority(randomBytes(16)), { mode: 0o600 });
  const screen = ['-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-auth', authority, '-displayfd', '3'];
  const server = spawn('Xvfb', screen, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const withUs = () => {
    server.kill();
    rmSync(directory, { recursive: true, force: true });
  };
  const stop = async () => {
    process.off('exit', withUs);
    await ended(server);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const number = await displayNumber(server);
    process.once('exit', withUs);
    return { environment: { DISPLAY: `:${number}`, XAUTHORITY: authority }, pid: server.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * An authority file with one cookie for every display, in the format of libXau's AuWrite.c: a family (65535, wild), then address, display
 * number, name and data, each after its length in 16 bits, most significant byte first.
 */
function buildAuthority(cookie: Buffer): Buffer {
  const counted = (data: Buffer) => Buffer.concat([Buffer.from([data.length >> 8, data.length & 0xff]), data]);
  const nothing = Buffer.alloc(0);
  return Buffer.concat([Buffer.from([0xff, 0xff]), ...[nothing, nothing, Buffer.from('MIT-MAGIC-COOKIE-1'), cookie].map(counted)]);
}

function displayNumber(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Xvfb did not start within a minute.')), 60_000);
    let text = '';
    (server.stdio[3] as Readable).on('data', (chunk: Buffer) => {
      text += chunk;
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      resolve(Number.parseInt(text, 10));
    });
    server.on('error', (error) => reject(new Error(`Xvfb could not be started: ${error.message}. Install the package xvfb.`)));
    server.on('exit', (code) => reject(new Error(`Xvfb ended with ${code} while it was starting.`)));
  });
}

function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    server.once('exit', () => resolve());
    server.kill();
  });
}
