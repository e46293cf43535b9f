/**
 * Records what a Debian desktop shows while people work on it: text that scrolls, a window that is dragged, a page that is read, a video, nothing.
 * Each for every way of packing pictures, at the pace of the guest.
 *
 *   node bench/spice/record-desktop.ts DISK FOLDER [WORK …]
 *
 * DISK is a disk with the desktop that `bench/spice/make-desktop.sh` makes; it is not written to. FOLDER gets `WORK-PACKING.rec` each. The recordings
 * are large, so they are kept in the cache and not in the tree.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { bareChannel, type ImageCompression, openBareClient } from './bare-client.ts';
import { startRecorder } from './recorder.ts';

const quietMs = 1500;
const workMs = 6500;
const bootDeadlineMs = 600_000;

/** What is done on the desktop, as a shell says it. What it starts ends with its process group. */
const works = {
  // A flood of text would keep xterm from all else, also from showing its window.
  text: `split -l 24 /usr/share/common-licenses/GPL-3 /tmp/part.
    xterm -fn 8x13 -geometry 140x52+20+30 -e sh -c "while :; do for part in /tmp/part.*; do cat \\$part; sleep 0.03; done; done" & wait`,
  drag: `xterm -fn 8x13 -geometry 80x30+20+30 -name dragged -e sh -c "cat /usr/share/common-licenses/GPL-3; sleep 60" &
    sleep 2; window=$(xdotool search --classname dragged | tail -1)
    while :; do for x in $(seq 20 12 560) $(seq 560 -12 20); do xdotool windowmove $window $x $((30 + x / 3)); sleep 0.02; done; done`,
  browse: `dillo -g 1100x720+40+30 /srv/bench/page.html &
    sleep 6; xdotool mousemove 500 400
    while :; do for each in 1 2 3 4 5 6 7 8; do xdotool click 5; sleep 0.12; done; sleep 0.5; xdotool key Next; sleep 0.7; done`,
  video: 'mpv --really-quiet --vo=x11 --no-audio --no-osc --loop --geometry=640x360+300+150 /srv/bench/video.mpg & wait',
  idle: 'xterm -fn 8x13 -geometry 80x24+20+30 & xclock -digital -update 1 -geometry 240x40+800+30 & wait',
} as const;
export type Work = keyof typeof works;
export const workNames = Object.keys(works) as Work[];
/** Some seconds until a work is on the screen: they are not recorded. */
const startMs: Record<Work, number> = { text: 5000, drag: 4500, browse: 8500, video: 30_000, idle: 3000 };

export const recordedPackings = ['off', 'auto_glz', 'lz', 'quic', 'lz4'] as const satisfies readonly ImageCompression[];
/** A video is recorded once more as the server sends videos. */
const streamed = 'stream';

export const recordingName = (work: Work, packing: ImageCompression | typeof streamed) => `${work}-${packing}.rec`;

/** Makes the recordings that are not there. @throws Error when the desktop does not come up */
export async function recordDesktop(disk: string, folder: string, wanted: readonly Work[], log: (line: string) => void): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const missing = (packings: readonly (ImageCompression | typeof streamed)[]) =>
    wanted.flatMap((work) =>
      packings.filter((packing) => !existsSync(join(folder, recordingName(work, packing)))).map((packing) => ({ work, packing })),
    );
  const plain = missing(recordedPackings);
  if (plain.length > 0) {
    await withDesktop(disk, 'off', log, async (desktop) => {
      for (const work of wanted) {
        const packings = plain.filter((each) => each.work === work).map(({ packing }) => packing);
        await desktop.doing(work, async () => {
          for (const packing of packings) {
            const file = join(folder, recordingName(work, packing));
            const drawn = await record(desktop, file, packing === streamed ? null : packing, quietMs + workMs);
            log(drawn ? `recorded ${work}, ${packing}` : `${work} drew nothing, and is not recorded`);
          }
        });
      }
    });
  }
  if (wanted.includes('video') && missing([streamed]).some(({ work }) => work === 'video'))
    await withDesktop(disk, 'all', log, (desktop) =>
      desktop.doing('video', async () => {
        // The server takes a picture that comes often enough for a video; that takes it a second.
        const drawn = await record(desktop, join(folder, recordingName('video', streamed)), null, quietMs + 2 * workMs);
        log(drawn ? 'recorded video, as a stream' : 'the video drew nothing, and is not recorded');
      }),
    );
}

/** Whether anything was drawn after the first picture: a recording of a screen that stands still is not kept. */
async function record(desktop: Desktop, file: string, compression: ImageCompression | null, forMs: number): Promise<boolean> {
  const tap = join(desktop.folder, 'tap.sock');
  const recorder = await startRecorder(tap, desktop.spice, `${file}.part`);
  const began = performance.now();
  let drawn = false;
  const client = await openBareClient({
    path: tap,
    compression,
    onMessage: (channel) => {
      drawn ||= channel === bareChannel.display && performance.now() - began > quietMs;
    },
  });
  await pause(forMs);
  client.close();
  await recorder.close();
  rmSync(tap, { force: true });
  if (drawn) renameSync(`${file}.part`, file);
  else rmSync(`${file}.part`);
  return drawn;
}

type Desktop = {
  folder: string;
  /** HOST:PORT of its SPICE server. */
  spice: string;
  /** Does `action` while that is done on the desktop. */
  doing(work: Work, action: () => Promise<void>): Promise<void>;
};

async function withDesktop(
  disk: string,
  streaming: 'off' | 'all',
  log: (line: string) => void,
  action: (desktop: Desktop) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gh-record-'));
  const agentPath = join(folder, 'agent.sock');
  const port = await freePort();
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35,accel=tcg', '-smp', '2', '-m', '1536', '-nodefaults', '-no-user-config', '-display', 'none'],
      ...['-bios', '/usr/share/ovmf/OVMF.fd', '-drive', `file=${disk},if=virtio,format=qcow2,snapshot=on`],
      ...['-device', 'virtio-vga,xres=1280,yres=800', '-device', 'virtio-tablet-pci', '-device', 'virtio-keyboard-pci'],
      ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,path=${agentPath},server=on,wait=off`],
      ...['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
      ...['-spice', `port=${port},addr=127.0.0.1,disable-ticketing=on,streaming-video=${streaming}`],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise((settle) => qemu.once('exit', settle));
  try {
    const run = await guestShell(agentPath, qemu);
    log('the desktop boots');
    const started = Date.now();
    // Its own terminal is on the screen: the window manager has read its fonts, which takes it longer than to say that it is there.
    while (!(await run(`${inDisplay} xdotool search --onlyvisible --class xterm`)).trim()) {
      if (Date.now() - started > bootDeadlineMs) throw new Error('the desktop did not come up');
      await pause(2000);
    }
    await run(`${inDisplay} xrandr --output Virtual-1 --mode 1280x800; pkill follow-display; pkill xterm`);
    log(`the desktop is there after ${Math.round((Date.now() - started) / 1000)} s`);
    await action({
      folder,
      spice: `127.0.0.1:${port}`,
      doing: async (work, during) => {
        await run(`${inDisplay} setsid -f sh -c 'echo $$ > /tmp/work; ${works[work]}' > /dev/null 2>&1`);
        await pause(startMs[work]);
        await during();
        await run('kill -- -$(cat /tmp/work); sleep 0.5');
      },
    });
  } finally {
    if (qemu.exitCode === null && qemu.signalCode === null) qemu.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

const inDisplay = 'export DISPLAY=:0 XAUTHORITY=$(ls /home/ann/.Xauthority /tmp/serverauth* 2>/dev/null | head -1);';

/** Settles when the guest's agent answers. What it gives runs a shell's words as root, and settles with what they say. */
async function guestShell(path: string, qemu: ChildProcess): Promise<(script: string) => Promise<string>> {
  const deadline = Date.now() + bootDeadlineMs;
  while (!existsSync(path)) {
    if (qemu.exitCode !== null || Date.now() > deadline) throw new Error('QEMU did not start');
    await pause(50);
  }
  const socket = createConnection(path);
  socket.on('error', () => undefined);
  const waiting = new Map<number, (answer: unknown) => void>();
  let last = 0;
  let synchronised = (_id: number) => {};
  const lines = createInterface({ input: socket });
  lines.on('error', () => undefined);
  lines.on('line', (line) => {
    const answer = parse(line);
    if (answer === null) return;
    if (typeof answer.return === 'number') synchronised(answer.return);
    waiting.get(last)?.(answer.return ?? answer);
    waiting.delete(last);
  });
  // One question at a time: the agent answers in order.
  const ask = async (execute: string, input: object = {}): Promise<Record<string, unknown>> => {
    const answered = new Promise<unknown>((settle) => waiting.set(++last, settle));
    socket.write(`${JSON.stringify({ execute, arguments: input })}\n`);
    return (await answered) as Record<string, unknown>;
  };
  for (let id = 1; ; id++) {
    const answered = new Promise<boolean>((settle) => {
      synchronised = (said) => settle(said === id);
      setTimeout(() => settle(false), 2000);
    });
    socket.write(`${JSON.stringify({ execute: 'guest-sync', arguments: { id } })}\n`);
    if (await answered) break;
    if (Date.now() > deadline) throw new Error('the guest’s agent did not answer');
  }
  return async (script) => {
    const { pid } = await ask('guest-exec', { path: '/bin/sh', arg: ['-c', script], 'capture-output': true });
    for (;;) {
      const status = await ask('guest-exec-status', { pid });
      if (status.exited) return Buffer.from(String(status['out-data'] ?? ''), 'base64').toString();
      await pause(100);
    }
  };
}

function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** A TCP port of this computer that nothing held a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

if (import.meta.main) {
  const [disk, folder, ...only] = process.argv.slice(2);
  if (!disk || !folder) throw new Error('node bench/spice/record-desktop.ts DISK FOLDER [WORK …]');
  const wanted = only.length > 0 ? workNames.filter((work) => only.includes(work)) : workNames;
  await recordDesktop(disk, folder, wanted, (line) => console.error(line));
}
