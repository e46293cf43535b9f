/** Our SPICE client against QEMU's server: what a guest plays comes as it is, and what it records is what this side says. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { SoundFormat } from '../../renderer/console/spice/audio/sound-format.ts';
import { openSpiceClient } from '../support/spice-client.ts';
import { startSpiceStarter } from '../support/spice-starter.ts';
import { until } from '../support/until.ts';

/** What comes and goes unpacked: Node has no decoder for Opus. Without amplifiers the guest's card is neither silent nor soft. */
test('a guest is heard as it plays and hears what is said, sample by sample, where nothing packs sound', async () => {
  const machine = await startSpiceStarter(() => [
    ...['-device', 'virtio-vga', '-audiodev', 'spice,id=sound', '-device', 'intel-hda'],
    ...['-device', 'hda-duplex,audiodev=sound,mixer=off'],
  ]);
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
  await until('the guest has found its card', async () => (await machine.run('ls /dev')).split('\n').includes('dsp'), 60_000);

  // A square wave of 500 Hz at the 8 kHz and 8 bits that /dev/dsp begins with, for a second.
  await machine.run(
    "for i in $(seq 500); do printf '\\200\\300\\300\\300\\300\\300\\300\\300\\200\\100\\100\\100\\100\\100\\100\\100'; done > /tmp/tone",
  );
  await machine.run('cat /tmp/tone > /dev/dsp');
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
  await machine.run('dd if=/dev/dsp of=/tmp/heard bs=4000 count=4 > /dev/null 2>&1 &');
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
  await until('the guest has kept it', async () => (await machine.run('wc -c < /tmp/heard')).trim() === '16000');
  const kept = await machine.runForBytes('tail -c 10000 /tmp/heard');
  const heard = [...kept].filter((value) => value >= 128 && value < 192);
  const falls = heard.flatMap((value, at) => (at > 0 && value < (heard[at - 1] as number) - 30 ? [at] : []));
  const lengths = falls.slice(1).map((fall, index) => fall - (falls[index] as number));
  // A tenth of 8 kHz.
  expect(lengths.filter((length) => Math.abs(length - 800) <= 8).length).toBeGreaterThan(3);
  expect(client.end).toBeNull();
});
