/** What no page may do, whatever it shows: leave, open windows, embed, or be granted more than a console needs. */
import { app, type BrowserWindow, type BrowserWindowConstructorOptions, type Session, session, shell, type WebContents } from 'electron';
import { appOrigin } from '../../contract/shell-channels.ts';
import { isAllowedOutside, isAppAddress } from './app-address.ts';

/** Copying, full screen, and locking the pointer and the keyboard: what a console needs. */
const permissions: ReadonlySet<string> = new Set(['clipboard-sanitized-write', 'fullscreen', 'pointerLock', 'keyboardLock']);

/** The only windows that a page may open by itself. */
export type OwnWindows = {
  /** Null when it may not. */
  optionsFor(page: WebContents, url: string, name: string): BrowserWindowConstructorOptions | null;
  opened(page: WebContents, window: BrowserWindow, name: string): void;
};

/** Guards every web contents that will ever exist. Call once, before the first window. */
export function guardPages(own: OwnWindows, log: (line: string) => void): void {
  app.on('web-contents-created', (_event, contents) => guard(contents, own, log));
}

function guard(contents: WebContents, own: OwnWindows, log: (line: string) => void): void {
  contents.on('will-navigate', (details) => {
    if (isAppAddress(details.url)) return;
    details.preventDefault();
    log(`navigation refused: ${details.url.slice(0, 200)}`);
  });
  contents.on('will-redirect', (details) => {
    if (!isAppAddress(details.url)) details.preventDefault();
  });
  // A frame that a page was made to load is stopped before it asks for anything; the policy forbids frames as well.
  contents.on('will-frame-navigate', (details) => {
    if (!details.isMainFrame) details.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('did-create-window', (window, { frameName }) => own.opened(contents, window, frameName));
  contents.setWindowOpenHandler(({ url, frameName }) => {
    const options = own.optionsFor(contents, url, frameName);
    if (options) return { action: 'allow', overrideBrowserWindowOptions: options };
    if (isAllowedOutside(url)) void shell.openExternal(url);
    else log(`window refused: ${url.slice(0, 200)}`);
    return { action: 'deny' };
  });
}

/** Grants our own pages what a console needs, the microphone alone to those that may hear it, and nothing to anyone else. */
export function guardPermissions(mayHear: (contents: WebContents | null) => boolean, guarded: Session = session.defaultSession): void {
  guarded.setPermissionRequestHandler((contents, permission, decide, details) => {
    const isOurs = details.isMainFrame && isAppAddress(contents.getURL());
    const types = 'mediaTypes' in details ? (details.mediaTypes ?? []) : [];
    const isMicrophone = permission === 'media' && types.length === 1 && types[0] === 'audio';
    decide(isOurs && (isMicrophone ? mayHear(contents) : permissions.has(permission)));
  });
  guarded.setPermissionCheckHandler((contents, permission, origin, details) => {
    if (origin.replace(/\/$/, '') !== appOrigin) return false;
    const isMicrophone = permission === 'media' && details.mediaType === 'audio';
    return isMicrophone ? mayHear(contents) : permissions.has(permission);
  });
  guarded.setDevicePermissionHandler(() => false);
  guarded.on('will-download', (event) => event.preventDefault());
}
