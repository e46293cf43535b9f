import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Figure, Measure } from '../figures.ts';
import { guesthouseApp, idlePercent } from '../measured-app.ts';
import { createStarterGuest, until, withEngine } from '../measured-engine.ts';
import { type UnwatchedApp, withUnwatchedApp } from '../unwatched-app.ts';

const seconds = 20;
/** What a page does right after it was opened is not idling. */
const settleMs = 8000;
/** A starter that has shown its banner goes on with its network and its agent for a while. */
const bootMs = 25_000;

/** The limit is an Electron window with an empty page: what the runtime costs by itself. The engine counts as ours, QEMU does not. */
export const idleCpu: Measure = {
  name: 'idle-cpu',
  about: 'processor use of the whole app while nobody does anything, beside an empty Electron window',
  async run(log) {
    const empty = await emptyWindow();
    log(`an empty window uses ${empty.toFixed(2)} % of a core`);
    return withEngine(async ({ client, pid, environment }) => {
      const guest = await createStarterGuest(client, 'idle');
      return withUnwatchedApp(guesthouseApp, environment, async (app) => {
        const measure = async (what: string, limit: number, qemu: number | null): Promise<Figure> => {
          await pause(settleMs);
          const value = await idlePercent([app.pid, pid], seconds, qemu);
          log(`${what}: ${value.toFixed(2)} %`);
          return { what, value, unit: '% of a core', beside: { what: 'empty window', value: empty }, aim: { kind: 'value', limit } };
        };
        await inPage(app, "document.body.innerText.includes('idle')");
        const shown = await measure('app idle, library shown', 2, null);
        await app.hide(true);
        const hidden = await measure('app idle, library hidden', 1, null);
        await app.hide(false);

        await client.call('guest.start', { guest: guest.id });
        await until(client, guest.id, 'running', 60_000);
        const qemu = (await client.call('guest.show', { guest: guest.id })).state.run?.pid ?? null;
        await inPage(app, `history.pushState(null, '', '/guests/${guest.id}/console'); dispatchEvent(new PopStateEvent('popstate'))`);
        await inPage(app, "document.querySelector('canvas[data-console-canvas]') !== null");
        await pause(bootMs);
        const console = await measure('app idle, console of a guest with a blinking cursor', 2, qemu);
        await app.hide(true);
        return [shown, hidden, console, await measure('the same console, hidden', 1, qemu)];
      });
    });
  },
};

/** Evaluates `expression` in the page until it is true. */
async function inPage(app: UnwatchedApp, expression: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  // Before the page is there, its window has nothing to evaluate anything in.
  while ((await app.inPage(expression).catch(() => false)) !== true) {
    if (Date.now() > deadline) throw new Error(`the page does not come to: ${expression}`);
    await pause(200);
  }
}

/** What an app that shows one empty page uses. */
async function emptyWindow(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-empty-'));
  try {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', main: 'index.js' }));
    const source =
      "const { app, BrowserWindow } = require('electron'); app.whenReady().then(() => new BrowserWindow().loadURL('about:blank'));";
    await writeFile(join(folder, 'index.js'), source);
    return await withUnwatchedApp([folder, `--user-data-dir=${join(folder, 'data')}`], process.env, async ({ pid }) => {
      await pause(settleMs);
      return idlePercent([pid], seconds);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
