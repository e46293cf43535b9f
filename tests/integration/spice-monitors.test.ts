/** Several monitors over one SPICE session: each is drawn as QEMU says that it is, and the guest has those that it is asked for. */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { cacheDirectory } from '../../build/places.ts';
import { ensureStarter, type StarterPaths } from '../../build/starter/make.ts';
import { differingPixels } from '../support/png.ts';
import { openSpiceClient, pixelsOf, type SpiceClient } from '../support/spice-client.ts';
import { type SpiceMachine, startSpiceMachine } from '../support/spice-machine.ts';
import { until } from '../support/until.ts';

let starter: StarterPaths;

beforeAll(async () => {
  starter = await ensureStarter(cacheDirectory(), () => undefined);
}, 400_000);

/** Each of so many monitors equals QEMU's screendump of it. */
async function untilAllEqual(client: SpiceClient, machine: SpiceMachine, count: number): Promise<void> {
  let differing: number[] = [];
  await until(
    'each monitor equals its screendump',
    async () => {
      if (client.end) throw new Error(`the session ended: ${client.end.text} ${client.end.detail}`);
      if (client.heads.length !== count) return false;
      await pause(150);
      differing = [];
      for (const head of client.heads) {
        const surface = client.screens[head.display];
        if (!surface) return false;
        differing.push(differingPixels(pixelsOf(surface, head), await machine.screendump({ device: 'video0', head: head.id })));
      }
      return differing.every((pixels) => pixels === 0);
    },
    20_000,
  ).catch((error: unknown) => {
    throw new Error(`${client.heads.length} monitors; ${differing.join(', ')} pixels differ`, { cause: error });
  });
}

/** The starter guest with a shell on its serial port and a way for an agent of the console. */
async function startStarter(device: string): Promise<SpiceMachine & { ask(command: string): Promise<string> }> {
  const machine = await startSpiceMachine(
    (folder) => [
      ...['-m', '256', '-device', device, '-device', 'virtio-tablet-pci', '-device', 'virtio-serial-pci'],
      ...['-chardev', 'spicevmc,id=agent,name=vdagent', '-device', 'virtserialport,chardev=agent,name=com.redhat.spice.0'],
      ...['-serial', `unix:${join(folder, 'serial')},server=on,wait=off`],
      ...['-drive', `if=none,id=disk,format=qcow2,snapshot=on,file=${starter.diskPath}`, '-device', 'virtio-blk-pci,drive=disk'],
    ],
    ',streaming-video=off',
  );
  const serial = createConnection(join(machine.folder, 'serial'));
  onTestFinished(() => void serial.destroy());
  let heard = '';
  let number = 0;
  serial.on('data', (bytes) => {
    heard += bytes.toString();
  });
  const ask = async (command: string, deadlineMs = 60_000) => {
    const mark = ++number;
    // What the shell echoes of this line is not yet the mark.
    serial.write(`echo $((1000+${mark}))begin; ${command}; echo $((1000+${mark}))end\n`);
    const answer = new RegExp(`\\n${1000 + mark}begin\\r?\\n([^]*?)${1000 + mark}end`);
    const { text } = await until(
      `the answer to ${command}`,
      () => {
        const text = answer.exec(heard)?.[1];
        return text === undefined ? null : { text };
      },
      deadlineMs,
    );
    return text;
  };
  await until(
    'the shell answers',
    () =>
      ask('true', 5000).then(
        () => true,
        () => false,
      ),
    120_000,
  );
  return { ...machine, ask };
}

test('a card with two outputs is two monitors, which are asked for, sized and switched off each for itself', {
  timeout: 240_000,
}, async () => {
  const machine = await startStarter('virtio-vga,id=video0,max_outputs=2');
  await machine.ask('echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  let client = openSpiceClient(machine.socketPath);
  await until('a picture', () => client.size, 20_000);
  // The second is off: QEMU shows that it is.
  await untilAllEqual(client, machine, 2);
  const outputs = async () => (await machine.ask('cat /sys/class/drm/card*-*/status')).trim().split(/\s+/);
  expect(await outputs()).toEqual(['connected', 'disconnected']);

  // An agent that has opened its channel.
  await machine.ask(
    '(sleep 1000 <>/dev/$(basename $(dirname $(grep -lx com.redhat.spice.0 /sys/class/virtio-ports/*/name))) >/dev/null 2>&1 &)',
  );
  await until('the agent is there', () => client.agent, 20_000);
  client.session.resize({ widthPx: 1024, heightPx: 768 });
  client.session.setMonitors(2);
  client.session.resize({ widthPx: 800, heightPx: 600 }, 1);
  await until('both are on', async () => (await outputs()).join(' ') === 'connected connected', 20_000);
  const preferred = async (output: number) => (await machine.ask(`head -n 1 /sys/class/drm/card*-Virtual-${output}/modes`)).trim();
  await until('the first has its size', async () => (await preferred(1)) === '1024x768', 20_000);
  await until('the second has its own', async () => (await preferred(2)) === '800x600', 20_000);
  await machine.ask('(clear; seq 1 40) > /dev/tty1');
  await untilAllEqual(client, machine, 2);

  // Packed pictures that the channels share: what one was sent the other may refer to.
  for (const compression of ['glz', 'auto_glz'] as const) {
    client.close();
    client = openSpiceClient(machine.socketPath, { compression });
    await until('a picture', () => client.size, 20_000);
    await machine.ask(`(clear; seq 1 20; echo ${compression}) > /dev/tty1`);
    await untilAllEqual(client, machine, 2);
  }

  client.session.resize({ widthPx: 1024, heightPx: 768 });
  client.session.setMonitors(1);
  await until('the second is off', async () => (await outputs()).join(' ') === 'connected disconnected', 20_000);
  await untilAllEqual(client, machine, 2);
  client.close();
  expect(client.end).toBeNull();
});
