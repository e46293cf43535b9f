/** What the desktop's user does. Each looks at the screen whenever the guest has come to rest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { desktopVideo } from '../support/desktop-disk.ts';
import type { DesktopMachine } from '../support/desktop-machine.ts';
import { differingPixels, type Pixels } from '../support/png.ts';
import { until } from '../support/until.ts';

export type Workload = {
  name: string;
  run(desktop: DesktopMachine, look: (what: string) => Promise<void>): Promise<void>;
};

/** What a program is given to do its part: under emulation, on a machine with other things to do, that takes minutes. */
const patienceMs = 300_000;

const onDisplay = 'export DISPLAY=:0; ';
/** Starts a program on the desktop that outlives the order to start it. */
const started = (command: string) => `${onDisplay}setsid -f ${command} > /tmp/last.log 2>&1`;
/** VT_ACTIVATE and VT_WAITACTIVE. No login waits on the ninth terminal. */
const onTerminal = (number: number) => `perl -e 'open(T, "+<", "/dev/tty0") or die; ioctl(T, $_, ${number}) or die for 0x5606, 0x5607'; `;

/** Does it in the terminal, as if it had been typed there, and waits for its end. */
async function inTerminal(desktop: DesktopMachine, command: string): Promise<void> {
  await desktop.run(`rm -f /tmp/done; echo ${JSON.stringify(`${command}; touch /tmp/done`)} > /root/orders`);
  await desktop.run('until test -e /tmp/done; do sleep 0.1; done', patienceMs);
}

type Place = { xPx: number; yPx: number };
/** Where on the screen the video is, and where another that covers a part of it. */
export const videoPlace: Place = { xPx: 150, yPx: 90 };
export const coveringPlace: Place = { xPx: 300, yPx: 200 };

/** Starts `player.pl`, which keeps its last picture on the screen. Each of `parts` is a size and how many pictures of it. */
export async function playVideo(desktop: DesktopMachine, { xPx, yPx }: Place, ...parts: string[]): Promise<void> {
  const program = readFileSync(join(import.meta.dirname, 'player.pl')).toString('base64');
  await desktop.run(`rm -f /tmp/last.log; echo ${program} | base64 -d > /root/player.pl`);
  const { widthPx, heightPx } = desktopVideo;
  await desktop.run(started(`perl /root/player.pl /root/video.bgr0 ${widthPx} ${heightPx} 25 ${xPx},${yPx} ${parts.join(' ')}`));
}

/** Waits until so many pixels of the screen are others than before. */
async function untilShown(desktop: DesktopMachine, before: Pixels, pixels: number): Promise<void> {
  await until('it is on the screen', async () => differingPixels(before, await desktop.screendump()) > pixels, patienceMs);
}

export async function untilVideoEnds(desktop: DesktopMachine): Promise<void> {
  await desktop.run('until grep -q pictures /tmp/last.log; do sleep 0.2; done', patienceMs);
}

/** What x11perf is asked to draw, a row for each time that it is stopped in the middle and looked at. */
const primitives = {
  fills: [
    '-dot',
    '-rect10',
    '-rect100 -rop GXxor',
    '-srect100',
    '-osrect100 -rop GXinvert',
    '-tilerect100',
    '-oddtilerect500',
    '-bigsrect100',
    '-triangle100',
    '-strap100',
    '-complex100',
    '-aatrap100',
  ],
  lines: ['-seg100', '-dseg100', '-wline100', '-wdcircle100', '-fcircle100', '-ellipse100'],
  text: ['-ftext', '-polytext', '-aa10text', '-rgb24text'],
  copies: [
    '-scroll500',
    '-copywinwin100',
    '-copypixwin500',
    '-copyplane100',
    '-compwinwin100',
    '-magpixwin100',
    '-putimage100',
    '-shmput500',
  ],
};

/** Draws a little with each of them, and is stopped in the middle of the last. */
export async function drawEverything(desktop: DesktopMachine): Promise<void> {
  await desktop.run(
    `${onDisplay}x11perf -reps 2 -repeat 1 ${Object.values(primitives)
      .flat()
      .join(' ')
      .replace(/-rop GX\w+/g, '')} > /dev/null`,
    120_000,
  );
  await desktop.run(started('x11perf -reps 3 -repeat 20000 -complex100'));
  await desktop.run('sleep 2; pkill -STOP x11perf');
}

export const scroll = (desktop: DesktopMachine) => inTerminal(desktop, 'ls -la --color=always /usr/lib /usr/bin | head -400');

/** Where x11perf draws: its window is in the corner of the screen, within a border. */
const drawnUpon = { leftPx: 3, topPx: 3, widthPx: 600, heightPx: 600 };

/** Whether all of it has one colour. */
function isBlank({ widthPx, rgb }: Pixels): boolean {
  const first = (drawnUpon.topPx * widthPx + drawnUpon.leftPx) * 3;
  for (let y = 0; y < drawnUpon.heightPx; y++)
    for (let x = 0; x < drawnUpon.widthPx; x++) {
      const at = first + (y * widthPx + x) * 3;
      for (let sample = 0; sample < 3; sample++) if (rgb[at + sample] !== rgb[first + sample]) return false;
    }
  return true;
}

/**
 * Draws with each of them, and looks in the middle. A line tells that all has been drawn once; then it begins anew, and is stopped. It is waited for
 * with nothing but what the shell has in itself: under emulation each process that asks takes as much time as the drawing.
 */
function drawing(commands: readonly string[]): Workload['run'] {
  const end = 'read -r pid < /tmp/pid && kill -KILL $pid';
  const untilDrawn = `said=; until case "$line" in *"reps @"*) ;; *) false;; esac; do
    read -r line || { printf "$said" >&2; exit 1; }; said="$said$line\\n"; done`;
  const stop = 'read -r pid < /tmp/pid && kill -STOP $pid || exit 1';
  const goOn = 'read -r pid < /tmp/pid && kill -CONT $pid';
  return async (desktop, look) => {
    // One for each, since one that has just been killed may still have its own open.
    const said = commands.map((_, index) => `/tmp/said-${index}`);
    await desktop.run(`rm -f /tmp/pid /tmp/said-*; mkfifo ${said.join(' ')}`);
    for (const [index, command] of commands.entries()) {
      // One that does not know a word ends, and with it what it says. It goes on only while somebody takes what it says.
      const start = `(stdbuf -oL x11perf -reps 1 -repeat 20000 ${command} > ${said[index]} 2>&1 & echo $! > /tmp/pid)`;
      await desktop.run(`${end}; ${onDisplay}${start}; { ${untilDrawn}; ${stop}; } < ${said[index]}`, patienceMs);
      // Every second time it draws in the colour of the ground, and then nothing of it may be there to look at.
      let further = 0;
      await until(
        `something of ${command} to look at`,
        async () => {
          if (!isBlank(await desktop.screendump())) return true;
          further = (further + 3) % 10;
          await desktop.run(`{ ${goOn}; sleep 0.0${further}; ${stop}; } < ${said[index]}`);
          return false;
        },
        patienceMs,
      );
      await look(command);
    }
    await desktop.run(`${end}; sleep 0.1`);
    await look('its window is gone');
  };
}

/** What xdotool is to do with the terminal's window, in one process: under emulation each takes as long as what it does. */
const withTerminal = (words: string) => `${onDisplay}xdotool search --onlyvisible --name Terminal ${words}`;

export async function drag(desktop: DesktopMachine): Promise<void> {
  const moves = Array.from({ length: 8 }, (_, index) => `windowmove ${(index + 1) * 37} ${(index + 1) * 23} sleep 0.1`);
  const before = await desktop.screendump();
  await desktop.run(withTerminal(moves.join(' ')), patienceMs);
  await untilShown(desktop, before, 10_000);
}

export async function showPhoto(desktop: DesktopMachine): Promise<void> {
  const before = await desktop.screendump();
  await desktop.run(started('feh --geometry 640x480+200+120 /root/photo-1.ppm'));
  await untilShown(desktop, before, 200_000);
}

/** On a terminal without a desktop, which the next workload must not find there. */
export async function showText(desktop: DesktopMachine, printed: string): Promise<void> {
  await desktop.run(`${onTerminal(9)}(${printed}) > /dev/tty9`);
}

/** Ends what a workload left running that was cut short. */
export async function endPrograms(desktop: DesktopMachine): Promise<void> {
  await desktop.run("pkill -KILL 'feh|mpv|perl|x11perf' && sleep 0.5; true");
}

export const workloads: readonly Workload[] = [
  {
    name: 'text console',
    run: async (desktop, look) => {
      await showText(desktop, 'dmesg | tail -80; seq 1 100');
      await look('text');
      await desktop.run(`${onTerminal(7)}sleep 1.5`);
      await look('the desktop again');
    },
  },
  {
    name: 'xterm scrolling',
    run: async (desktop, look) => {
      await scroll(desktop);
      await look('scrolled');
    },
  },
  {
    name: 'window moves',
    run: async (desktop, look) => {
      await drag(desktop);
      await look('moved');
      await desktop.run(withTerminal('windowsize 600 300 windowmove 40 60'), patienceMs);
      await look('made larger');
    },
  },
  {
    name: 'image viewer',
    run: async (desktop, look) => {
      await showPhoto(desktop);
      await look('a photo');
      await desktop.run('pkill feh; sleep 0.2');
      const before = await desktop.screendump();
      await desktop.run(started('feh -F -Z /root/photo-2.ppm'));
      await untilShown(desktop, before, 600_000);
      await look('another on the whole screen');
      await desktop.run('pkill feh; sleep 0.2');
      await look('its window is gone');
    },
  },
  {
    name: 'video',
    run: async (desktop, look) => {
      await playVideo(desktop, videoPlace, '256x192:70', '320x200:50');
      await untilVideoEnds(desktop);
      await look('its last picture stays');
      await desktop.run('pkill -KILL perl');
      let before = await desktop.screendump();
      await playVideo(desktop, videoPlace, '320x200:5000');
      await untilShown(desktop, before, 50_000);
      await pause(3000);
      before = await desktop.screendump();
      await playVideo(desktop, coveringPlace, '256x192:5000');
      // What it covers of the other is there already.
      await untilShown(desktop, before, 40_000);
      await pause(4000);
      await desktop.run('pkill -STOP perl');
      await look('stopped, with another upon it');
      await desktop.run('pkill -KILL perl');
      await look('their windows are gone');
    },
  },
  {
    name: 'video player',
    run: async (desktop, look) => {
      const { widthPx, heightPx } = desktopVideo;
      const raw = `--demuxer=rawvideo --demuxer-rawvideo-w=${widthPx} --demuxer-rawvideo-h=${heightPx} --demuxer-rawvideo-mp-format=bgr0 --demuxer-rawvideo-fps=15`;
      const before = await desktop.screendump();
      // Not scaled: under emulation that takes longer than a picture is shown.
      await desktop.run(
        started(
          `mpv --no-config --vo=x11 --no-audio --no-osc --osd-level=0 --loop-file=inf --geometry=${widthPx}x${heightPx}+150+90 ${raw} /root/video.bgr0`,
        ),
      );
      await untilShown(desktop, before, 50_000);
      await pause(5000);
      await desktop.run('pkill -STOP mpv');
      await look('in the middle');
      await desktop.run('pkill -KILL mpv; sleep 0.2');
      await look('its window is gone');
    },
  },
  ...Object.entries(primitives).map(([kind, drawn]) => ({ name: `x11perf ${kind}`, run: drawing(drawn) })),
];
