/** Several monitors over one SPICE session: each is drawn as QEMU says that it is, and the guest has those that it is asked for. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { differingPixels } from '../support/png.ts';
import { openSpiceClient, pixelsOf, type SpiceClient } from '../support/spice-client.ts';
import type { SpiceMachine } from '../support/spice-machine.ts';
import { startSpiceStarter } from '../support/spice-starter.ts';
import { until } from '../support/until.ts';

/** Each of so many monitors equals QEMU's screendump of it. */
async function untilAllEqual(client: SpiceClient, machine: SpiceMachine, count: number): Promise<void> {
  let differing: number[] = [];
  await until('each monitor equals its screendump', async () => {
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
  }).catch((error: unknown) => {
    throw new Error(`${client.heads.length} monitors; ${differing.join(', ')} pixels differ`, { cause: error });
  });
}

/** The starter guest with a way for an agent of the console. */
const startStarter = (device: string) =>
  startSpiceStarter(
    () => [
      ...['-device', device, '-device', 'virtio-tablet-pci'],
      ...['-chardev', 'spicevmc,id=vdagent,name=vdagent', '-device', 'virtserialport,chardev=vdagent,name=com.redhat.spice.0'],
    ],
    ',streaming-video=off',
  );

test('a card with two outputs is two monitors, which are asked for, sized and switched off each for itself', async () => {
  const machine = await startStarter('virtio-vga,id=video0,max_outputs=2');
  await machine.run('echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  let client = openSpiceClient(machine.socketPath);
  await until('a picture', () => client.size);
  // The second is off: QEMU shows that it is.
  await untilAllEqual(client, machine, 2);
  const outputs = async () => (await machine.run('cat /sys/class/drm/card*-*/status')).trim().split(/\s+/);
  expect(await outputs()).toEqual(['connected', 'disconnected']);

  // An agent that has opened its channel.
  await machine.run(
    '(sleep 1000 <>/dev/$(basename $(dirname $(grep -lx com.redhat.spice.0 /sys/class/virtio-ports/*/name))) >/dev/null 2>&1 &)',
  );
  await until('the agent is there', () => client.agent);
  client.session.resize({ widthPx: 1024, heightPx: 768 });
  client.session.setMonitors(2);
  client.session.resize({ widthPx: 800, heightPx: 600 }, 1);
  await until('both are on', async () => (await outputs()).join(' ') === 'connected connected');
  const preferred = async (output: number) => (await machine.run(`head -n 1 /sys/class/drm/card*-Virtual-${output}/modes`)).trim();
  await until('the first has its size', async () => (await preferred(1)) === '1024x768');
  await until('the second has its own', async () => (await preferred(2)) === '800x600');
  await machine.run('(clear; seq 1 40) > /dev/tty1');
  await untilAllEqual(client, machine, 2);

  // Packed pictures that the channels share: what one was sent the other may refer to.
  for (const compression of ['glz', 'auto_glz'] as const) {
    client.close();
    client = openSpiceClient(machine.socketPath, { compression });
    await until('a picture', () => client.size);
    await machine.run(`(clear; seq 1 20; echo ${compression}) > /dev/tty1`);
    await untilAllEqual(client, machine, 2);
  }

  client.session.resize({ widthPx: 1024, heightPx: 768 });
  client.session.setMonitors(1);
  await until('the second is off', async () => (await outputs()).join(' ') === 'connected disconnected');
  await untilAllEqual(client, machine, 2);
  client.close();
  expect(client.end).toBeNull();
});
