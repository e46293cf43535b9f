/** What axe finds on every page, and the layout from a small window to a large one and enlarged. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
import { makeStarterGuest, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const longName = 'Accounting desktop of the second floor, kept for the tax returns of the years before the audit is over, and then some';
const rightToLeftName = 'محطة عمل الاستقبال الرئيسية';

/** Every page there is; the first guest runs. */
const pagesOf = (guest: string) => [
  '/library',
  '/library?place=computer',
  `/guests/${guest}/overview`,
  `/guests/${guest}/hardware`,
  `/guests/${guest}/snapshots`,
  `/guests/${guest}/activity`,
  `/guests/${guest}/console`,
  `/guests/${guest}/terminal`,
  '/images',
  '/images?import',
  '/downloads',
  '/storage',
  '/downloads?address=1',
  '/activity',
  '/activity/events',
  '/activity/audit',
  '/health',
  '/settings',
  '/trash',
  '/new',
  '/new/iso',
  '/new/image',
  '/import',
];

async function filledApp(): Promise<TestApp & { guest: string }> {
  const app = await readyApp();
  const guest = await makeStarterGuest(app.client, longName);
  await makeStarterGuest(app.client, rightToLeftName);
  const trashed = await makeStarterGuest(app.client, 'Thrown away');
  await app.call('guest.delete', { guest: trashed.id });
  const { job } = await app.call('snapshot.create', { guest: guest.id, name: longName });
  await until('the snapshot is made', async () => (await app.call('job.show', { job: job.id })).endedAt !== null);
  await app.call('guest.start', { guest: guest.id });
  await untilStatus(app.client, guest.id, 'running', 60_000);
  await app.page.emulateMedia({ reducedMotion: 'reduce' });
  return { ...app, guest: guest.id };
}

/** Settles when nothing on the page is a placeholder any more, and no colour is on its way to another. */
async function settled(page: Page): Promise<void> {
  await until('the page shows its content', async () => (await page.locator('.skeleton').count()) === 0);
  await until('colours have come to rest', () =>
    page.evaluate(() => document.getAnimations().every((one) => !(one instanceof CSSTransition) || one.playState !== 'running')),
  );
}

/** Playwright's own way in opens a page of its own, which an app has not; so axe is put into the page as it is. */
async function seriousFindings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource);
  const { violations } = await page.evaluate(async () => await (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}

test('axe finds nothing serious on any page, in light and in dark', async () => {
  const { page, call, guest } = await filledApp();
  for (const theme of ['light', 'dark'] as const) {
    await call('settings.set', { theme });
    await until('the theme is on', () => page.evaluate((wanted) => document.documentElement.dataset.theme === wanted, theme));
    for (const view of ['table', 'cards'] as const) {
      await call('settings.set', { libraryView: view });
      await walkTo(page, '/library');
      await until(`the library shows ${view}`, async () => (await page.locator(view === 'table' ? '.table-row' : '.card').count()) === 2);
      expect(await seriousFindings(page), `${theme} library as ${view}`).toEqual([]);
    }
    for (const path of pagesOf(guest)) {
      await walkTo(page, path);
      await settled(page);
      expect(await seriousFindings(page), `${theme} ${path}`).toEqual([]);
    }
    await walkTo(page, '/library');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Search and commands' }).waitFor();
    expect(await seriousFindings(page), `${theme} palette`).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('row').first().click({ button: 'right' });
    await page.getByRole('menu').waitFor();
    expect(await seriousFindings(page), `${theme} context menu`).toEqual([]);
    await page.keyboard.press('Escape');
  }
}, 300_000);

test('no page sticks out of the window from 800 × 600 to 4K, nor at 200 % zoom', async () => {
  const { page, electron, guest } = await filledApp();
  const sizes = [
    { width: 800, height: 600, zoom: 1 },
    { width: 800, height: 600, zoom: 2 },
    { width: 1280, height: 800, zoom: 2 },
    { width: 3840, height: 2160, zoom: 1 },
  ];
  for (const { width, height, zoom } of sizes) {
    await electron.evaluate(
      ({ BrowserWindow }, wanted) => {
        const [window] = BrowserWindow.getAllWindows();
        window?.setMinimumSize(100, 100);
        window?.setContentSize(wanted.width, wanted.height);
        window?.webContents.setZoomFactor(wanted.zoom);
      },
      { width, height, zoom },
    );
    await until('the window has its size', () => page.evaluate((wanted) => Math.abs(innerWidth - wanted) < 4, width / zoom));
    for (const path of pagesOf(guest)) {
      await walkTo(page, path);
      await settled(page);
      await expectNothingSticksOut(page, `${path} at ${width}×${height}, zoom ${zoom}`);
    }
    // The tab of a console says how its guest is, however long the name.
    expect((await page.locator('.console-tab .state').first().boundingBox())?.width).toBeGreaterThanOrEqual(12);
  }
}, 300_000);

test('the keyboard alone reaches the content, the sidebar, every page and the commands', async () => {
  const { page } = await readyApp();
  await page.evaluate(() => document.body.focus());
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('health');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Health' }).waitFor();
  await page.keyboard.press('Control+n');
  await page.getByRole('heading', { level: 1, name: 'New guest' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: 'Health' }).waitFor();
  // Whatever has the focus shows it.
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press('Tab');
    const ring = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return 'body';
      const style = getComputedStyle(element);
      return style.outlineStyle !== 'none' || element.matches('.splitter, main') ? 'shown' : element.outerHTML.slice(0, 120);
    });
    expect(['shown', 'body']).toContain(ring);
  }
});
