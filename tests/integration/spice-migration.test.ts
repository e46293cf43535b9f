/** Our SPICE client while a guest moves from one QEMU to another: it goes along with all its channels, and stays when the guest stays. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { cacheDirectory } from '../../build/places.ts';
import { ensureStarter, type StarterPaths } from '../../build/starter/make.ts';
import type { SpicePlace } from '../../renderer/console/spice/open-channels.ts';
import type { SoundHost } from '../../renderer/console/spice/session-host.ts';
import { differingPixels } from '../support/png.ts';
import { withoutRepeats } from '../support/serial-text.ts';
import { openSpiceClient, pixelsOf, type SpiceClient } from '../support/spice-client.ts';
import { type SpiceMachine, startSpiceMachine } from '../support/spice-machine.ts';
import { readsPort } from '../support/starter-guest.ts';
import { expectTyped, untilKeysRead } from '../support/typed-keys.ts';
import { until } from '../support/until.ts';

let starter: StarterPaths;

beforeAll(async () => {
  starter = await ensureStarter(cacheDirectory(), () => undefined);
}, 400_000);

/** main, two displays, inputs, two cursors, playback and record. */
const channelCount = 8;
const password = 'sesame';

type Machine = SpiceMachine & {
  /** The shell on the serial port runs it; what it says. */
  ask(command: string, deadlineMs?: number): Promise<string>;
};

/**
 * The starter guest with two monitors, sound and a port for an agent, or a QEMU that waits for it to arrive. Its memory lies in a file, so that the
 * guest can move without being copied: QEMU 7.2 loses pages that an emulated guest changes while they are copied.
 */
async function startMachine(folder: string, seamless: boolean, incoming = true): Promise<Machine> {
  const memory = `memory-backend-file,id=memory,size=256M,share=on,mem-path=${join(folder, 'memory')}`;
  const words = (own: string) => [
    ...['-m', '256', '-object', memory, '-machine', 'memory-backend=memory', '-object', `secret,id=ticket,data=${password}`],
    ...['-device', 'virtio-vga,id=video0,max_outputs=2', '-device', 'virtio-tablet-pci', '-device', 'virtio-serial-pci'],
    ...['-chardev', 'spicevmc,id=agent,name=vdagent', '-device', 'virtserialport,chardev=agent,name=com.redhat.spice.0'],
    ...['-audiodev', 'spice,id=sound', '-device', 'intel-hda', '-device', 'hda-duplex,audiodev=sound,mixer=off'],
    ...['-serial', `unix:${join(own, 'serial')},server=on,wait=off`],
    ...['-drive', `if=none,id=disk,format=qcow2,file=${join(folder, 'disk.qcow2')}`, '-device', 'virtio-blk-pci,drive=disk'],
    ...(incoming ? ['-incoming', 'defer'] : []),
  ];
  const machine = await startSpiceMachine(
    words,
    `,disable-ticketing=off,password-secret=ticket,streaming-video=off,seamless-migration=${seamless ? 'on' : 'off'}`,
  );
  const serial = createConnection(join(machine.folder, 'serial'));
  onTestFinished(() => void serial.destroy());
  serial.on('error', () => undefined);
  let heard = '';
  serial.on('data', (bytes) => {
    heard += bytes.toString();
  });
  let number = 0;
  const ask = async (command: string, deadlineMs = 60_000) => {
    const mark = [...String(++number)].join('-');
    // The line itself, which is echoed, has quotes in it.
    serial.write(`echo b"e"gin${mark}; ${command}; echo e"n"d${mark}\n`);
    const answer = new RegExp(`begin${mark}\\r?\\n([^]*?)end${mark}`);
    return until(`the answer to ${command}`, () => answer.exec(withoutRepeats(heard)), deadlineMs).then((found) => found[1] as string);
  };
  return { ...machine, ask };
}

/** A client that hears the guest; and when it did last. */
function openClient(pathAt: (place: SpicePlace) => string | null): { client: SpiceClient; heardAt: () => number } {
  let heardAt = 0;
  const sound: SoundHost = {
    opus: null,
    opusEncoder: null,
    delayMs: null,
    playbackLatency: () => undefined,
    playbackOpened: () => undefined,
    playbackStarted: () => undefined,
    played: () => {
      heardAt = performance.now();
    },
    playbackStopped: () => undefined,
    playbackVolume: () => undefined,
    playbackMuted: () => undefined,
    recordStarted: () => undefined,
    recordStopped: () => undefined,
    recordVolume: () => undefined,
    recordMuted: () => undefined,
  };
  const client = openSpiceClient('', { password }, sound, { pathAt });
  onTestFinished(() => client.close());
  return { client, heardAt: () => heardAt };
}

async function untilEqual(client: SpiceClient, machine: Machine): Promise<void> {
  let differing: number[] = [];
  await until('both monitors equal their screendumps', async () => {
    if (client.end) throw new Error(`the session ended: ${client.end.text} ${client.end.detail}`);
    await pause(150);
    differing = [];
    for (const head of [0, 1]) {
      const surface = client.screens[head];
      if (!surface) return false;
      const dump = await machine.screendump({ device: 'video0', head });
      differing.push(differingPixels(pixelsOf(surface), dump));
    }
    return differing.every((pixels) => pixels === 0);
  }).catch((error: unknown) => {
    throw new Error(`${differing.join(' and ')} pixels differ`, { cause: error });
  });
}

const rows: [number, string][] = [
  [0x02, '1234567890-='],
  [0x10, 'qwertyuiop'],
  [0x1c, '\n'],
  [0x1e, 'asdfghjkl'],
  [0x2c, 'zxcvbnm,./'],
  [0x39, ' '],
];
const scancodes = new Map(rows.flatMap(([first, keys]) => [...keys].map((key, index): [string, number] => [key, first + index])));
const shift = 0x2a;
const control = 0x1d;

function hold(client: SpiceClient, scancode: number, down: boolean): void {
  client.session.input({ kind: 'key', scancode: [scancode], down });
}

async function press(client: SpiceClient, keys: string): Promise<void> {
  for (const key of keys) {
    hold(client, scancodes.get(key) as number, true);
    await pause(30);
    hold(client, scancodes.get(key) as number, false);
    await pause(60);
  }
}

/** The same, no faster than the guest reads them. */
async function pressAtItsPace(client: SpiceClient, at: Machine, keys: string): Promise<void> {
  // Characters that come twice come once by the serial line, so none is to stand beside its like.
  const ask = async (script: string) => (await at.ask(`${script} | sed 's/./&~/g'`)).replaceAll('~', '');
  for (const few of keys.match(/.{1,4}/gs) ?? []) await untilKeysRead(ask, 2 * few.length, () => press(client, few));
}

/** Types and moves the pointer until it is told to stop; the answer is what was typed. */
function keepTyping(client: SpiceClient): () => Promise<string> {
  let typed = '';
  let going = true;
  const done = (async () => {
    for (let count = 0; going; count++) {
      const key = 'asdfghjkl'[count % 9] as string;
      typed += key;
      client.session.input({ kind: 'position', xPx: 10 + (count % 50), yPx: 20 });
      await press(client, key);
    }
  })();
  return async () => {
    going = false;
    await done;
    return typed;
  };
}

async function statusOf(machine: Machine): Promise<string> {
  return ((await machine.qmp('query-migrate')) as { status?: string }).status ?? 'none';
}

/** Tells the guest's screen to where it goes, as libvirt does, when the client has answered; what it is told is no place that the client goes to. */
async function announce(from: Machine, client: SpiceClient): Promise<void> {
  const before = client.answers;
  await from.qmp('client_migrate_info', { protocol: 'spice', hostname: '192.0.2.1', port: 1 });
  await until('the client has answered', () => client.answers > before);
}

/** `shared`: the memory stays where it is. */
async function migrate(from: Machine, to: Machine, shared: boolean): Promise<void> {
  for (const machine of [from, to])
    await machine.qmp('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: shared }] });
  const uri = `unix:${join(to.folder, 'incoming')}`;
  await to.qmp('migrate-incoming', { uri });
  await from.qmp('migrate-set-parameters', { 'max-bandwidth': shared ? 100_000_000 : 100_000 });
  await from.qmp('migrate', { uri });
  if (!shared) return;
  await until('it has moved', async () => (await statusOf(from)) === 'completed');
  await until('it runs there', async () => ((await to.qmp('query-status')) as { running: boolean }).running);
}

test('a console goes along with its guest, seamlessly or not, and stays with it when the move is cancelled or its target dies', async () => {
  const folder = mkdtempSync('/tmp/gh-move-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', starter.diskPath, join(folder, 'disk.qcow2')]);
  let at = await startMachine(folder, true, false);
  const paths: Record<SpicePlace, string | null> = { home: at.socketPath, moved: null };
  await until(
    'the shell answers',
    () =>
      at.ask('true', 5000).then(
        () => true,
        () => false,
      ),
    120_000,
  );
  const { client, heardAt } = openClient((place) => paths[place]);
  await until('a picture', () => client.size);
  await at.ask('echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  const port = '/dev/$(basename $(dirname $(grep -lx com.redhat.spice.0 /sys/class/virtio-ports/*/name)))';
  await until(
    'its devices are there',
    async () => (await at.ask(`[ -c ${port} ] && [ -c /dev/dsp ] && echo there`)).includes('there'),
    60_000,
  );
  await at.ask(`((${readsPort}) 3<>${port} > /tmp/agent &)`);
  await at.ask("for i in $(seq 500); do printf '\\200\\300\\300\\300\\200\\100\\100\\100'; done > /tmp/tone");
  await at.ask('(while :; do cat /tmp/tone; done > /dev/dsp &)');
  await until('the agent is there', () => client.agent);
  await untilEqual(client, at);
  const channels = () => client.session.details.channels;
  expect(channels()).toHaveLength(channelCount);
  const asked = () => client.places.length;

  // Cancelled, and then a target that dies: the guest stays, and its console with it.
  for (const end of ['cancel', 'kill'] as const) {
    const before = asked();
    const target = await startMachine(folder, true);
    paths.moved = target.socketPath;
    await announce(at, client);
    await migrate(at, target, false);
    await until('the guest is on its way', async () => (await statusOf(at)) === 'active');
    if (end === 'cancel') await at.qmp('migrate_cancel');
    else target.qemu.kill('SIGKILL');
    await until('it stays', async () => ['cancelled', 'failed'].includes(await statusOf(at)));
    target.qemu.kill('SIGKILL');
    await at.ask(`(echo ${end}; seq 1 40) > /dev/tty1`);
    await untilEqual(client, at);
    expect(channels()).toHaveLength(channelCount);
    expect(client.places.slice(before)).toEqual(Array(channelCount).fill('moved'));
  }

  // From one to the next, while it prints, plays and is typed to: where the servers hand each other their state, where they do not, and where
  // the client could not reach the target beforehand.
  for (const how of ['seamless', 'anew', 'switch'] as const) {
    const before = asked();
    // It is the server that is left which hands its state on, or does not.
    const target = await startMachine(folder, false);
    const place = how === 'anew' ? 'home' : 'moved';
    paths[place] = how === 'switch' ? null : target.socketPath;
    await at.ask(`rm -f /tmp/stop; (while [ ! -e /tmp/stop ]; do date; usleep 200000; done > /dev/tty1 &)`);
    // The shell on the screen writes into a file what is typed.
    await pressAtItsPace(client, at, `dd of=/tmp/${how}\n`);
    const stop = keepTyping(client);
    await announce(at, client);
    await pause(500);
    hold(client, shift, true);
    paths[place] = target.socketPath;
    await migrate(at, target, true);
    await until('the channels are there', () => asked() === before + channelCount + (how === 'switch' ? 1 : 0));
    expect((await at.qmp('query-status')) as { status: string }).toMatchObject({ status: 'postmigrate' });
    await pause(500);
    at.qemu.kill('SIGKILL');
    at = target;
    await pause(1500);
    // None is lost on the way, and none is stuck after it.
    const typed = await stop();
    hold(client, shift, false);
    await pressAtItsPace(client, at, 'qwe\n');
    hold(client, control, true);
    await press(client, 'd');
    hold(client, control, false);
    expect(client.end).toBeNull();
    expect([...channels()].sort()).toEqual(['cursor', 'cursor', 'display', 'display', 'inputs', 'main', 'playback', 'record']);
    const arrived = (await at.ask(`cat /tmp/${how}`)).trim();
    const begin = /[A-Z]/.exec(typed)?.index ?? typed.length;
    // Whoever has to connect anew types to nobody meanwhile.
    expectTyped(arrived.toLowerCase(), `${typed}qwe`, how === 'switch' ? 40 : 6);
    expect(arrived).toMatch(/^[a-z]+[A-Z]+qwe$/);
    expect(begin).toBeGreaterThan(0);
    const since = performance.now();
    await until('the guest is heard', () => heardAt() > since);
    expect(client.agent).toBe(true);
    await at.ask(': > /tmp/agent');
    // What this side can do is another thing with a clipboard, and said at once.
    client.session.setClipboardPolicy('both');
    client.session.setClipboardPolicy('off');
    await until('the agent hears of it', async () => (await at.ask('[ -s /tmp/agent ] && echo heard')).includes('heard'));
    await at.ask('touch /tmp/stop');
    await pause(500);
    await untilEqual(client, at);
  }
});
