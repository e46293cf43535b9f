/** GET, HEAD and PROPFIND: what a guest reads of the shared folders. */
import type { ServerResponse } from 'node:http';
import { DavError } from './dav-error.ts';
import { describeLock } from './dav-locks.ts';
import { buildHref, type DavPath } from './dav-path.ts';
import { answer, type DavRequest, etagOf, header, lookAt, readXmlBody } from './dav-request.ts';
import { buildElement, childOf, dav, escapeXml, parseDavXml, xmlHead } from './dav-xml.ts';
import { type Entry, inFolder, type OpenFolder } from './open-folder.ts';

const pieceBytes = 64 * 1024;
const propertiesMax = 200;

/** A part of a file. */
type Range = { from: number; to: number };

/** `null`: there is no range, or one that is not understood. @throws DavError 416 */
export function parseRange(text: string | undefined, size: number): Range | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  if (from >= size || (first === '' && Number(last) === 0)) throw new DavError(416, 'The file is shorter than that.');
  return { from, to };
}

export async function get(dav: DavRequest): Promise<void> {
  const { path, shares, response, request } = dav;
  const name = path.at(-1);
  const entry = path.length < 2 ? null : await lookAt(shares, path);
  if (path.length < 2 || name === undefined || entry?.kind === 'folder') {
    // A folder that is not there is not found; one that is can be looked at in a browser.
    if (path.length === 1) await inFolder(shares, path, async () => undefined);
    return describeFolder(response, request.method === 'HEAD');
  }
  await inFolder(shares, path.slice(0, -1), async (parent) => {
    const { handle, stats } = await parent.file(name);
    try {
      const etag = etagOf({ stats });
      const modified = new Date(Number(stats.mtimeMs));
      const headers = {
        // Never a type that a browser in the guest would run as a page of this address.
        'content-type': 'application/octet-stream',
        'x-content-type-options': 'nosniff',
        'accept-ranges': 'bytes',
        'last-modified': modified.toUTCString(),
        etag,
      };
      if (isKnown(dav, etag, modified)) {
        response.writeHead(304, headers).end();
        return;
      }
      const size = Number(stats.size);
      const onlyIf = header(request, 'if-range');
      const current = onlyIf === undefined || onlyIf === etag || onlyIf === headers['last-modified'];
      const range = current ? rangeOr416(header(request, 'range'), size, response) : null;
      const { from, to } = range ?? { from: 0, to: size - 1 };
      response.writeHead(range ? 206 : 200, {
        ...headers,
        'content-length': String(to - from + 1),
        ...(range ? { 'content-range': `bytes ${from}-${to}/${size}` } : {}),
      });
      if (request.method !== 'HEAD') await sendPart(handle, from, to, response);
      response.end();
    } finally {
      await handle.close();
    }
  });
}

function rangeOr416(text: string | undefined, size: number, response: ServerResponse): Range | null {
  try {
    return parseRange(text, size);
  } catch (thrown) {
    response.setHeader('content-range', `bytes */${size}`);
    throw thrown;
  }
}

function isKnown({ request }: DavRequest, etag: string, modified: Date): boolean {
  const known = header(request, 'if-none-match');
  if (known !== undefined) return known.trim() === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
  const since = Date.parse(header(request, 'if-modified-since') ?? '');
  return !Number.isNaN(since) && Math.floor(modified.getTime() / 1000) * 1000 <= since;
}

/** A file that became shorter meanwhile ends the connection, so that nobody takes what came for all of it. */
async function sendPart(
  handle: { read(bytes: Buffer, offset: number, length: number, at: number): Promise<{ bytesRead: number }> },
  from: number,
  to: number,
  response: ServerResponse,
): Promise<void> {
  for (let at = from; at <= to; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, to - at + 1));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new Error('The file became shorter while it was read.');
    at += bytesRead;
    if (!(await written(response, piece.subarray(0, bytesRead)))) return;
  }
}

/** Whether there is still somebody to send to. */
function written(response: ServerResponse, bytes: Buffer | string): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  if (response.write(bytes)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (open: boolean) => () => {
      response.off('drain', drained);
      response.off('close', closed);
      resolve(open);
    };
    const drained = settle(true);
    const closed = settle(false);
    response.once('drain', drained);
    response.once('close', closed);
  });
}

function describeFolder(response: ServerResponse, headOnly: boolean): void {
  const text = 'This is a folder that is shared over WebDAV. Open it with your file manager: dav://localhost:9843/\n';
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(text.length) });
  response.end(headOnly ? undefined : text);
}

/** Which properties are wanted: all that there are, their names, or these. */
type Wanted = { kind: 'all' } | { kind: 'names' } | { kind: 'these'; names: readonly string[] };

export async function propfind(request: DavRequest): Promise<void> {
  const { path, shares, response } = request;
  const depth = header(request.request, 'depth') ?? 'infinity';
  if (depth !== '0' && depth !== '1') throw new DavError(403, 'Only one level at a time is listed.', 'propfind-finite-depth');
  const wanted = parseWanted(await readXmlBody(request));
  const top: Entry | null = path.length === 0 ? null : await lookAt(shares, path);
  if (path.length > 0 && (!top || top.kind === 'hidden')) throw new DavError(404, 'There is no such file.');
  response.writeHead(207, { 'content-type': 'application/xml; charset=utf-8' });
  const say = (each: DavPath, entry: Entry | null, folder: OpenFolder | null) =>
    propertiesOf(request, wanted, each, entry, folder).then((xml) => written(response, xml));
  await written(response, `${xmlHead}<D:multistatus xmlns:D="DAV:">`);
  if (path.length === 0) {
    await say(path, null, null);
    for (const { tag } of depth === '1' ? shares : []) {
      const entry = await lookAt(shares, [tag]).catch(() => null);
      if (entry) await say([tag], entry, null);
    }
  } else if (top?.kind === 'folder') {
    await inFolder(shares, path, async (folder) => {
      await say(path, top, folder);
      if (depth === '1') await list(request, folder, say);
    });
  } else await say(path, top, null);
  response.end('</D:multistatus>');
}

/** Entry by entry: a folder may have more of them than should be held at once. */
async function list(
  { path, shares, uploads, now }: DavRequest,
  folder: OpenFolder,
  say: (path: DavPath, entry: Entry, folder: null) => Promise<boolean>,
): Promise<void> {
  const readOnly = shares.find(({ tag }) => tag === path[0])?.readOnly ?? true;
  if (!readOnly) for await (const name of folder.names()) if (name !== null) await uploads.sweep(folder, name, now());
  for await (const { name, entry } of folder.entries()) if (!(await say([...path, name], entry, null))) return;
}

function parseWanted(body: string): Wanted {
  if (body.trim() === '') return { kind: 'all' };
  const root = parseDavXml(body);
  if (root.name !== dav('propfind')) throw new DavError(400, 'The request is no PROPFIND.');
  const these = childOf(root, 'prop');
  if (these) return { kind: 'these', names: these.children.slice(0, propertiesMax).map(({ name }) => name) };
  return childOf(root, 'propname') ? { kind: 'names' } : { kind: 'all' };
}

const supportedLocks = ['exclusive', 'shared']
  .map((scope) => `<D:lockentry><D:lockscope><D:${scope}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>`)
  .join('');

async function propertiesOf(
  { locks }: DavRequest,
  wanted: Wanted,
  path: DavPath,
  entry: Entry | null,
  folder: OpenFolder | null,
): Promise<string> {
  const isFolder = entry?.kind !== 'file';
  const href = buildHref(path, isFolder);
  const known = new Map<string, () => string | Promise<string>>([
    [dav('resourcetype'), () => (isFolder ? '<D:collection/>' : '')],
    [dav('displayname'), () => escapeXml(path.at(-1) ?? 'Shared folders')],
    [dav('supportedlock'), () => supportedLocks],
    [
      dav('lockdiscovery'),
      () =>
        locks
          .covering(path)
          .map((lock) => describeLock(lock, buildHref(lock.path, false)))
          .join(''),
    ],
  ]);
  if (entry) {
    const { stats } = entry;
    known.set(dav('getlastmodified'), () => new Date(Number(stats.mtimeMs)).toUTCString());
    known.set(dav('creationdate'), () => new Date(Number(stats.birthtimeMs)).toISOString());
    known.set(dav('getetag'), () => escapeXml(etagOf(entry)));
    if (!isFolder) {
      known.set(dav('getcontentlength'), () => String(stats.size));
      known.set(dav('getcontenttype'), () => 'application/octet-stream');
    }
  }
  // RFC 4331; not among "all", since it asks the file system.
  const asked = new Map(known);
  if (folder) asked.set(dav('quota-available-bytes'), async () => String(await folder.freeBytes()));
  const names = wanted.kind === 'these' ? wanted.names : [...known.keys()];
  const found: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const value = asked.get(name);
    if (!value) missing.push(buildElement(name, ''));
    else found.push(buildElement(name, wanted.kind === 'names' ? '' : await value()));
  }
  const part = (properties: string[], status: string) =>
    `<D:propstat><D:prop>${properties.join('')}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;
  const parts = [
    ...(found.length > 0 || missing.length === 0 ? [part(found, '200 OK')] : []),
    ...(missing.length > 0 ? [part(missing, '404 Not Found')] : []),
  ];
  return `<D:response><D:href>${escapeXml(href)}</D:href>${parts.join('')}</D:response>\n`;
}

export function options({ response }: DavRequest): void {
  answer(response, 200, { allow: allowed, 'ms-author-via': 'DAV' });
}

export const allowed = 'OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK';
