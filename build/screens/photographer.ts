/** Takes pictures of a page of the real app in every theme and size. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ElectronApplication, Page } from 'playwright-core';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { until } from '../../tests/support/until.ts';

const themes = ['light', 'dark'] as const;

/** Names of the folders below each theme. The whole set is taken in the first; what is likely to break, in the others too. */
const views = {
  '1280x800': { width: 1280, height: 800, zoom: 1 },
  '800x600': { width: 800, height: 600, zoom: 1 },
  'zoom-200': { width: 1280, height: 800, zoom: 2 },
} as const;
type ViewName = keyof typeof views;

export class Photographer {
  readonly #electron: ElectronApplication;
  readonly #page: Page;
  readonly #client: EngineClient;
  readonly #directory: string;
  readonly #log: (line: string) => void;

  constructor(electron: ElectronApplication, page: Page, client: EngineClient, directory: string, log: (line: string) => void) {
    this.#electron = electron;
    this.#page = page;
    this.#client = client;
    this.#directory = directory;
    this.#log = log;
  }

  /** Goes to an address of the app, as a link inside it would. */
  async go(address: string): Promise<void> {
    await this.#page.evaluate((path) => {
      history.pushState(null, '', path);
      dispatchEvent(new PopStateEvent('popstate'));
    }, address);
  }

  /** Saves `<theme>/<view>/<name>.png` in both themes, in the first view and the others named. */
  async take(name: string, others: readonly ViewName[] = []): Promise<void> {
    for (const theme of themes) {
      await this.#client.call('settings.set', { theme });
      await until(`the ${theme} theme shows`, () =>
        this.#page.evaluate((dark) => matchMedia('(prefers-color-scheme: dark)').matches === dark, theme === 'dark'),
      );
      for (const view of ['1280x800', ...others] as const) await this.#takeIn(theme, view, name);
    }
    await this.#show('1280x800');
  }

  /** The window's page as PNG. Taken by Electron: Playwright's own pictures leave out what an enlarged page does not fit into its size in CSS. */
  async capture(): Promise<Buffer> {
    const base64 = await this.#electron.evaluate(async ({ BrowserWindow }) =>
      (await BrowserWindow.getAllWindows()[0]?.webContents.capturePage())?.toPNG().toString('base64'),
    );
    return Buffer.from(base64 ?? '', 'base64');
  }

  async #takeIn(theme: string, view: ViewName, name: string): Promise<void> {
    await this.#show(view);
    await until(`${name} is loaded`, () => this.#page.evaluate(() => document.querySelector('.skeleton') === null), 60_000);
    const path = join(this.#directory, theme, view, `${name}.png`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await this.capture());
    this.#log(`${theme}/${view}/${name}.png`);
  }

  /** Gives the window the size and zoom of a view, and waits for the page to have been drawn in it as it stays. */
  async #show(name: ViewName): Promise<void> {
    const view = views[name];
    await this.#electron.evaluate(({ BrowserWindow }, { width, height, zoom }) => {
      const window = BrowserWindow.getAllWindows()[0];
      window?.setContentSize(width, height);
      window?.webContents.setZoomFactor(zoom);
    }, view);
    await until(`the page is ${name}`, () => this.#page.evaluate(({ width, zoom }) => innerWidth === Math.round(width / zoom), view));
    // Another theme comes to buttons little by little.
    await this.#page.evaluate(async () => {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const transitions = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
      await Promise.allSettled(transitions.map(({ finished }) => finished));
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    });
  }
}
