/**
 * The Debian desktop in a bare QEMU, up and at rest in a moment: it is started once for each display device, and its state is kept beside its
 * disk.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { runCommand } from '../../build/starter/commands.ts';
import type { DesktopDisk } from './desktop-disk.ts';
import { connectTo, JsonLines, runByAgent } from './json-lines.ts';
import { differingPixels } from './png.ts';
import { type SpiceMachine, startSpiceMachine } from './spice-machine.ts';
import { until } from './until.ts';

export type DisplayDevice = 'qxl-vga' | 'virtio-vga' | 'VGA';

export type DesktopMachine = SpiceMachine & {
  /** Runs a shell script in the guest and gives what it said. Throws when it ends with anything but 0. */
  run(script: string, deadlineMs?: number): Promise<string>;
};

/** A minute without hardware help on a quiet machine, and many on one that does other things first. */
const firstDeadlineMs = 1_200_000;

type KeptState = { overlay: string; memory: string };

/** The desktop with that display device, as it was when it had come up. `spice` are options of the server. The first time takes minutes. */
export async function startDesktop(
  desktop: DesktopDisk,
  device: DisplayDevice,
  spice: string,
  log: (line: string) => void,
): Promise<DesktopMachine> {
  const { overlay, memory } = await keptState(desktop, device, log);
  const machine = await startSpiceMachine(
    (folder) => [...wordsOf(folder, desktop, device, overlay, 'snapshot=on'), '-incoming', `exec:cat ${memory}`],
    spice,
    // The server has this for trying things out: each client has pictures packed as it asked for, and all look at one guest.
    { SPICE_DEBUG_ALLOW_MC: '1' },
  );
  await until('the state is read', async () => ((await machine.qmp('query-status')) as { status: string }).status !== 'inmigrate', 120_000);
  await machine.qmp('cont');
  return withAgent(machine);
}

function wordsOf(folder: string, { kernel, initrd }: DesktopDisk, device: DisplayDevice, disk: string, options: string): string[] {
  const words = ['-cpu', 'max', '-m', '768', '-device', device, '-device', 'virtio-tablet-pci', '-kernel', kernel, '-initrd', initrd];
  words.push('-append', 'root=/dev/vda rw quiet vt.global_cursor_default=0');
  words.push('-drive', `if=none,id=disk,format=qcow2,${options},file=${disk}`, '-device', 'virtio-blk-pci,drive=disk');
  words.push('-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,path=${join(folder, 'agent')},server=on,wait=off`);
  words.push('-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0');
  return words;
}

async function keptState(desktop: DesktopDisk, device: DisplayDevice, log: (line: string) => void): Promise<KeptState> {
  const version = await runCommand('qemu-system-x86_64', ['--version']);
  const recipe = createHash('sha256')
    .update(version)
    .update(JSON.stringify(wordsOf('', desktop, device, '', '')));
  const folder = join(desktop.disk, '..', `${device}-${recipe.digest('hex').slice(0, 16)}`);
  const state = { overlay: join(folder, 'disk.qcow2'), memory: join(folder, 'memory') };
  if (existsSync(folder)) return state;
  log(`The desktop with ${device} comes up for the first time…`);
  const half = `${folder}.${randomUUID()}`;
  await mkdir(half);
  try {
    const overlay = join(half, 'disk.qcow2');
    await runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', desktop.disk, overlay]);
    const machine = await startSpiceMachine((place) => wordsOf(place, desktop, device, overlay, 'cache=unsafe'));
    const { run } = await withAgent(machine, firstDeadlineMs);
    // Waited for in the guest, and with next to nothing: under emulation whatever asks takes from what it waits for. The terminal's program
    // makes the pipe; the window manager, which reads its fonts first, lists the windows that it has taken. What came from the X server while it
    // began it leaves lying until something else comes: with VGA the terminal's window is in that, so something else is made to come.
    await run('until test -p /root/orders; do sleep 2; done', firstDeadlineMs);
    await run(
      'export DISPLAY=:0; until xprop -root _NET_CLIENT_LIST | grep -q 0x; do sleep 5; xsetroot -name desktop; done',
      firstDeadlineMs,
    );
    await run('echo 0 > /sys/class/graphics/fbcon/cursor_blink; systemctl stop systemd-timesyncd 2>/dev/null; sync');
    await pause(5000);
    await untilStill(machine, 120_000);
    await machine.qmp('stop');
    await machine.qmp('migrate', { uri: `exec:cat > ${join(half, 'memory')}` });
    await until(
      'the state is written',
      async () => {
        const { status } = (await machine.qmp('query-migrate')) as { status: string };
        if (status === 'failed') throw new Error('QEMU could not write the state.');
        return status === 'completed';
      },
      300_000,
    );
    const ended = new Promise((settle) => machine.qemu.once('exit', settle));
    await machine.qmp('quit');
    await ended;
    await rename(half, folder);
    return state;
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

/** Settles when the screen has not changed for a while. */
export async function untilStill(machine: SpiceMachine, deadlineMs = 60_000): Promise<void> {
  let before = await machine.screendump();
  await until(
    'the screen is still',
    async () => {
      await pause(400);
      const now = await machine.screendump();
      const still = differingPixels(before, now) === 0;
      before = now;
      return still;
    },
    deadlineMs,
  );
}

async function withAgent(machine: SpiceMachine, deadlineMs = 120_000): Promise<DesktopMachine> {
  const socket = await connectTo(join(machine.folder, 'agent'));
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const agent = new JsonLines(socket);
  // Written into the port before the agent opens it, the question waits there for it.
  let answers = false;
  void agent.request('guest-ping').then(() => {
    answers = true;
  });
  await until('the guest’s agent answers', () => answers, deadlineMs);
  return { ...machine, run: async (script, orderMs = 120_000) => (await runByAgent(agent, script, orderMs)).toString() };
}
