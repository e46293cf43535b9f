/** The console's keyboard against a guest that prints what its own keyboard controller gets. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { controllerIsEmpty } from '../../main/engine/drivers/qemu/keyboard.ts';
import { Keyboard, type KeyEvent } from '../../renderer/console/keyboard/keyboard.ts';
import { connectTo } from '../support/json-lines.ts';
import { board105, keysNewToQemu, mediaKeys, nationalKeys } from '../support/keyboard-boards.ts';
import { openSpiceClient } from '../support/spice-client.ts';
import { startSpiceStarter } from '../support/spice-starter.ts';
import { until } from '../support/until.ts';

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

/** Of a port of the guest that nothing else writes to; named, since the guest numbers them as it likes. */
const keysPort = 'test.keys';

/** A guest, its keyboard, and what of it arrives there: hex, as it came, since the last time that it was asked. */
async function startTypist() {
  const machine = await startSpiceStarter((folder) => [
    ...['-device', 'VGA', '-chardev', `socket,id=keys,path=${join(folder, 'keys')},server=on,wait=off`],
    ...['-device', `virtserialport,chardev=keys,name=${keysPort}`],
  ]);
  const port = await connectTo(join(machine.folder, 'keys'));
  onTestFinished(() => void port.destroy());
  let heard = Buffer.alloc(0);
  port.on('data', (bytes) => {
    heard = Buffer.concat([heard, bytes]);
  });
  const client = openSpiceClient(machine.socketPath);
  onTestFinished(() => client.close());
  await until('a picture', () => client.size);
  // The bytes as they come from the controller, and not made again from what the kernel took them for; and no combination makes it start anew.
  await machine.run('modprobe evdev; echo 0 > /proc/sys/kernel/sysrq; sed -i /ctrlaltdel/d /etc/inittab; kill -HUP 1');
  await machine.run('echo -n 0 > /sys/devices/platform/i8042/serio0/softraw');
  const events = "/dev/input/$(grep -A4 'AT Translated' /proc/bus/input/devices | grep -o 'event[0-9]*')";
  await until('the guest has its keyboard', async () => (await machine.run(`ls ${events} || true`)).includes('event'));
  const out = `/dev/$(basename $(dirname $(grep -lx ${keysPort} /sys/class/virtio-ports/*/name)))`;
  await machine.run(`cat ${events} > ${out} 2> /dev/null &`);
  const keyboard = new Keyboard({
    platform: 'linux',
    send: (input) => input.kind === 'key' && client.session.input(input),
    release: () => undefined,
  });
  /** `struct input_event` of 24 bytes, of which 16 are the time: EV_MSC with MSC_RAW says one byte of the keyboard. */
  const arrived = () => {
    const raw: string[] = [];
    for (let at = 0; at + 24 <= heard.length; at += 24)
      if (heard.readUInt16LE(at + 16) === 4 && heard.readUInt16LE(at + 18) === 3) raw.push(heard.toString('hex', at + 20, at + 21));
    return raw.join('');
  };
  await until('the guest listens', async () => {
    keyboard.keyDown(key('ShiftLeft'));
    keyboard.keyUp(key('ShiftLeft'));
    await pause(500);
    return arrived().endsWith('aa');
  }).catch((error: unknown) => {
    throw new Error(`The guest's keyboard said ${heard.toString('hex')}`, { cause: error });
  });
  /** What arrives of what is done; `wanted` says when all of it has. */
  const arrivesOf = async (what: () => void, wanted: string) => {
    heard = heard.subarray(heard.length - (heard.length % 24));
    what();
    await until('the bytes arrive', () => arrived().length >= wanted.length, 40_000).catch(() => undefined);
    return arrived();
  };
  return { keyboard, arrivesOf, client };
}

const released = (make: string) => `${make.slice(0, -2)}${(Number.parseInt(make.slice(-2), 16) | 0x80).toString(16)}`;

test('every key of a board arrives in a guest as its own scan code, pressed and let go', async () => {
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

const line = 'qwertyuiop'.repeat(8);

/** A guest that keeps in a file the lines that are typed on its screen, by a client that asks QEMU what the guest has read. */
async function startReader() {
  const machine = await startSpiceStarter(() => ['-device', 'VGA']);
  const keysRead = async () => controllerIsEmpty((await machine.qmp('human-monitor-command', { 'command-line': 'i /b 0x64' })) as string);
  const client = openSpiceClient(machine.socketPath, {}, undefined, { keysRead });
  onTestFinished(() => client.close());
  await until('a picture', () => client.size);
  // A terminal of its own: those of the kernel hold much more than a keyboard does.
  await machine.run('cat < /dev/tty7 > /tmp/typed 2> /dev/null & chvt 7');
  const keyboard = new Keyboard({ platform: 'linux', send: (input) => client.session.input(input), release: () => undefined });
  const press = (code: string) => {
    keyboard.keyDown(key(code));
    keyboard.keyUp(key(code));
  };
  await until('the guest listens', async () => {
    press('Enter');
    await pause(300);
    return (await machine.run('cat /tmp/typed')).endsWith('\n');
  });
  /** Types the line in an instant, after `first`: what of it arrives. */
  const arrives = async (first: () => Promise<void>) => {
    const before = (await machine.run('cat /tmp/typed')).length;
    await first();
    for (const letter of line) press(`Key${letter.toUpperCase()}`);
    press('Enter');
    let typed = '';
    await until('the line arrives', async () => {
      // Of those that asked whether the guest listens some may come late.
      typed = (await machine.run('cat /tmp/typed')).slice(before).replace(/^\n+/, '');
      return typed.endsWith('\n');
    }).catch(() => undefined);
    return typed;
  };
  return { machine, arrives };
}

test('a line that is typed while QEMU stands still arrives whole and in order, and so does one that is typed in an instant', async () => {
  const { arrives, machine } = await startReader();
  const { pid } = machine.qemu;
  for (const standsMs of [0, 200, 2000]) {
    const typed = await arrives(async () => {
      if (standsMs === 0) return;
      machine.qemu.kill('SIGSTOP');
      await until('QEMU stands still', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T '));
      setTimeout(() => machine.qemu.kill('SIGCONT'), standsMs);
    });
    expect(typed, `after ${standsMs} ms`).toBe(`${line}\n`);
  }
});
