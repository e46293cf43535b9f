/** Our SPICE client against QEMU's server: what it draws is what QEMU says that the screen shows. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startRecorder } from '../../bench/spice/recorder.ts';
import { type ImageCompression, imageCompression } from '../../renderer/console/spice/channels/display-channel.ts';
import { differingPixels } from '../support/png.ts';
import { openSpiceClient, pixelsOf, type SpiceClient } from '../support/spice-client.ts';
import type { SpiceMachine } from '../support/spice-machine.ts';
import { hashOf, opaquePixels } from '../support/spice-pictures.ts';
import type { RecordedSession } from '../support/spice-recording.ts';
import { startSpiceStarter } from '../support/spice-starter.ts';
import { until } from '../support/until.ts';

async function untilEqual(client: SpiceClient, machine: SpiceMachine, deadlineMs = 60_000): Promise<void> {
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

/** A folder for recordings of the sessions, to be taken among `tests/fixtures/spice/sessions`; nothing is kept without it. */
const recordings = process.env.GUESTHOUSE_SPICE_RECORDINGS;

/** Stands between a client and the machine, and keeps what the server says and what its screen shows in the end. */
async function record(folder: string, machine: SpiceMachine, device: string, compression: string) {
  const name = `${device}-${compression}`;
  const socketPath = join(machine.folder, `${compression}.tap`);
  const recorder = await startRecorder(socketPath, machine.socketPath, join(folder, `${name}.rec.gz`));
  const finish = async (packings: string[]) => {
    const screen = await machine.screendump();
    await recorder.close();
    const about: Omit<RecordedSession, 'name'> = {
      guest: 'text console',
      options: `${device}, preferred compression ${compression}`,
      width: screen.widthPx,
      height: screen.heightPx,
      packings,
      screendumpSha256: hashOf(opaquePixels(screen)),
    };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ [name]: about }, null, 2));
  };
  return { socketPath, finish };
}

for (const device of ['virtio-vga', 'VGA', 'qxl-vga'])
  test(`what is drawn of a guest with ${device} equals QEMU’s screendump, however pictures are packed`, async () => {
    const machine = await startSpiceStarter(() => ['-device', device, '-device', 'virtio-tablet-pci'], ',streaming-video=off');
    await machine.run('echo 0 > /sys/class/graphics/fbcon/cursor_blink');
    for (const compression of Object.keys(imageCompression) as ImageCompression[]) {
      const recording = recordings ? await record(recordings, machine, device, compression) : null;
      const client = openSpiceClient(recording?.socketPath ?? machine.socketPath, { compression });
      await until('a picture', () => client.size);
      await untilEqual(client, machine);
      await machine.run(`clear > /dev/tty1; (echo ${compression}; seq 1 60; dmesg) > /dev/tty1`);
      await untilEqual(client, machine);
      expect(client.pointer).toBe('absolute');
      const packings = client.session.details.pictures.map(({ packing }) => packing);
      client.close();
      expect(client.end).toBeNull();
      await recording?.finish(packings);
    }
  });
