/** The console's keyboard against a guest that prints what its own keyboard controller gets. */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { cacheDirectory } from '../../build/places.ts';
import { ensureStarter, type StarterPaths } from '../../build/starter/make.ts';
import { Keyboard, type KeyEvent } from '../../renderer/console/keyboard/keyboard.ts';
import { board105, keysNewToQemu, mediaKeys, nationalKeys } from '../support/keyboard-boards.ts';
import { openSpiceClient } from '../support/spice-client.ts';
import { startSpiceMachine } from '../support/spice-machine.ts';
import { until } from '../support/until.ts';

let starter: StarterPaths;

beforeAll(async () => {
  starter = await ensureStarter(cacheDirectory(), () => undefined);
}, 400_000);

function key(code: string, held: string[] = []): KeyEvent {
  return {
    code,
    key: '',
    timeStamp: 0,
    shiftKey: held.includes('shift'),
    ctrlKey: held.includes('ctrl'),
    altKey: held.includes('alt'),
    metaKey: held.includes('meta'),
    getModifierState: () => false,
  };
}

/** A guest, its keyboard, and what of it arrives there: hex, as it came, since the last time that it was asked. */
async function startTypist() {
  const machine = await startSpiceMachine((folder) => [
    '-m',
    '256',
    '-device',
    'VGA',
    '-serial',
    `unix:${join(folder, 'serial')},server=on,wait=off`,
    '-drive',
    `if=none,id=disk,format=qcow2,snapshot=on,file=${starter.diskPath}`,
    '-device',
    'virtio-blk-pci,drive=disk',
  ]);
  const serial = createConnection(join(machine.folder, 'serial'));
  onTestFinished(() => void serial.destroy());
  let heard = '';
  serial.on('data', (bytes) => {
    heard += bytes.toString();
  });
  const tell = (line: string) => void serial.write(`${line}\n`);
  await until(
    'the shell answers',
    async () => {
      tell('echo $((6*7))');
      await pause(500);
      return heard.includes('\n42');
    },
    120_000,
  );
  const client = openSpiceClient(machine.socketPath);
  onTestFinished(() => client.close());
  await until('a picture', () => client.size, 20_000);
  // The bytes as they come from the controller, and not made again from what the kernel took them for; and no combination makes it start anew.
  tell('modprobe evdev; echo 0 > /proc/sys/kernel/sysrq; sed -i /ctrlaltdel/d /etc/inittab; kill -HUP 1');
  tell('echo -n 0 > /sys/devices/platform/i8042/serio0/softraw; sleep 1');
  tell("hexdump -v -e '24/1 \"%02x\" \"\\n\"' /dev/input/$(grep -A4 'AT Translated' /proc/bus/input/devices | grep -o 'event[0-9]*')");
  await pause(1500);
  const keyboard = new Keyboard({
    platform: 'linux',
    send: (input) => input.kind === 'key' && client.session.input(input),
    release: () => undefined,
  });
  /** `struct input_event` of 24 bytes: EV_MSC with MSC_RAW says one byte of the keyboard. */
  const arrived = () => [...heard.matchAll(/^[0-9a-f]{32}04000300([0-9a-f]{2})0{6}/gm)].map((match) => match[1]).join('');
  await until(
    'the guest listens',
    async () => {
      keyboard.keyDown(key('ShiftLeft'));
      keyboard.keyUp(key('ShiftLeft'));
      await pause(500);
      return arrived().endsWith('aa');
    },
    20_000,
  ).catch((error: unknown) => {
    throw new Error(heard.slice(-2000), { cause: error });
  });
  /** What arrives of what is done; `wanted` says when all of it has. */
  const arrivesOf = async (what: () => void, wanted: string) => {
    heard = '';
    what();
    await until('the bytes arrive', () => arrived().length >= wanted.length, 4_000).catch(() => undefined);
    return arrived();
  };
  return { keyboard, arrivesOf, client };
}

const released = (make: string) => `${make.slice(0, -2)}${(Number.parseInt(make.slice(-2), 16) | 0x80).toString(16)}`;

test('every key of a board arrives in a guest as its own scan code, pressed and let go', { timeout: 240_000 }, async () => {
  const { keyboard, arrivesOf } = await startTypist();
  const wanted: Record<string, string> = {};
  const came: Record<string, string> = {};
  for (const [code, make] of Object.entries({ ...board105, ...nationalKeys, ...mediaKeys })) {
    if (keysNewToQemu.has(code)) continue;
    wanted[code] = make.startsWith('e1') ? make : make + released(make);
    // A keyboard says it with a Shift around it. The kernel tells of that Shift's end with the next key: a space.
    if (code === 'PrintScreen') wanted[code] = 'e02ae037e0b7e0aa39b9';
    came[code] = await arrivesOf(() => {
      for (const pressed of code === 'PrintScreen' ? [code, 'Space'] : [code]) {
        keyboard.keyDown(key(pressed));
        keyboard.keyUp(key(pressed));
      }
    }, wanted[code]);
  }
  expect(came).toEqual(wanted);
  expect(Object.keys(came).length).toBeGreaterThan(130);
  expect(await arrivesOf(() => keyboard.chord(['AltLeft', 'PrintScreen']), '38b83854d4b838b8')).toMatch(/54.*d4/);
  expect(await arrivesOf(() => keyboard.chord(['ControlLeft', 'Pause']), '1de046e0c69d')).toBe('1de046e0c69d');
  expect(await arrivesOf(() => keyboard.chord(['ControlLeft', 'AltLeft', 'Delete']), '1d38e053e0d3b89d')).toBe('1d38e053e0d3b89d');
});
