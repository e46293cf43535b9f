/** Several displays of one computer, made of nothing: an X server of Xorg's dummy driver, whose outputs are plugged in and out by xrandr, and a window manager. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

const driver = '/usr/lib/xorg/modules/drivers/dummy_drv.so';
const configuration = `
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 65536
EndSection
Section "Monitor"
  Identifier "monitor"
  HorizSync 5-1000
  VertRefresh 5-200
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "monitor"
  DefaultDepth 24
EndSection
Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoAddGPU" "false"
EndSection
`;

export type PhysicalDisplays = {
  environment: { DISPLAY: string; XAUTHORITY: string };
  /** Plugs that output in, at these places of the desktop. 0 is there from the beginning. */
  plugIn(output: number, mode: `${number}x${number}`, place: `${number}x${number}`): void;
  unplug(output: number): void;
};

/** Why there can be none here; null where they can. */
export function noPhysicalDisplays(): string | null {
  // Nobody else may start an X server that belongs to no seat.
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'an X server with several displays is started by root on Linux only';
  const missing = [
    ['/usr/bin/Xorg', 'xserver-xorg-core'],
    [driver, 'xserver-xorg-video-dummy'],
    ['/usr/bin/xrandr', 'x11-xserver-utils'],
    ['/usr/bin/openbox', 'openbox'],
  ].find(([path]) => !existsSync(path ?? ''));
  return missing ? `the package ${missing[1]} is not installed` : null;
}

/** They end with the test. */
export async function startPhysicalDisplays(): Promise<PhysicalDisplays> {
  const folder = mkdtempSync('/tmp/gh-displays-');
  const config = join(folder, 'xorg.conf');
  writeFileSync(config, configuration);
  const words = [
    '-config',
    config,
    '-logfile',
    join(folder, 'log'),
    '-displayfd',
    '3',
    '-noreset',
    '-nolisten',
    'tcp',
    '-novtswitch',
    '-sharevts',
  ];
  const server = spawn('Xorg', words, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  });
  // Without a cookie nobody is let in but who started it.
  const environment = { DISPLAY: `:${await numberOf(server)}`, XAUTHORITY: '/dev/null' };
  const all = { ...process.env, ...environment };
  const xrandr = (...options: string[]) => void execFileSync('xrandr', options, { env: all });
  const manager = spawn('openbox', ['--sm-disable'], { env: all, stdio: 'ignore' });
  onTestFinished(() => ended(manager));
  const known = new Set<string>();
  return {
    environment,
    plugIn: (output, mode, place) => {
      const name = `DUMMY${output}`;
      // The first output knows all modes, the others none.
      if (output > 0 && !known.has(`${name} ${mode}`)) xrandr('--addmode', name, mode);
      known.add(`${name} ${mode}`);
      xrandr('--output', name, '--mode', mode, '--pos', place);
      // The driver says what is connected when it is asked, and programs look at what it said last.
      xrandr('--query');
    },
    unplug: (output) => {
      xrandr('--output', `DUMMY${output}`, '--off');
      xrandr('--query');
    },
  };
}

function numberOf(server: ChildProcess): Promise<string> {
  return new Promise((settle, fail) => {
    const timer = setTimeout(() => fail(new Error('Xorg did not start within a minute.')), 60_000);
    let text = '';
    (server.stdio[3] as Readable).on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      settle(text.trim());
    });
    server.once('exit', (code) => fail(new Error(`Xorg ended with ${code} while it was starting.`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((settle) => {
    child.once('exit', () => settle());
    child.kill();
  });
}
