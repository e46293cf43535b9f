/** Puts the parts of the window's process together: the engine at hand, the door for pages, windows, menu, tray, and how it all ends. */
import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { app, dialog, Menu, powerMonitor, session, type WebContents } from 'electron';
import type { DataRoot } from '../../contract/data-root.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { ShellInfo } from '../../contract/shell.ts';
import { Consoles } from '../consoles/consoles.ts';
import { openPortToFrame } from '../consoles/electron-ports.ts';
import { farewellsSaid } from '../consoles/unix-socket-transport.ts';
import { consoleDirectoryOf } from '../engine-host/console-directory.ts';
import { EngineHost } from '../engine-host/engine-host.ts';
import { findEnginePlace } from '../engine-host/engine-place.ts';
import { serveAppScheme } from './app-protocol.ts';
import { ChosenFiles, chosenFilesJournal } from './chosen-files.ts';
import { linkScheme, type Opening, openingFromFile, parseLink } from './deep-link.ts';
import { developmentRuntime } from './development-runtime.ts';
import { followDisplays, physicalDisplays } from './displays.ts';
import { EngineStreams } from './engine-streams.ts';
import { HeadWindows } from './head-windows.ts';
import { openDoor } from './ipc-door.ts';
import { KnownPlaces } from './known-places.ts';
import { LibraryMirror } from './library-mirror.ts';
import { buildMenu, focusedWindow } from './menu.ts';
import { Microphones } from './microphones.ts';
import { announceProblems } from './notices.ts';
import { guardPages, guardPermissions } from './page-guard.ts';
import { watchProcesses } from './page-health.ts';
import { Quitting } from './quitting.ts';
import { Recordings, recordingJournal } from './recordings.ts';
import { SendingFiles, sendingJournal } from './sending-files.ts';
import { makeShellCalls, openFolder, type ShellCallHandlers } from './shell-calls.ts';
import { followTheme } from './theme.ts';
import { showTray } from './tray.ts';
import { WindowPlacements } from './window-placement.ts';
import { preloadPath, Windows } from './windows.ts';

/** How long letting go of the engine and of the guests' consoles, and making recordings whole, may keep the app from ending; its windows are gone by then. */
const longestFarewellMs = 3000;

export type GuesthouseAppOptions = {
  root: DataRoot;
  /** The window's own files: Chromium's, where windows were, known hosts. */
  ownFolder: string;
  log: (line: string) => void;
};

export type GuesthouseApp = {
  host: EngineHost;
  windows: Windows;
  mirror: LibraryMirror;
  /** Shows what was asked for, or the main window as it is. */
  open(opening: Opening | null): void;
  /** Ends the app at once; guests and engine stay as they are. */
  leave(exitCode?: number): void;
};

export function createGuesthouseApp({ root, ownFolder, log }: GuesthouseAppOptions): GuesthouseApp {
  const appPath = app.getAppPath();
  const mirror = new LibraryMirror();
  const host = new EngineHost({
    root,
    version: app.getVersion(),
    place: () => findEnginePlace({ appPath, resourcesPath: process.resourcesPath, isPackaged: app.isPackaged }),
    log: (line) => log(`engine: ${line}`),
  });
  const knownHostsPath = (guest: GuestId) => join(ownFolder, 'known-hosts', guest);
  const consoles = new Consoles<WebContents>(consoleDirectoryOf(host.client), knownHostsPath);
  const microphones = new Microphones((guest) => mirror.guests.get(guest)?.spec.name ?? null);
  const recordings = new Recordings(recordingJournal(join(ownFolder, 'recordings.json')));
  const chosenFiles = new ChosenFiles(chosenFilesJournal(join(ownFolder, 'chosen.json')));
  const sendingFiles = new SendingFiles(sendingJournal(join(ownFolder, 'sending.json')));
  const streams = new EngineStreams((listener) => host.subscribe(listener));

  /** Not while files are on their way from a window, unless the user says so. */
  const requestQuit = () => {
    if (windows.mayEnd()) quitting.request();
  };

  const placements = new WindowPlacements(join(ownFolder, 'windows.json'));
  const windows: Windows = new Windows({
    placements,
    sendingFiles,
    preload: preloadPath(appPath),
    info: shellInfo(),
    mayCloseMain: () => {
      // On macOS an app goes on without windows; everywhere else its last window is the app.
      if (quitting.isLeaving || process.platform === 'darwin') return true;
      requestQuit();
      return quitting.isLeaving;
    },
    pageLeft: (contents) => {
      headWindows.pageLeft(contents);
      microphones.pageLeft(contents);
      consoles.closeAll(contents);
      streams.close(contents);
    },
    log,
  });

  const headWindows = new HeadWindows({
    placements,
    isOurs: (contents) => windows.isOurs(contents),
    tell: (page, event) => windows.tell(page, event),
    log,
  });

  let hasLeft = false;
  const leave = (exitCode = 0) => {
    // Closing the windows asks to leave once more: the first one's exit code holds.
    if (hasLeft) return;
    hasLeft = true;
    session.defaultSession.flushStorageData();
    // Of the pages that are about to go.
    const recorded = recordings.finishAllOf(null);
    windows.destroyAll();
    // An engine that is just being started is not waited for long; it comes up without us.
    void Promise.race([Promise.all([host.close(), farewellsSaid(), recorded]), pause(longestFarewellMs)]).finally(() => app.exit(exitCode));
  };

  const quitting: Quitting = new Quitting({
    onQuit: () => mirror.settings.onQuit,
    running: () => mirror.running,
    ask: (names) => void askToQuit(names),
    tell: (progress) => windows.tellMain({ type: 'quitting', progress }),
    suspend: (guest) => host.client.call('guest.suspend', { guest }),
    resume: (guest) => host.client.call('guest.resume', { guest }),
    shutdown: (guest) => host.client.call('guest.shutdown', { guest }),
    remember: (onQuit) => host.client.call('settings.set', { onQuit }),
    leave: () => leave(),
  });

  /** The page asks; where there is none that could, the system does. */
  const askToQuit = async (running: string[]) => {
    if (windows.isMainReady) {
      windows.showMain();
      windows.tellMain({ type: 'askQuit', running });
      return;
    }
    const answers = ['cancel', 'keep-running', 'suspend', 'shutdown'] as const;
    const { response } = await dialog.showMessageBox({
      type: 'question',
      message: running.length === 1 ? `“${running[0]}” is running.` : `${running.length} guests are running.`,
      detail: 'What shall become of them?',
      buttons: ['Cancel', 'Keep running', 'Suspend', 'Shut down'],
      defaultId: 1,
      cancelId: 0,
    });
    await quitting.answer({ guests: answers[response] ?? 'cancel', remember: false });
  };

  /** What an app that was killed was sending; to be called when there is a window to say it in. */
  const tellUnsent = () => {
    for (const unsent of sendingFiles.takeLeft()) {
      log(`${unsent.count} files did not arrive in “${unsent.guestName}”: ${unsent.files.join(', ')}`);
      windows.tellMain({ type: 'filesNotSent', unsent, cause: 'app' });
    }
  };

  const open = (opening: Opening | null) => {
    windows.showMain(opening?.kind === 'page' ? opening.path : undefined);
    tellUnsent();
    if (opening?.kind === 'notice') windows.tellMain({ type: 'notice', text: opening.text, hint: opening.hint });
  };
  const locationFolders = async () => (await host.client.call('storage.places', {})).locations.map(({ path }) => path);
  const places = new KnownPlaces([root.home, root.logs], () => mirror.guests.values(), locationFolders);
  const shellCalls: ShellCallHandlers = makeShellCalls({
    windows,
    headWindows,
    places,
    quitting,
    microphones,
    recordings,
    chosenFiles,
    restartEngine: () => host.restart(),
    logFolder: root.logs,
  });

  const listenToPages = () =>
    openDoor(
      (contents) => windows.isOurs(contents),
      {
        call: (name, input) => host.tryCall(name, input),
        shell: (sender, name, input) => shellCalls[name](input, sender),
        openConsole: ({ contents, frame }, target, token) => consoles.open(contents, target, () => openPortToFrame(frame, token)),
        subscribe: ({ contents }) => streams.open(contents),
        unsubscribe: ({ contents }) => streams.close(contents),
        watch: ({ contents }, message) => streams.watch(contents, message.guestIds),
        ready: ({ contents }) =>
          windows.pageListens(contents, [
            { type: 'engine', connection: host.connection },
            { type: 'displays', displays: physicalDisplays() },
          ]),
      },
      log,
    );

  const followEngine = () => {
    host.start();
    host.listen((connection) => windows.tellAll({ type: 'engine', connection }));
    host.subscribe((message) => mirror.apply(message));
    mirror.listen((message) => {
      if (message.type === 'snapshot' || message.type === 'guest') quitting.guestsChanged();
      // Keys of a guest that is gone for good would vouch for whoever gets its address next.
      if (message.type === 'guest' && message.guest === null) rmSync(knownHostsPath(message.id), { force: true });
    });
  };

  const followSystem = () => {
    followDisplays(() => windows.tellAll({ type: 'displays', displays: physicalDisplays() }));
    app.on('before-quit', (event) => {
      if (quitting.isLeaving || hasLeft) return;
      event.preventDefault();
      requestQuit();
    });
    app.on('window-all-closed', () => {
      if (process.platform !== 'darwin' && !hasLeft) requestQuit();
    });
    app.on('activate', () => windows.showMain());
    app.on('open-url', (event, url) => {
      event.preventDefault();
      open(parseLink(url));
    });
    app.on('open-file', (event, path) => {
      event.preventDefault();
      open(openingFromFile(path));
    });
    powerMonitor.on('shutdown', (event?: { preventDefault(): void }) => {
      event?.preventDefault();
      void quitting.sessionEnds();
    });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => leave());
    if (app.isPackaged && process.platform !== 'linux') app.setAsDefaultProtocolClient(linkScheme);
  };

  /** What an app that was killed was recording. */
  const keepRecordings = async () => {
    for (const { path, problem } of await recordings.finishLeft()) {
      log(`a recording was cut off: ${path}${problem === null ? '' : `, which could not be made whole: ${problem}`}`);
      places.chose(path);
      windows.tellMain({ type: 'recordingKept', path, cutOff: true, problem });
    }
  };

  guardPages(headWindows, log);
  watchProcesses(log);
  followEngine();
  listenToPages();
  void app.whenReady().then(() => {
    guardPermissions((contents) => microphones.mayHear(contents));
    serveAppScheme({ pages: join(appPath, 'out', 'renderer'), screenPng: (guest, maxAgeMs) => host.client.screenPng(guest, maxAgeMs) });
    followTheme({ path: join(ownFolder, 'theme'), mirror, windows: () => [...windows.all, ...headWindows.all] });
    followSystem();
    void keepRecordings();
    void chosenFiles.removeLeft();
    Menu.setApplicationMenu(
      buildMenu({
        tell: (event) => {
          const contents = focusedWindow()?.webContents;
          if (contents && event.type === 'command') windows.tell(headWindows.pageOf(contents) ?? contents, event);
          else if (event.type === 'navigate') windows.showMain(event.path);
          else windows.tellMain(event);
        },
        quit: () => requestQuit(),
        openLogs: () => void openFolder(root.logs).catch((error: Error) => log(error.message)),
      }),
    );
    announceProblems({ mirror, lookedAt: () => focusedWindow() !== null, open: (path) => windows.showMain(path) });
    showTray(
      mirror,
      {
        show: () => windows.showMain(),
        open: (guest) => windows.showMain(`/guests/${guest}/console`),
        shutdown: (guest) => void host.tryCall('guest.shutdown', { guest }),
        quit: () => requestQuit(),
      },
      log,
    );
  });

  return { host, windows, mirror, open, leave };
}

function shellInfo(): Omit<ShellInfo, 'window'> {
  const platform = process.platform;
  return {
    version: app.getVersion(),
    platform: platform === 'darwin' || platform === 'win32' ? platform : 'linux',
    electronVersion: process.versions.electron ?? '',
    developmentRuntime: developmentRuntime(),
    username: userInfo().username,
  };
}
