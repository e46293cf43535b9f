/** What an `app://guesthouse/…` address asks for. Pure. */
import { extname, resolve, sep } from 'node:path';
import { type GuestId, guestId } from '../../contract/ids.ts';
import { outsideHosts } from '../../contract/outside-hosts.ts';
import { appHost, appScheme } from '../../contract/shell-channels.ts';

export type AppAddress =
  | { kind: 'file'; path: string }
  | { kind: 'screen'; guest: GuestId; maxAgeMs: number }
  /** Nothing of ours. */
  | { kind: 'none' };

const none: AppAddress = { kind: 'none' };
const screenPath = /^\/engine\/guests\/([^/]+)\/screen\.png$/;
const defaultMaxAgeMs = 5000;

/**
 * A path of the built pages below `root`, where an address without an extension is one of the window's own routes and means index.html.
 *
 * INVARIANT: the path of a `file` lies below `root`, whatever the address (`app-address.test.ts`).
 */
export function parseAppAddress(address: string, root: string): AppAddress {
  if (!URL.canParse(address)) return none;
  const url = new URL(address);
  if (url.protocol !== `${appScheme}:` || url.host !== appHost || url.username !== '' || url.password !== '') return none;
  const screen = screenPath.exec(url.pathname);
  if (screen) return parseScreen(screen[1] ?? '', url.searchParams.get('maxAgeMs'));
  if (url.pathname.startsWith('/engine/')) return none;
  const path = decode(url.pathname);
  // No file of ours has such a name, and each of them means something to a file system somewhere.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
  if (path === null || /[\u0000-\u001f\\:]|\/\.|\/\//.test(path)) return none;
  const file = extname(path) === '' ? '/index.html' : path;
  const resolved = resolve(root, `.${file}`);
  return resolved.startsWith(root + sep) ? { kind: 'file', path: resolved } : none;
}

function parseScreen(id: string, maxAge: string | null): AppAddress {
  const guest = guestId.safeParse(id);
  const maxAgeMs = maxAge === null ? defaultMaxAgeMs : /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : Number.NaN;
  return guest.success && !Number.isNaN(maxAgeMs) ? { kind: 'screen', guest: guest.data, maxAgeMs } : none;
}

function decode(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** Whether a page at this address is one of ours. */
export function isAppAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === `${appScheme}:` && url.host === appHost;
}

/** Whether a link may be opened outside the app. */
export function isAllowedOutside(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === 'https:' && url.username === '' && url.port === '' && outsideHosts.includes(url.host);
}
