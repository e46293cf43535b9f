/** What a guest plays arrives in the page as samples, as loud as guest and user want it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ElectronApplication, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { launchApp, nextWindow, type TestApp, untilConnected } from '../support/app.ts';
import { absence, goToConsole, runInGuest, untilLive } from '../support/console-page.ts';
import { amplifierSteps, setAmplifier } from '../support/guest-sound-card.ts';
import { startTone, stopTone, toneHz, untilSoundCard } from '../support/guest-tone.ts';
import { spiceMessage, takePlaceOf, u32 } from '../support/hostile-spice.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

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

/** What the browser says of sound cards that come and go. */
const haveSoundCards = (page: Page, count: number) =>
  page.evaluate((many) => {
    const card = (_: unknown, at: number) => ({ kind: 'audiooutput', deviceId: `${at}`, groupId: '', label: '' }) as MediaDeviceInfo;
    navigator.mediaDevices.enumerateDevices = async () => Array.from({ length: many }, card);
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  }, count);

const hideWindow = (electron: ElectronApplication, hidden: boolean) =>
  electron.evaluate(({ BrowserWindow }, hide) => {
    for (const window of BrowserWindow.getAllWindows())
      if (hide) window.hide();
      else window.show();
  }, hidden);

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

/** The app with a running starter guest that has found its sound card, and its console on the screen. */
async function withSoundCard(name: string, words: string[] = []): Promise<TestApp & { id: GuestId }> {
  const app = await launchApp({ words });
  const { page, client } = app;
  await untilConnected(app);
  await listenIn(page);
  const { id } = await makeStarterGuest(client, name);
  await app.call('guest.start', { guest: id });
  await untilStatus(client, id, 'running');
  await goToConsole(page, id);
  await untilLive(page);
  await untilAgent(client, id);
  await untilSoundCard(client, id);
  return { ...app, id };
}

test('a tone that a guest plays is heard in the page, as loud as guest and user want it, and a hostile server’s is not', async () => {
  const { page, client, electron, id } = await withSoundCard('Musician');
  await startTone(client, id);
  const loudness = async () => (await hear(page))?.rms ?? 0;
  // A guest begins with its amplifiers silent.
  expect(await loudness()).toBe(0);

  await setAmplifier(client, id, 'output', amplifierSteps);
  const full = await until('the tone is heard', async () => {
    const heard = await hear(page);
    return heard && heard.rms > 0.3 && Math.abs(heard.peakHz - toneHz) < 6 ? heard : null;
  });
  expect(full.state).toBe('running');

  // Whoever looks elsewhere still hears it.
  const isHeard = async () => (await loudness()) > 0.3;
  await hideWindow(electron, true);
  await pause(2500);
  await until('it is heard from a hidden window', isHeard);
  await hideWindow(electron, false);
  await page.getByRole('img', { name: 'It plays sound', exact: true }).waitFor();

  // A sound card that is pulled out, and one that comes: the guest plays on meanwhile.
  await page.getByRole('button', { name: 'Sound' }).click();
  const unheard = page.getByText('This computer has no sound output that works.');
  await haveSoundCards(page, 0);
  await unheard.waitFor();
  await until('it plays on', isHeard);
  await haveSoundCards(page, 1);
  await unheard.waitFor({ state: 'detached' });
  await until('it is heard through the new one', isHeard);
  await page.keyboard.press('Escape');

  // Half as loud in the guest is an eighth of the amplitude.
  await setAmplifier(client, id, 'output', amplifierSteps / 2);
  await until('the guest is heard more softly', async () => isBetween(await loudness(), 0.01, full.rms / 4));
  await page.getByRole('button', { name: 'Sound' }).click();
  await page.getByText('The guest is playing, at 50').waitFor();
  await setAmplifier(client, id, 'output', amplifierSteps);
  await until('it is loud again', async () => (await loudness()) > 0.3);

  await page.getByRole('slider', { name: 'Volume' }).focus();
  await page.keyboard.press('Home');
  await until('nothing is heard', async () => (await loudness()) < 1e-4);
  await page.keyboard.press('End');
  await page.getByRole('switch', { name: 'Mute' }).focus();
  await page.keyboard.press('Space');
  await until('it is muted', async () => (await loudness()) < 1e-4);

  // Another console of the same guest is as it was left.
  await page.reload();
  await listenIn(page);
  await goToConsole(page, id);
  await untilLive(page);
  await until('its sound card runs', async () => (await hear(page))?.state === 'running');
  await pause(1000);
  expect(await loudness()).toBeLessThan(1e-4);
  await page.getByRole('button', { name: 'Sound' }).click();
  await page.getByRole('switch', { name: 'Mute' }).focus();
  await page.keyboard.press('Space');
  await until('it is heard again', async () => (await loudness()) > 0.3);

  // A guest that stops gives the sound card back.
  await stopTone(client, id);
  await page.getByText('The guest plays nothing at the moment.').waitFor();
  await until('the sound card is let go', async () => (await hear(page))?.state === 'suspended');

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
  await absence(page).getByText('sent something that cannot be right').waitFor();
  await hostile.giveBack();
  await absence(page).getByRole('button', { name: 'Connect now' }).click();
  await untilLive(page);
});

/** What a page gets that simply asks for the microphone: the name of its error, or null. */
const askForMicrophone = (page: Page, more: MediaStreamConstraints = {}) =>
  page.evaluate(async (constraints) => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, ...constraints });
      for (const track of stream.getTracks()) track.stop();
      return null;
    } catch (error) {
      return (error as DOMException).name;
    }
  }, more);

test('a guest hears the microphone after the user said yes to the shell, while it records, and not any more when it is off', async () => {
  // Chromium's own stand-in for a microphone, which beeps twice a second. Permissions are asked for as ever.
  const { page, client, electron, id } = await withSoundCard('Recorder', ['--use-fake-device-for-media-stream']);
  const answerWith = (response: number) =>
    electron.evaluate(({ dialog }, chosen) => {
      const asked: string[] = [];
      Object.assign(globalThis, { asked });
      dialog.showMessageBox = async (...words: unknown[]) => {
        asked.push((words.at(-1) as { message: string }).message);
        return { response: chosen, checkboxChecked: false };
      };
    }, response);
  const asked = () => electron.evaluate(() => (globalThis as unknown as { asked: string[] }).asked);
  await setAmplifier(client, id, 'input', amplifierSteps);
  /** What the guest hears: 8 bits, 8 kHz. */
  const record = async (seconds = 2) => {
    await runInGuest(client, id, `dd if=/dev/dsp of=/tmp/heard bs=4000 count=${seconds * 2} 2> /dev/null`);
    const bytes = Buffer.from(await runInGuest(client, id, 'base64 /tmp/heard'), 'base64');
    return [...bytes].map((byte) => byte - 128);
  };
  const isSilent = (samples: number[]) => samples.every((sample) => Math.abs(sample) <= 2);

  expect(isSilent(await record())).toBe(true);
  expect(await askForMicrophone(page)).toBe('NotAllowedError');

  await answerWith(0);
  await page.getByRole('button', { name: 'Let the guest hear the microphone' }).click();
  await until('the shell asked', async () => (await asked()).length === 1);
  expect(await asked()).toEqual(['Let “Recorder” hear this computer’s microphone?']);
  expect(await askForMicrophone(page)).toBe('NotAllowedError');

  // A yes to a console that was closed while the user was asked is none.
  await electron.evaluate(({ dialog }) => {
    dialog.showMessageBox = () =>
      new Promise((settle) => Object.assign(globalThis, { sayYes: () => settle({ response: 1, checkboxChecked: false }) }));
  });
  await page.getByRole('button', { name: 'Let the guest hear the microphone' }).click();
  await until('the shell asks', () => electron.evaluate(() => 'sayYes' in globalThis));
  await page.locator('.console-tab-close').click();
  await page.locator('.console').waitFor({ state: 'detached' });
  await electron.evaluate(() => (globalThis as unknown as { sayYes(): void }).sayYes());
  expect(await askForMicrophone(page)).toBe('NotAllowedError');
  await goToConsole(page, id);
  await untilLive(page);

  await answerWith(1);
  await page.getByRole('button', { name: 'Let the guest hear the microphone' }).click();
  await page.getByRole('button', { name: 'The guest may hear the microphone' }).waitFor();
  expect(await askForMicrophone(page)).toBe(null);
  expect(await askForMicrophone(page, { video: true })).toBe('NotAllowedError');
  // Where it begins to be loud after a silence, and where within the beep each turn of its 400 Hz does. A machine with more to do than processors
  // loses some of it now and then.
  await until(
    'the guest hears beeps',
    async () => {
      // On a busy computer it takes a second or two until the microphone is open.
      const heard = await record(6);
      const edges = heard.flatMap((sample, at) => (sample > 50 && (heard[at - 1] ?? 0) <= 50 ? [at] : []));
      const turns = edges.slice(1).map((edge, index) => edge - (edges[index] as number));
      const beeps = edges.filter((edge, index) => index === 0 || edge - (edges[index - 1] as number) > 400);
      const pauses = beeps.slice(1).map((beep, index) => beep - (beeps[index] as number));
      const are = (all: number[], length: number, slack: number) => all.filter((one) => Math.abs(one - length) <= slack).length;
      return are(turns, 20, 1) > 10 && are(pauses, 4000, 400) >= Math.max(2, pauses.length / 2);
    },
    60_000,
  );

  await runInGuest(client, id, 'cat /dev/dsp > /tmp/long 2> /dev/null & echo $! > /tmp/recorder');
  await page.getByRole('button', { name: 'The guest hears the microphone' }).click();
  await page.getByRole('button', { name: 'The guest records. Let it hear the microphone' }).waitFor();
  expect(await askForMicrophone(page)).toBe('NotAllowedError');
  await runInGuest(client, id, 'kill $(cat /tmp/recorder)');
  await page.getByRole('button', { name: 'Let the guest hear the microphone', exact: true }).waitFor();
  expect(isSilent((await record()).slice(4000))).toBe(true);

  // A yes holds for its guest until the app ends, and for no page but the one that asked, nor there once the console was in another window.
  await page.getByRole('button', { name: 'Let the guest hear the microphone' }).click();
  await page.getByRole('button', { name: 'The guest may hear the microphone' }).waitFor();
  const opening = nextWindow(electron);
  await page.evaluate((guest) => window.guesthouse.shell('shell.detachConsole', { guest }), id);
  const other = await opening;
  for (const next of [other, page]) {
    await absence(next).getByRole('button', { name: 'Show it here' }).click();
    await untilLive(next);
    await next.getByRole('button', { name: 'Let the guest hear the microphone' }).waitFor();
    expect(await askForMicrophone(page)).toBe('NotAllowedError');
  }
  await page.getByRole('button', { name: 'Let the guest hear the microphone' }).click();
  await page.getByRole('button', { name: 'The guest may hear the microphone' }).waitFor();
  expect(await asked()).toHaveLength(1);
  await page.reload();
  await page.locator('#content').waitFor();
  expect(await askForMicrophone(page)).toBe('NotAllowedError');
});
