/** Our SPICE client against QEMU's server: what it draws is what QEMU says that the screen shows. */
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

async function untilEqual(client: SpiceClient, machine: SpiceMachine, deadlineMs = 15_000): Promise<void> {
  let differing = -2;
  await until(
    'the surface equals the screendump',
    async () => {
      if (client.end) throw new Error(`the session ended: ${client.end.text} ${client.end.detail}`);
      if (!client.screen) return false;
      await pause(100);
      differing = differingPixels(pixelsOf(client.screen), await machine.screendump());
      return differing === 0;
    },
    deadlineMs,
  ).catch((error: unknown) => {
    throw new Error(`${differing} pixels differ`, { cause: error });
  });
}

for (const device of ['virtio-vga', 'VGA', 'qxl-vga'])
  test(`what is drawn of a guest with ${device} equals QEMU’s screendump`, { timeout: 180_000 }, async () => {
    const disk = ['-drive', `if=none,id=disk,format=qcow2,snapshot=on,file=${starter.diskPath}`, '-device', 'virtio-blk-pci,drive=disk'];
    const machine = await startSpiceMachine(
      ['-m', '256', '-device', device, '-device', 'virtio-tablet-pci', ...disk],
      ',image-compression=off,streaming-video=off',
    );
    const client = openSpiceClient(machine.socketPath);
    onTestFinished(() => client.close());
    await until('a picture', () => client.size, 20_000);
    await untilEqual(client, machine, 60_000);
    await pause(Number(process.env.WAITED ?? 20_000));
    await untilEqual(client, machine, 60_000);
    console.log(
      client.size,
      client.pointer,
      client.cursor,
      client.damages,
      client.received.map((pieces) => pieces.reduce((sum, piece) => sum + piece.byteLength, 0)),
    );
    expect(client.end).toBeNull();
  });
