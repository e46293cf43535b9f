/** Our SPICE client against QEMU's server: what a guest plays comes as it is, and what it records is what this side says. */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { cacheDirectory } from '../../build/places.ts';
import { ensureStarter } from '../../build/starter/make.ts';
import type { SoundFormat } from '../../renderer/console/spice/audio/sound-format.ts';
import { openSpiceClient } from '../support/spice-client.ts';
import { startSpiceMachine } from '../support/spice-machine.ts';
import { until } from '../support/until.ts';

/** What comes and goes unpacked: Node has no decoder for Opus. Without amplifiers the guest's card is neither silent nor soft. */
test('a guest is heard as it plays and hears what is said, sample by sample, where nothing packs sound', { timeout: 300_000 }, async () => {
  const starter = await ensureStarter(cacheDirectory(), () => undefined);
  const machine = await startSpiceMachine((folder) => [
    ...['-m', '256', '-device', 'virtio-vga', '-audiodev', 'spice,id=sound', '-device', 'intel-hda'],
    ...['-device', 'hda-duplex,audiodev=sound,mixer=off', '-serial', `unix:${join(folder, 'serial')},server=on,wait=off`],
    ...['-drive', `if=none,id=disk,format=qcow2,snapshot=on,file=${starter.diskPath}`, '-device', 'virtio-blk-pci,drive=disk'],
  ]);
  const serial = createConnection(join(machine.folder, 'serial'));
  onTestFinished(() => void serial.destroy());
  let said = '';
  serial.on('data', (bytes) => {
    said += bytes.toString();
  });
  /** Settles when the guest has answered `wanted`, which is not in the line itself. */
  const tell = (line: string, wanted: string) =>
    until(
      `the guest says ${wanted}`,
      async () => {
        if (!said.includes(wanted)) serial.write(`${line}\n`);
        await pause(1000);
        return said.includes(wanted);
      },
      120_000,
    );

  const played: Float32Array[] = [];
  let format: SoundFormat | null = null;
  let recording: SoundFormat | null = null;
  let stopped = false;
  const client = openSpiceClient(
    machine.socketPath,
    {},
    {
      opus: null,
      opusEncoder: null,
      delayMs: null,
      playbackLatency: () => undefined,
      playbackOpened: () => undefined,
      playbackStarted: (started) => {
        format = started;
      },
      played: (samples) => void played.push(samples),
      playbackStopped: () => {
        stopped = true;
      },
      playbackVolume: () => undefined,
      playbackMuted: () => undefined,
      recordStarted: (started) => {
        recording = started;
      },
      recordStopped: () => {
        recording = null;
      },
      recordVolume: () => undefined,
      recordMuted: () => undefined,
    },
  );
  onTestFinished(() => client.close());
  await tell('ls /dev/dsp && echo card-$((6*7))', 'card-42');

  // A square wave of 500 Hz at the 8 kHz and 8 bits that /dev/dsp begins with, for a second.
  serial.write(
    "for i in $(seq 500); do printf '\\200\\300\\300\\300\\300\\300\\300\\300\\200\\100\\100\\100\\100\\100\\100\\100'; done > /tmp/tone\n",
  );
  serial.write('cat /tmp/tone > /dev/dsp; echo played-$((6*7))\n');
  await until('the guest has played', () => stopped, 60_000);
  const heardIn = await until('the format is known', () => format);
  expect(heardIn.channels).toBe(2);
  const left = played.flatMap((packet) => [...packet].filter((_, at) => at % 2 === 0));
  const rises = left.flatMap((sample, at) => (at > 0 && sample > 0.2 && (left[at - 1] as number) <= 0.2 ? [at] : []));
  const turns = rises.slice(1).map((rise, index) => rise - (rises[index] as number));
  expect(rises.length).toBeGreaterThan(300);
  // A turn has a five hundredth of a second.
  expect(turns.filter((length) => Math.abs(length - heardIn.rateHz / 500) < 2).length / turns.length).toBeGreaterThan(0.95);
  expect(Math.max(...left)).toBeCloseTo(0.5, 1);

  // The other way: a saw tooth that rises for a tenth of a second, as long as the guest records.
  serial.write('dd if=/dev/dsp of=/tmp/heard bs=4000 count=4 2> /dev/null; echo recorded-$((6*7))\n');
  const { channels, rateHz } = await until('the guest records', () => recording, 60_000);
  const frames = rateHz / 100;
  const began = performance.now();
  for (let packet = 0; recording; packet++) {
    const samples = new Int16Array(frames * channels);
    for (let at = 0; at < samples.length; at++)
      samples[at] = (((packet * frames + Math.floor(at / channels)) % (rateHz / 10)) / (rateHz / 10)) * 16_000;
    client.session.speak(new Uint8Array(samples.buffer));
    await pause(Math.max(0, began + packet * 10 - performance.now()));
    if (packet > 3000) throw new Error('The guest does not stop recording.');
  }
  said = '';
  await tell('od -An -v -tu1 -w50 /tmp/heard | tail -n 200; echo dumped-$((6*7))', 'dumped-42');
  const heard = (said.match(/\b\d{1,3}\b/g) ?? []).map(Number).filter((value) => value >= 128 && value < 192);
  const falls = heard.flatMap((value, at) => (at > 0 && value < (heard[at - 1] as number) - 30 ? [at] : []));
  const lengths = falls.slice(1).map((fall, index) => fall - (falls[index] as number));
  // A tenth of 8 kHz.
  expect(lengths.filter((length) => Math.abs(length - 800) <= 8).length).toBeGreaterThan(3);
  expect(client.end).toBeNull();
});
