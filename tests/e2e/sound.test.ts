/** What a guest plays arrives in the page as samples, as loud as guest and user want it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launchApp, untilConnected } from '../support/app.ts';
import { absence, goToConsole, runInGuest, untilLive } from '../support/console-page.ts';
import { amplifierSteps, setAmplifier } from '../support/guest-sound-card.ts';
import { spiceMessage, takePlaceOf, u32 } from '../support/hostile-spice.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

/** Sixteen samples of 8 bits, one turn of a sine: at the 8 kHz that /dev/dsp begins with, a tone of 500 Hz. */
const turn = Array.from({ length: 16 }, (_, at) => Math.round(128 + 100 * Math.sin((2 * Math.PI * at) / 16)));
const turnInShell = turn.map((value) => `\\${value.toString(8).padStart(3, '0')}`).join('');
const toneHz = 500;

/** Whatever a page connects to its sound card is also connected to something that a test can read. */
async function listenIn(page: Page): Promise<void> {
  await page.evaluate(() => {
    const connect = AudioNode.prototype.connect as (this: AudioNode, to: AudioNode) => AudioNode;
    AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode) {
      if (to instanceof AudioDestinationNode) {
        const analyser = new AnalyserNode(this.context as AudioContext, { fftSize: 16_384, smoothingTimeConstant: 0 });
        (globalThis as unknown as { heard: AnalyserNode }).heard = analyser;
        connect.call(this, analyser);
      }
      return connect.call(this, to);
    } as typeof AudioNode.prototype.connect;
  });
}

type Heard = { state: string; rms: number; peakHz: number };

const hear = (page: Page) =>
  page.evaluate((): Heard | null => {
    const analyser = (globalThis as unknown as { heard?: AnalyserNode }).heard;
    if (!analyser) return null;
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(spectrum);
    let peak = 1;
    for (const [at, level] of spectrum.entries()) if (at > 0 && level > (spectrum[peak] as number)) peak = at;
    return {
      state: analyser.context.state,
      rms: Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length),
      peakHz: (peak * analyser.context.sampleRate) / analyser.fftSize,
    };
  });

const isBetween = (value: number, low: number, high: number) => value > low && value < high;

test('a tone that a guest plays is heard in the page, as loud as guest and user want it, and a hostile server’s is not', {
  timeout: 240_000,
}, async () => {
  const app = await launchApp();
  const { page, client } = app;
  await untilConnected(app);
  await listenIn(page);
  const { id } = await makeStarterGuest(client, 'Musician');
  await app.call('guest.start', { guest: id });
  await untilStatus(client, id, 'running');
  await goToConsole(page, id);
  await untilLive(page);
  await untilAgent(client, id);
  await until('the guest has a sound card', async () => (await runInGuest(client, id, 'ls /dev/dsp')).includes('dsp'), 60_000);
  await runInGuest(
    client,
    id,
    `for i in $(seq 500); do printf '${turnInShell}'; done > /tmp/a; cat /tmp/a /tmp/a /tmp/a /tmp/a > /tmp/tone`,
  );
  await runInGuest(client, id, '(while :; do cat /tmp/tone; done) > /dev/dsp 2> /dev/null & echo $! > /tmp/player');
  const loudness = async () => (await hear(page))?.rms ?? 0;
  // A guest begins with its amplifiers silent.
  expect(await loudness()).toBe(0);

  await setAmplifier(client, id, 'output', amplifierSteps);
  const full = await until(
    'the tone is heard',
    async () => {
      const heard = await hear(page);
      return heard && heard.rms > 0.3 && Math.abs(heard.peakHz - toneHz) < 6 ? heard : null;
    },
    20_000,
  );
  expect(full.state).toBe('running');

  // Half as loud in the guest is an eighth of the amplitude.
  await setAmplifier(client, id, 'output', amplifierSteps / 2);
  await until('the guest is heard more softly', async () => isBetween(await loudness(), 0.01, full.rms / 4), 10_000);
  await page.getByRole('button', { name: 'Sound' }).click();
  await page.getByText('The guest is playing, at 50').waitFor();
  await setAmplifier(client, id, 'output', amplifierSteps);
  await until('it is loud again', async () => (await loudness()) > 0.3, 10_000);

  await page.getByRole('slider', { name: 'Volume' }).focus();
  await page.keyboard.press('Home');
  await until('nothing is heard', async () => (await loudness()) < 1e-4, 5000);
  await page.keyboard.press('End');
  await page.getByRole('switch', { name: 'Mute' }).focus();
  await page.keyboard.press('Space');
  await until('it is muted', async () => (await loudness()) < 1e-4, 5000);

  // Another console of the same guest is as it was left.
  await page.reload();
  await listenIn(page);
  await goToConsole(page, id);
  await untilLive(page);
  await until('its sound card runs', async () => (await hear(page))?.state === 'running', 10_000);
  await pause(1000);
  expect(await loudness()).toBeLessThan(1e-4);
  await page.getByRole('button', { name: 'Sound' }).click();
  await page.getByRole('switch', { name: 'Mute' }).focus();
  await page.keyboard.press('Space');
  await until('it is heard again', async () => (await loudness()) > 0.3, 10_000);

  // A guest that stops gives the sound card back.
  await runInGuest(client, id, 'kill $(cat /tmp/player)');
  await page.getByText('The guest plays nothing at the moment.').waitFor();
  await until('the sound card is let go', async () => (await hear(page))?.state === 'suspended', 10_000);

  // A server whose sound cannot be right ends the console in words, whatever is heard by then.
  const { spiceSocketPath } = await client.call('guest.consoles', { guest: id });
  const hostile = await takePlaceOf(spiceSocketPath ?? '', {
    kind: 'inject',
    channel: 5,
    // START with six channels.
    message: spiceMessage(103, Buffer.concat([u32(6), Uint8Array.of(1, 0), u32(48_000, 0)])),
  });
  await page.keyboard.press('Escape');
  await page.locator('.console-tab-close').click();
  await goToConsole(page, id);
  await absence(page).getByText('sent something that cannot be right').waitFor({ timeout: 20_000 });
  await hostile.giveBack();
  await absence(page).getByRole('button', { name: 'Connect now' }).click();
  await untilLive(page);
});
