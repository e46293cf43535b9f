/** Windows whose page died or hangs: brought back where they were, or the user is asked. */
import { app, type BrowserWindow, dialog } from 'electron';

const reloadsInARow = 3;
const rowMs = 60_000;

/** Chromium starts its GPU process again by itself; it is written down, since a screen that flickers has its reason there. */
export function watchProcesses(log: (line: string) => void): void {
  app.on('child-process-gone', (_event, { type, reason, exitCode }) => log(`the ${type} process is gone: ${reason} (${exitCode})`));
  app.on('browser-window-created', (_event, window) => watchPage(window, log));
}

function watchPage(window: BrowserWindow, log: (line: string) => void): void {
  let deaths: number[] = [];
  let asking: AbortController | null = null;
  window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    log(`the page of a window died: ${reason} (${exitCode})`);
    const now = Date.now();
    deaths = [...deaths.filter((at) => now - at < rowMs), now];
    // The address holds what the page showed; guests and consoles are not in the page.
    if (deaths.length <= reloadsInARow) window.webContents.reload();
    else void askAfterCrashes(window);
  });
  window.on('unresponsive', () => {
    asking ??= new AbortController();
    const { signal } = asking;
    void dialog
      .showMessageBox(window, {
        type: 'warning',
        message: 'The window does not respond.',
        detail: 'Guests are not affected. You can wait, or load the window again.',
        buttons: ['Wait', 'Load again'],
        defaultId: 0,
        cancelId: 0,
        signal,
      })
      .then(({ response }) => {
        asking = null;
        if (response === 1 && !signal.aborted && !window.isDestroyed()) window.webContents.forcefullyCrashRenderer();
      });
  });
  window.on('responsive', () => {
    asking?.abort();
    asking = null;
  });
}

async function askAfterCrashes(window: BrowserWindow): Promise<void> {
  const { response } = await dialog.showMessageBox(window, {
    type: 'error',
    message: 'The window keeps crashing.',
    detail: `It was loaded again ${reloadsInARow} times within a minute. Guests are not affected and go on running.`,
    buttons: ['Load again', 'Close the window'],
    defaultId: 0,
    cancelId: 1,
  });
  if (window.isDestroyed()) return;
  if (response === 0) window.webContents.reload();
  else window.destroy();
}
