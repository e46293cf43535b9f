/** The native menu with the platform's shortcuts. What concerns a page is said to it as a command. */

import { app, BrowserWindow, Menu, type MenuItemConstructorOptions } from 'electron';
import { combinationOf } from '../../contract/guest-keyboard.ts';
import type { ShellEvent } from '../../contract/shell.ts';

export type MenuActions = {
  /** To the page of the window that has the focus, else of the main window. */
  tell: (event: ShellEvent) => void;
  quit: () => void;
  openLogs: () => void;
};

const isMac = process.platform === 'darwin';

export function buildMenu({ tell, quit, openLogs }: MenuActions): Menu {
  const command = (label: string, name: string, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator ? { accelerator } : {}),
    click: () => tell({ type: 'command', command: name }),
  });
  const page = (label: string, path: string, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator ? { accelerator } : {}),
    click: () => tell({ type: 'navigate', path }),
  });
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const quitItem: MenuItemConstructorOptions = { label: `Quit ${app.getName()}`, accelerator: 'CmdOrCtrl+Q', click: quit };
  const settings = page('Settings', '/settings', 'CmdOrCtrl+,');

  const template: MenuItemConstructorOptions[] = [
    {
      label: '&File',
      submenu: [
        command('New guest…', 'new', 'CmdOrCtrl+N'),
        separator,
        ...(isMac ? [] : [settings, separator]),
        { role: 'close', label: 'Close window' },
        ...(isMac ? [] : [quitItem]),
      ],
    },
    {
      label: '&Edit',
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        separator,
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
        separator,
        command('Find', 'find', 'CmdOrCtrl+F'),
      ],
    },
    {
      label: '&View',
      submenu: [
        command('Search and commands', 'palette', 'CmdOrCtrl+K'),
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        separator,
        { role: 'togglefullscreen' },
      ],
    },
    {
      label: '&Go',
      submenu: [
        command('Back', 'back', isMac ? 'Cmd+[' : 'Alt+Left'),
        command('Forward', 'forward', isMac ? 'Cmd+]' : 'Alt+Right'),
        separator,
        page('Library', '/library', 'CmdOrCtrl+1'),
        page('Images', '/images', 'CmdOrCtrl+2'),
        page('Activity', '/activity', 'CmdOrCtrl+3'),
        page('Health', '/health', 'CmdOrCtrl+4'),
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: 'Open the log folder', click: openLogs },
        { role: 'reload', label: 'Load the window again' },
        { role: 'toggleDevTools', label: 'Developer tools' },
        separator,
        { role: 'about' },
      ],
    },
  ];
  if (isMac) {
    template.unshift({
      label: app.getName(),
      submenu: [
        { role: 'about' },
        separator,
        settings,
        separator,
        { role: 'services' },
        separator,
        { role: 'hide' },
        { role: 'hideOthers' },
        { role: 'unhide' },
        separator,
        quitItem,
      ],
    });
  }
  return Menu.buildFromTemplate(template);
}

const grabs = new WeakMap<Electron.WebContents, (event: unknown, input: Electron.Input) => void>();

/**
 * While a console has the keyboard, every key but `localKeys` is the guest's: no other shortcut of the menu fires, and Alt does not open the menu bar.
 */
export function setKeyboardGrab(window: BrowserWindow, isGrabbed: boolean, localKeys: readonly string[]): void {
  const { webContents } = window;
  const local = new Set(localKeys);
  const known = grabs.get(webContents);
  if (known) webContents.off('before-input-event', known);
  grabs.delete(webContents);
  webContents.setIgnoreMenuShortcuts(isGrabbed);
  if (isGrabbed && local.size > 0) {
    // Electron asks once for each key whether the menu may have it.
    const judge = (_event: unknown, { code, control, alt, shift, meta }: Electron.Input): void =>
      webContents.setIgnoreMenuShortcuts(
        !local.has(combinationOf({ code, ctrlKey: control, altKey: alt, shiftKey: shift, metaKey: meta })),
      );
    grabs.set(webContents, judge);
    webContents.on('before-input-event', judge);
  }
  if (isMac) return;
  window.setAutoHideMenuBar(!isGrabbed);
  window.setMenuBarVisibility(false);
}

export function focusedWindow(): BrowserWindow | null {
  return BrowserWindow.getFocusedWindow();
}
