import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { defineImages } from '../defined-images.ts';
import { type Figure, type Measure, median, quantile } from '../figures.ts';
import { guesthouseApp, withApp } from '../measured-app.ts';
import { engineIn, withHome } from '../measured-engine.ts';

const imageCount = 10_000;
/** What fits a screen or two: all that the page costs but for the number of images. */
const fewCount = 50;
const visits = 9;
const scrolledFrames = 240;
/** Each finds other images than the one before, so that what is drawn changes with every key. */
const typedKeys = ['w', 'd', 'k', 'r', 'm', 'b'];
const typedRounds = 5;

type Taken = { firstRowsMs: number[]; frameMs: number[]; keyToRowsMs: number[] };

export const cataloguePage: Measure = {
  name: 'catalogue-page',
  about: 'the page of images with 10,000 of them: first rows, scrolling, a key in the search, beside the same page with 50',
  async run(log) {
    const few = await withImages(fewCount);
    log(`${fewCount} images: ${summary(few)}`);
    const many = await withImages(imageCount);
    log(`${imageCount} images: ${summary(many)}`);
    const figure = (what: string, value: (taken: Taken) => number, aim: Figure['aim']): Figure => ({
      what,
      value: value(many),
      unit: 'ms',
      beside: { what: `with ${fewCount} images`, value: value(few) },
      aim,
    });
    const atMost = (limit: number): Figure['aim'] => ({ kind: 'value', limit });
    return [
      figure(`catalogue page, ${imageCount} images, from a link to its rows, median`, (taken) => median(taken.firstRowsMs), atMost(200)),
      // Two frames of a screen of 60 Hz.
      figure('scrolling it by a screenful a frame, time of a frame, median', (taken) => median(taken.frameMs), atMost(34)),
      figure('the same, p95', (taken) => quantile(taken.frameMs, 0.95), { kind: 'ratio', limit: 2 }),
      figure('from a key in its search to other rows, median', (taken) => median(taken.keyToRowsMs), atMost(100)),
      figure('the same, p95', (taken) => quantile(taken.keyToRowsMs, 0.95), atMost(200)),
    ];
  },
};

function summary({ firstRowsMs, frameMs, keyToRowsMs }: Taken): string {
  const of = (values: readonly number[]) => `${median(values).toFixed(0)} ms`;
  return `first rows ${of(firstRowsMs)}, frame ${of(frameMs)}, key to rows ${of(keyToRowsMs)}`;
}

function withImages(count: number): Promise<Taken> {
  return withHome(async (home) => {
    // The engine makes the database; the images come while none runs.
    await engineIn(home, async () => undefined);
    await defineImages(join(home, 'guesthouse.db'), count);
    return engineIn(home, ({ environment }) => withApp(guesthouseApp, environment, (_electron, page) => measure(page, count)));
  });
}

async function measure(page: Page, count: number): Promise<Taken> {
  // Until every image is known to the page; what it costs to bring them there is no part of opening the page.
  await goTo(page, '/images');
  await page.getByText(`${new Intl.NumberFormat('en').format(count + 1)} images`).waitFor({ timeout: 60_000 });
  const firstRowsMs: number[] = [];
  for (let visit = 0; visit < visits; visit += 1) {
    await goTo(page, '/settings');
    await page.locator('.vtable').waitFor({ state: 'detached' });
    firstRowsMs.push(await goTo(page, '/images', '.vtable-row'));
  }
  const frameMs = await page.locator('.vtable').evaluate(scrolled, scrolledFrames);
  await page.locator('.vtable').evaluate((list) => {
    list.scrollTop = 0;
  });
  const search = page.getByRole('searchbox', { name: 'Search images' });
  const keyToRowsMs: number[] = [];
  for (let round = 0; round < typedRounds; round += 1) {
    for (const key of typedKeys) {
      await search.focus();
      keyToRowsMs.push(await pressed(page, key));
      await pressed(page, 'Backspace');
    }
  }
  return { firstRowsMs, frameMs, keyToRowsMs };
}

/** Walks as a link would. Milliseconds until `selector` is drawn, when there is one. */
function goTo(page: Page, path: string, selector?: string): Promise<number> {
  return page.evaluate(
    async ([address, wanted]) => {
      const begun = performance.now();
      history.pushState(null, '', address);
      dispatchEvent(new PopStateEvent('popstate'));
      while (wanted !== undefined && !document.querySelector(wanted)) await new Promise(requestAnimationFrame);
      // What is there is on the screen with the frame after.
      await new Promise(requestAnimationFrame);
      return performance.now() - begun;
    },
    [path, selector] as const,
  );
}

/** In the page: scrolls on with every frame, and says how long each took. */
async function scrolled(list: Element, frames: number): Promise<number[]> {
  const taken: number[] = [];
  let before = performance.now();
  let step = list.clientHeight;
  for (let frame = 0; frame < frames; frame += 1) {
    if (list.scrollTop + list.clientHeight >= list.scrollHeight || list.scrollTop + step < 0) step = -step;
    list.scrollTop += step;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    taken.push(now - before);
    before = now;
  }
  return taken;
}

type Watched = { keyToRows?: Promise<number> };

/** Milliseconds from a key to the frame in which the list is another one. */
async function pressed(page: Page, key: string): Promise<number> {
  // The page must listen before the key is on its way.
  await page.evaluate(watchNextKey);
  await page.keyboard.press(key);
  return page.evaluate(() => (globalThis as Watched).keyToRows ?? Number.NaN);
}

/** In the page. */
function watchNextKey(): void {
  const shown = () => {
    const rows = [...document.querySelectorAll<HTMLElement>('.vtable-row')].map((row) => row.dataset.key);
    return `${document.querySelector('.catalogue-count')?.textContent} ${rows.join()}`;
  };
  const before = shown();
  (globalThis as Watched).keyToRows = new Promise((settle) => {
    const listen = () => {
      const begun = performance.now();
      const look = () => {
        if (shown() === before) requestAnimationFrame(look);
        else requestAnimationFrame(() => settle(performance.now() - begun));
      };
      requestAnimationFrame(look);
    };
    addEventListener('keydown', listen, { once: true, capture: true });
  });
}
