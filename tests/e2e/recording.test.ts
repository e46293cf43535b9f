/** A recording holds what a guest showed and played, and is a file that players know their way in. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { launchApp, type TestApp, untilConnected } from '../support/app.ts';
import { goToConsole, untilLive } from '../support/console-page.ts';
import { amplifierSteps, setAmplifier } from '../support/guest-sound-card.ts';
import { startTone, stopTone, toneHz, untilSoundCard } from '../support/guest-tone.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('what a guest plays is in its recording although it is muted here, silence too, and players can seek in it', async () => {
  const app = await launchApp();
  const { page, client, electron, home } = app;
  await untilConnected(app);
  const { id } = await makeStarterGuest(client, 'Singer');
  await app.call('guest.start', { guest: id });
  await untilStatus(client, id, 'running');
  await goToConsole(page, id);
  await untilLive(page);
  await untilAgent(client, id);
  await untilSoundCard(client, id);
  const sing = async () => {
    await startTone(client, id);
    // Silent until it is told otherwise, each time that a program opens the card.
    await setAmplifier(client, id, 'output', amplifierSteps);
  };
  await page.getByRole('button', { name: 'Sound' }).click();
  await page.getByRole('switch', { name: 'Mute' }).focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');

  const path = join(home, 'song.webm');
  await electron.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath });
  }, path);
  await page.getByRole('button', { name: 'Record a video…' }).click();
  await page.getByRole('img', { name: 'A video is being recorded' }).waitFor();
  const beganAt = performance.now();
  /** Which seconds of what is written by now are loud. */
  const loudSoFar = async () => (await heardIn(page, readFileSync(join(home, 'song (recording).webm'))).catch(() => null))?.loud ?? [];
  const count = (seconds: boolean[], isLoud: boolean) => seconds.filter((each) => each === isLoud).length;
  await sing();
  await page.getByRole('img', { name: 'It plays sound and is muted' }).waitFor();
  await until('some seconds of the tone are recorded', async () => count(await loudSoFar(), true) > 2);
  await stopTone(client, id);

  // What it had handed to its card by then is played to its end.
  await page.getByRole('img', { name: 'It plays sound and is muted' }).waitFor({ state: 'detached' });
  const loudBefore = await until('a second of silence is recorded', async () => {
    const seconds = await loudSoFar();
    return seconds.at(-1) === false ? count(seconds, true) : null;
  });
  await sing();
  await until('some more of the tone are', async () => count(await loudSoFar(), true) > loudBefore + 2);
  await page.getByRole('button', { name: 'End the recording' }).click();
  await page.getByText(`Recorded to ${path}`).waitFor();
  const endedAt = performance.now();

  const webm = readFileSync(path);
  const { sampleRate, loud, turnLengths } = await heardIn(page, webm);
  expect(sampleRate).toBe(48_000);
  const loudSeconds = loud.flatMap((isLoud, second) => (isLoud ? [second] : []));
  expect(loudSeconds.length).toBeGreaterThan(4);
  // Loud, silent and loud again.
  expect(loud.slice(loudSeconds[0], loudSeconds.at(-1)).filter((isLoud) => !isLoud).length).toBeGreaterThan(0);
  for (const length of turnLengths) expect(Math.abs(length - 48_000 / toneHz)).toBeLessThanOrEqual(1);
  const { duration, soughtTo } = await sought(page, webm);
  // Where the computer was too busy to mix, no sound was written.
  expect(duration).toBeGreaterThan(loud.length - 0.5);
  expect(duration).toBeLessThan((endedAt - beganAt) / 1000 + 2);
  expect(Math.abs(soughtTo - duration / 2)).toBeLessThan(0.1);
});

test('a recording is whole when the app ends, and one whose app was killed is made whole by the next, which says so', {
  timeout: 240_000,
}, async () => {
  const first = await launchApp();
  await untilConnected(first);
  const { home } = first;
  const { id } = await makeStarterGuest(first.client, 'Starter');
  await first.call('guest.start', { guest: id });
  await untilStatus(first.client, id, 'running');
  const ended = await recordTo(first, id, join(home, 'ended.webm'));
  await first.close();
  expect([existsSync(ended.path), existsSync(ended.growing)]).toEqual([true, false]);

  const second = await launchApp({ home });
  await untilConnected(second);
  const cutOff = await recordTo(second, id, join(home, 'cut.webm'));
  const app = second.electron.process();
  const gone = new Promise((settle) => app.once('exit', settle));
  app.kill('SIGKILL');
  await gone;
  expect([existsSync(cutOff.path), existsSync(cutOff.growing)]).toEqual([false, true]);

  const third = await launchApp({ home });
  await third.page.getByText(`A recording was cut off. What had come of it is in ${cutOff.path}`).waitFor({ timeout: 40_000 });
  expect(existsSync(cutOff.growing)).toBe(false);
  for (const { path } of [ended, cutOff]) {
    const { duration, soughtTo } = await sought(third.page, readFileSync(path));
    expect(duration).toBeGreaterThan(1);
    expect(Math.abs(soughtTo - duration / 2)).toBeLessThan(0.1);
  }
});

/** Begins a recording of the guest's console. Settles when three seconds of it were made. */
async function recordTo({ page, electron }: TestApp, guest: GuestId, path: string): Promise<{ path: string; growing: string }> {
  await electron.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath });
  }, path);
  await goToConsole(page, guest);
  await untilLive(page);
  await page.getByRole('button', { name: 'Record a video…' }).click();
  const growing = path.replace('.webm', ' (recording).webm');
  await page.locator('.console-recorded', { hasText: /0:0[3-9]|0:[1-9]/ }).waitFor({ timeout: 60_000 });
  await until('some of it is on the disk', () => statSync(growing).size > 10_000, 40_000);
  return { path, growing };
}

/** What the browser's decoder finds in a file: whether each second is loud, and how many samples a turn of the tone mostly has in those that are. */
async function heardIn(page: Page, webm: Buffer): Promise<{ sampleRate: number; loud: boolean[]; turnLengths: number[] }> {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const context = new OfflineAudioContext(1, 48_000, 48_000);
    const { sampleRate, duration, samples } = await context.decodeAudioData(bytes.buffer).then((buffer) => ({
      sampleRate: buffer.sampleRate,
      duration: buffer.duration,
      samples: buffer.getChannelData(0),
    }));
    const rms = (from: number, to: number) =>
      Math.sqrt(samples.subarray(from, to).reduce((sum, sample) => sum + sample * sample, 0) / (to - from));
    const loud: boolean[] = [];
    const turnLengths: number[] = [];
    for (let second = 0; second < Math.floor(duration); second++) {
      const from = second * sampleRate;
      const isLoud = rms(from, from + sampleRate) > 0.1;
      loud.push(isLoud);
      if (!isLoud) continue;
      const rises: number[] = [];
      for (let at = from + 1; at < from + sampleRate; at++)
        if ((samples[at - 1] as number) < 0 && (samples[at] as number) >= 0) rises.push(at);
      const lengths = rises.slice(1).map((at, index) => at - (rises[index] as number));
      turnLengths.push(lengths.sort((one, other) => one - other)[lengths.length >> 1] as number);
    }
    return { sampleRate, loud, turnLengths };
  }, webm.toString('base64'));
}

/** How long a player takes a file to be, and where it is after it was asked for the middle. */
async function sought(page: Page, webm: Buffer): Promise<{ duration: number; soughtTo: number }> {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const video = document.createElement('video');
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
    const happened = (name: string) => new Promise((resolve) => video.addEventListener(name, resolve, { once: true }));
    await happened('loadeddata');
    const shown = happened('seeked');
    video.currentTime = video.duration / 2;
    await shown;
    URL.revokeObjectURL(video.src);
    return { duration: video.duration, soughtTo: video.currentTime };
  }, webm.toString('base64'));
}
