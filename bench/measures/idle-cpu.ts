import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Figure, Measure } from '../figures.ts';
import { guesthouseApp, idlePercent, withApp } from '../measured-app.ts';
import { createStarterGuest, until, withEngine } from '../measured-engine.ts';

const seconds = 20;
/** What a page does right after it was opened is not idling. */
const settleMs = 8000;

/** The limit is an Electron window with an empty page: what the runtime costs by itself. The engine counts as ours, QEMU does not. */
export const idleCpu: Measure = {
  name: 'idle-cpu',
  about: 'processor use of the whole app while nobody does anything, beside an empty Electron window',
  async run(log) {
    const empty = await emptyWindow();
    log(`an empty window uses ${empty.toFixed(2)} % of a core`);
    return withEngine(async ({ client, pid, environment }) => {
      const guest = await createStarterGuest(client, 'idle');
      return withApp(guesthouseApp, environment, async (electron, page) => {
        const app = electron.process().pid;
        if (app === undefined) throw new Error('the app has no process');
        const measure = async (what: string, limit: number): Promise<Figure> => {
          await pause(settleMs);
          const value = await idlePercent([app, pid], seconds);
          log(`${what}: ${value.toFixed(2)} %`);
          return { what, value, unit: '% of a core', beside: { what: 'empty window', value: empty }, aim: { kind: 'value', limit } };
        };
        const hide = (hidden: boolean) =>
          electron.evaluate(({ BrowserWindow }, wanted) => {
            for (const window of BrowserWindow.getAllWindows()) wanted ? window.hide() : window.show();
          }, hidden);
        await page.getByText('idle').first().waitFor();
        const shown = await measure('app idle, library shown', 2);
        await hide(true);
        const hidden = await measure('app idle, hidden', 1);
        await hide(false);
        await client.call('guest.start', { guest: guest.id });
        await until(client, guest.id, 'running', 60_000);
        await page.evaluate((id) => history.pushState(null, '', `/guests/${id}/console`), guest.id);
        await page.evaluate(() => dispatchEvent(new PopStateEvent('popstate')));
        await page.locator('canvas[data-console-canvas]').waitFor({ timeout: 60_000 });
        await pause(15_000);
        const console = await measure('app idle, console of a guest with a blinking cursor', 2);
        return [shown, hidden, console];
      });
    });
  },
};

/** The folder of an app that shows one empty page, and its use of the processor. */
async function emptyWindow(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-empty-'));
  try {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', main: 'index.js' }));
    const source =
      "const { app, BrowserWindow } = require('electron'); app.whenReady().then(() => new BrowserWindow().loadURL('about:blank'));";
    await writeFile(join(folder, 'index.js'), source);
    return await withApp([folder, `--user-data-dir=${join(folder, 'data')}`], process.env, async (electron) => {
      await pause(settleMs);
      const pid = electron.process().pid;
      if (pid === undefined) throw new Error('the empty app has no process');
      return idlePercent([pid], seconds);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
