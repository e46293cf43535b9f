/**
 * The windows of single monitors of guests. A page opens them itself (`headWindowName` in contract/shell.ts) and puts elements of its own into
 * them; they have no preload and no address, and reach nothing that their page does not do for them.
 */
import { app, type BrowserWindow, type BrowserWindowConstructorOptions, type WebContents } from 'electron';
import { type HeadWindow, parseHeadWindowName, type ShellEvent } from '../../contract/shell.ts';
import { isMoving } from './displays.ts';
import { nativeIcon } from './icon.ts';
import type { WindowPlacements } from './window-placement.ts';
import { backgroundColor, placedAt, placementOf } from './windows.ts';

export type HeadWindowsOptions = {
  placements: WindowPlacements;
  /** Whether a page is one of a window of ours: no other may open any. */
  isOurs: (contents: WebContents) => boolean;
  tell: (page: WebContents, event: ShellEvent) => void;
  log: (line: string) => void;
};

type Opened = HeadWindow & { page: WebContents; window: BrowserWindow };

const smallest = { width: 320, height: 240 } as const;
const usual = { width: 1024, height: 768 } as const;
const savePauseMs = 500;

/** INVARIANT: they end with the page that opened them, and show nothing but what that put there (tests/e2e/head-windows.test.ts). */
export class HeadWindows {
  readonly #options: HeadWindowsOptions;
  readonly #opened = new Map<WebContents, Opened>();

  constructor(options: HeadWindowsOptions) {
    this.#options = options;
  }

  get all(): BrowserWindow[] {
    return [...this.#opened.values()].map(({ window }) => window);
  }

  /** The page whose window that is; null for other windows. */
  pageOf(contents: WebContents): WebContents | null {
    return this.#opened.get(contents)?.page ?? null;
  }

  of(page: WebContents, { guest, head }: HeadWindow): BrowserWindow | null {
    return [...this.#opened.values()].find((each) => each.page === page && each.guest === guest && each.head === head)?.window ?? null;
  }

  /** The one of that page's that is being used. */
  focused(page: WebContents): BrowserWindow | null {
    return [...this.#opened.values()].find((each) => each.page === page && each.window.isFocused())?.window ?? null;
  }

  /** How the window that a page asks for is made; null when it may not have it. */
  optionsFor(page: WebContents, url: string, name: string): BrowserWindowConstructorOptions | null {
    const wanted = parseHeadWindowName(name);
    if (url !== 'about:blank' || !wanted || !this.#options.isOurs(page) || this.of(page, wanted)) return null;
    return {
      ...placedAt(this.#options.placements.get(placementName(wanted)), usual),
      minWidth: smallest.width,
      minHeight: smallest.height,
      title: app.getName(),
      icon: nativeIcon(),
      backgroundColor: backgroundColor(),
      autoHideMenuBar: true,
      webPreferences: {
        // Without a preload there is no way to us.
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        webviewTag: false,
        spellcheck: false,
        navigateOnDragDrop: false,
        backgroundThrottling: false,
      },
    };
  }

  opened(page: WebContents, window: BrowserWindow, name: string): void {
    const wanted = parseHeadWindowName(name);
    if (!wanted) {
      window.destroy();
      return;
    }
    const { webContents: contents } = window;
    this.#opened.set(contents, { ...wanted, page, window });
    const placement = this.#options.placements.get(placementName(wanted));
    if (placement?.maximised) window.maximize();
    let saving: NodeJS.Timeout | undefined;
    const saveSoon = () => {
      clearTimeout(saving);
      saving = setTimeout(() => this.#save(window, wanted), savePauseMs);
    };
    window.on('resize', saveSoon);
    window.on('move', saveSoon);
    const tellFullScreen = (on: boolean) => this.#options.tell(page, { type: 'fullScreen', on, window: wanted });
    window.on('enter-full-screen', () => tellFullScreen(true));
    window.on('leave-full-screen', () => {
      if (!isMoving(window)) tellFullScreen(false);
    });
    window.on('close', () => {
      clearTimeout(saving);
      this.#save(window, wanted);
    });
    window.on('closed', () => {
      clearTimeout(saving);
      this.#opened.delete(contents);
      if (!page.isDestroyed()) tellFullScreen(false);
    });
    // What its page put there would be gone: that takes its monitor back instead.
    let isFirst = true;
    contents.on('did-start-navigation', (details) => {
      if (!details.isMainFrame || details.isSameDocument) return;
      // The empty document that it begins with is told of as well.
      const begins = isFirst && details.url === 'about:blank';
      isFirst = false;
      if (!begins && !window.isDestroyed()) window.close();
    });
  }

  /** A page is gone, or about to be another: nobody is left who could fill its windows. */
  pageLeft(page: WebContents): void {
    for (const each of [...this.#opened.values()]) if (each.page === page) each.window.destroy();
  }

  #save(window: BrowserWindow, head: HeadWindow): void {
    if (window.isDestroyed()) return;
    try {
      this.#options.placements.set(placementName(head), placementOf(window));
    } catch (error) {
      this.#options.log(`where the window is could not be remembered: ${String(error)}`);
    }
  }
}

function placementName({ guest, head }: HeadWindow): string {
  return `${guest}-${head}`;
}
