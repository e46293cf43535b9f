/** The library in the real window, for tests of the pages. */

import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { freshHome, type LaunchOptions, launchApp, type TestApp, untilConnected } from './app.ts';
import { until } from './until.ts';

/** The app with a data folder of its own, its engine and the starter image on the list. */
export async function readyApp(options: LaunchOptions = {}): Promise<TestApp> {
  const app = await launchApp({ home: freshHome(), ...options });
  await untilConnected(app);
  await until('the starter image is there', async () => (await app.call('image.list', {})).length > 0);
  await app.page.locator('.sidebar').waitFor();
  return app;
}

/** Walks to an address as a link would, without loading the page anew. */
export async function walkTo(page: Page, path: string): Promise<void> {
  await page.evaluate((address) => {
    history.pushState(null, '', address);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);
  await until(`the page is at ${path}`, async () => page.url().endsWith(path));
}

/** Nothing sticks out of the window sideways: what is wider scrolls inside itself. */
export async function expectNothingSticksOut(page: Page, where: string): Promise<void> {
  const found = await page.evaluate(() => {
    const scrollsOrClips = (element: Element | null): boolean => {
      for (let each = element; each && each !== document.body; each = each.parentElement)
        if (getComputedStyle(each).overflowX !== 'visible') return true;
      return false;
    };
    return [...document.querySelectorAll('body *')]
      .filter((element) => {
        const box = element.getBoundingClientRect();
        const shown = box.width > 1 && box.height > 1 && getComputedStyle(element).visibility !== 'hidden';
        return shown && (box.right > innerWidth + 1 || box.left < -1) && !scrollsOrClips(element.parentElement);
      })
      .map((element) => `${element.tagName.toLowerCase()}.${element.className}`);
  });
  expect(found, where).toEqual([]);
}
