/** Which file a request means: names that lead nowhere but down, or nothing. */
import { DavError } from './dav-error.ts';

/** The tag of a shared folder, then names below it. Empty is the collection of all shared folders. */
export type DavPath = readonly string[];

const depthMax = 64;
const nameMaxBytes = 255;
/** An upload that is not whole yet, and a copy; what is left over of them after a crash is removed. */
export const uploadPrefix = '.guesthouse-upload-';
/** What stood where something else is being moved to. Never removed unseen: it is the user's. */
export const replacedPrefix = '.guesthouse-replaced-';

/** Whether a guest may see and give this name: no way up, nothing that Windows takes for a separator, nothing that cannot be shown. */
export function isShareableName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[/\\\u0000-\u001f\u007f]/.test(name) || !name.isWellFormed()) return false;
  if (name.startsWith(uploadPrefix) || name.startsWith(replacedPrefix)) return false;
  return Buffer.byteLength(name, 'utf8') <= nameMaxBytes;
}

/**
 * The path of a request's target or of a `Destination`: `/tag/name` or `http://host/tag/name`.
 * @throws DavError 400
 */
export function parseDavPath(target: string): DavPath {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  if (target === '*' || (path === '' && target !== '')) return [];
  if (!path.startsWith('/')) throw new DavError(400, 'The path does not begin with a slash.');
  const names = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeName);
  if (names.length > depthMax) throw new DavError(414, 'The path is too deep.');
  return names;
}

function decodeName(part: string): string {
  let name: string;
  try {
    name = decodeURIComponent(part);
  } catch {
    throw new DavError(400, 'The path is not encoded as it should be.');
  }
  if (!isShareableName(name)) throw new DavError(400, 'The path has a name that cannot be shared.');
  return name;
}

export function buildHref(path: DavPath, isFolder: boolean): string {
  const joined = path.map((name) => `/${encodeURIComponent(name)}`).join('');
  return isFolder ? `${joined}/` : joined;
}

/** Whether `path` is `other` or lies below it. */
export function isWithin(path: DavPath, other: DavPath): boolean {
  return path.length >= other.length && other.every((name, index) => path[index] === name);
}
