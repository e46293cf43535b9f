/** The app's windows: the main one, and one for each console that was torn off. */
import { join } from 'node:path';
import { app, BrowserWindow, dialog, nativeTheme, screen, type WebContents } from 'electron';
import type { GuestId } from '../../contract/ids.ts';
import type { ShellEvent, ShellInfo, UnsentFiles } from '../../contract/shell.ts';
import { appOrigin, infoArgument, shellChannels } from '../../contract/shell-channels.ts';
import { boundsOf, isMoving } from './displays.ts';
import { nativeIcon } from './icon.ts';
import type { SendingFiles } from './sending-files.ts';
import { clampToDisplays, minWindowSize, type Placement, type Rectangle, type WindowPlacements } from './window-placement.ts';

export type WindowsOptions = {
  placements: WindowPlacements;
  /** By the names of windows. */
  sendingFiles: SendingFiles;
  preload: string;
  info: Omit<ShellInfo, 'window'>;
  /** Asked before the main window closes; false keeps it open. */
  mayCloseMain: () => boolean;
  /** A page is gone, or about to be another: what it had open is to be closed. */
  pageLeft: (contents: WebContents) => void;
  log: (line: string) => void;
};

type Kept = {
  window: BrowserWindow;
  name: string;
  /** Its page listens to some events, so that it can be told how things stand. */
  listening: boolean;
  /** Its page has nothing more to set up, so that it can be told what happens once. */
  ready: boolean;
  /** What happened before it was ready. */
  waiting: ShellEvent[];
  settling: NodeJS.Timeout | undefined;
};

const defaultSize = { width: 1280, height: 800 };
const savePauseMs = 500;
/** A page sets its listeners up one after the other; after this pause it has them all. */
const settlePauseMs = 100;

export class Windows {
  readonly #options: WindowsOptions;
  readonly #kept = new Map<WebContents, Kept>();

  constructor(options: WindowsOptions) {
    this.#options = options;
  }

  /** INVARIANT: only windows that were opened here are ours (tests/e2e/page-security.test.ts). */
  isOurs(contents: WebContents): boolean {
    return this.#kept.has(contents);
  }

  get all(): BrowserWindow[] {
    return [...this.#kept.values()].map(({ window }) => window);
  }

  get main(): BrowserWindow | null {
    return this.#named('main')?.window ?? null;
  }

  /** Whether the main window's page is there to be told something. */
  get isMainReady(): boolean {
    return this.#named('main')?.ready === true;
  }

  /** Opens the main window at `path`, or shows it there. Without a path the page that is shown stays. */
  showMain(path?: string): BrowserWindow {
    const kept = this.#named('main');
    if (!kept) return this.#create('main', { kind: 'main' }, path ?? '/');
    if (path !== undefined) this.#tell(kept, { type: 'navigate', path });
    bringToFront(kept.window);
    return kept.window;
  }

  /** Opens the window of a guest's console, or brings it to the front. */
  showConsole(guest: GuestId): BrowserWindow {
    const kept = this.#named(guest);
    if (!kept) return this.#create(guest, { kind: 'console', guest }, `/guests/${guest}/console`);
    bringToFront(kept.window);
    return kept.window;
  }

  closeConsole(guest: GuestId): void {
    this.#named(guest)?.window.close();
  }

  /** Tells one page what happens once; one that is still loading hears it when it is there. */
  tell(contents: WebContents, event: ShellEvent): void {
    const kept = this.#kept.get(contents);
    if (kept) this.#tell(kept, event);
  }

  tellMain(event: ShellEvent): void {
    const kept = this.#named('main');
    if (kept) this.#tell(kept, event);
  }

  /** How something stands now; a page that is not there yet is told when it is. */
  tellAll(event: ShellEvent): void {
    for (const kept of this.#kept.values()) if (kept.listening) send(kept, event);
  }

  /** A page has begun to listen, perhaps once more. `states`: how things stand. */
  pageListens(contents: WebContents, states: ShellEvent[]): void {
    const kept = this.#kept.get(contents);
    if (!kept) return;
    kept.listening = true;
    for (const event of [...states, { type: 'fullScreen', on: kept.window.isFullScreen() } as const]) send(kept, event);
    clearTimeout(kept.settling);
    kept.settling = setTimeout(() => {
      kept.ready = true;
      for (const event of kept.waiting.splice(0)) send(kept, event);
    }, settlePauseMs);
  }

  /** Which files a page still has to send to a guest; none any more with a count of 0. */
  setSendingFiles(contents: WebContents, unsent: UnsentFiles): void {
    const kept = this.#kept.get(contents);
    if (kept) this.#options.sendingFiles.set(kept.name, unsent);
  }

  /** Asks before the app ends where files are on their way; false when it is to go on. */
  mayEnd(): boolean {
    return [...this.#kept.values()].every((kept) => this.#mayStopSending(kept));
  }

  /** Whoever said yes once is not asked again. */
  #mayStopSending(kept: Kept): boolean {
    const { sendingFiles } = this.#options;
    if (!sendingFiles.isSending(kept.name)) return true;
    const response = dialog.showMessageBoxSync(kept.window, {
      type: 'question',
      message: 'Files are still on their way to a guest.',
      detail: 'Those that have not arrived will not, if this window closes now.',
      buttons: ['Go on sending', 'Close'],
      defaultId: 0,
      cancelId: 0,
    });
    if (response === 1) sendingFiles.letGo(kept.name);
    return response === 1;
  }

  /** Closes every window without asking. */
  destroyAll(): void {
    for (const { window, name } of [...this.#kept.values()]) {
      this.#save(window, name);
      window.destroy();
    }
  }

  #named(name: string): Kept | undefined {
    return [...this.#kept.values()].find((kept) => kept.name === name);
  }

  #tell(kept: Kept, event: ShellEvent): void {
    if (kept.ready) send(kept, event);
    else kept.waiting.push(event);
  }

  #create(name: string, shows: ShellInfo['window'], path: string): BrowserWindow {
    const placement = this.#options.placements.get(name);
    const info: ShellInfo = { ...this.#options.info, window: shows };
    const window = new BrowserWindow({
      ...placedAt(placement, defaultSize),
      minWidth: minWindowSize.width,
      minHeight: minWindowSize.height,
      show: false,
      title: app.getName(),
      icon: nativeIcon(),
      backgroundColor: backgroundColor(),
      autoHideMenuBar: true,
      webPreferences: {
        preload: this.#options.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        webviewTag: false,
        spellcheck: false,
        navigateOnDragDrop: false,
        // A console that is covered goes on receiving: its guest's server would otherwise be slowed down.
        backgroundThrottling: shows.kind === 'main',
        additionalArguments: [infoArgument + encodeURIComponent(JSON.stringify(info))],
      },
    });
    const kept: Kept = { window, name, listening: false, ready: false, waiting: [], settling: undefined };
    this.#kept.set(window.webContents, kept);
    this.#follow(kept);
    window.once('ready-to-show', () => {
      if (placement?.maximised) window.maximize();
      window.show();
      // The main window begins with a page that has no way out of full screen, which was that of a console.
      if (placement?.fullScreen && shows.kind === 'console') window.setFullScreen(true);
    });
    void window.loadURL(appOrigin + path).catch((error: Error) => this.#options.log(`the window could not be loaded: ${error.message}`));
    return window;
  }

  #follow(kept: Kept): void {
    const { window, name } = kept;
    const contents = window.webContents;
    let saving: NodeJS.Timeout | undefined;
    const saveSoon = () => {
      clearTimeout(saving);
      saving = setTimeout(() => this.#save(window, name), savePauseMs);
    };
    window.on('resize', saveSoon);
    window.on('move', saveSoon);
    const tellFullScreen = (on: boolean) => {
      if (kept.listening) send(kept, { type: 'fullScreen', on });
    };
    window.on('enter-full-screen', () => tellFullScreen(true));
    window.on('leave-full-screen', () => {
      if (!isMoving(window)) tellFullScreen(false);
    });
    window.on('close', (event) => {
      if (!this.#mayStopSending(kept) || (name === 'main' && !this.#options.mayCloseMain())) {
        event.preventDefault();
        return;
      }
      clearTimeout(saving);
      this.#save(window, name);
    });
    const forgetPage = () => {
      clearTimeout(kept.settling);
      kept.listening = false;
      kept.ready = false;
      this.#tellUnsent(name);
      this.#options.pageLeft(contents);
    };
    contents.on('did-start-navigation', (details) => {
      if (!details.isMainFrame || details.isSameDocument) return;
      forgetPage();
    });
    contents.on('render-process-gone', forgetPage);
    window.on('closed', () => {
      clearTimeout(saving);
      clearTimeout(kept.settling);
      this.#kept.delete(contents);
      this.#options.pageLeft(contents);
    });
  }

  /** The page that was sending them is gone, and nobody was asked. */
  #tellUnsent(name: string): void {
    for (const unsent of this.#options.sendingFiles.take(name)) this.tellMain({ type: 'filesNotSent', unsent, cause: 'window' });
  }

  #save(window: BrowserWindow, name: string): void {
    if (window.isDestroyed()) return;
    try {
      this.#options.placements.set(name, placementOf(window));
    } catch (error) {
      this.#options.log(`where the window is could not be remembered: ${String(error)}`);
    }
  }
}

/** Where a window is to be: where it was, on a display that is there, else in the middle with its usual size. */
export function placedAt(placement: Placement | null, usual: { width: number; height: number }): Partial<Rectangle> {
  const areas = screen.getAllDisplays().map(({ workArea }) => workArea);
  return placement ? clampToDisplays(placement.bounds, areas) : usual;
}

export function placementOf(window: BrowserWindow): Placement {
  // One that was brought to another display to be full screen there is to begin where it was.
  const isAway = boundsOf(window) !== null;
  return {
    bounds: boundsOf(window) ?? window.getNormalBounds(),
    maximised: window.isMaximized(),
    fullScreen: window.isFullScreen() && !isAway,
  };
}

/** What a window shows before its page does: the page's own background, so that nothing flashes. */
export function backgroundColor(): string {
  return nativeTheme.shouldUseDarkColors ? '#141618' : '#f4f5f6';
}

function bringToFront(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

function send(kept: Kept, event: ShellEvent): void {
  if (!kept.window.isDestroyed()) kept.window.webContents.send(shellChannels.shellEvent, event);
}

/** Where the preload of every page is. */
export function preloadPath(appPath: string): string {
  return join(appPath, 'out', 'preload', 'index.cjs');
}
