/** PUT, MKCOL, DELETE, COPY, MOVE, PROPPATCH, LOCK and UNLOCK: what a guest changes in a shared folder that it may write. */
import { utimes } from 'node:fs/promises';
import { DavError } from './dav-error.ts';
import { describeLock, parseTimeout } from './dav-locks.ts';
import { buildHref, type DavPath, isWithin, parseDavPath } from './dav-path.ts';
import { answer, answerXml, type DavRequest, etagOf, goOn, header, lookAt, readXmlBody, writable } from './dav-request.ts';
import { buildElement, childOf, dav, escapeXml, parseDavXml } from './dav-xml.ts';
import { inFolder, type OpenFolder } from './open-folder.ts';
import { copyTree, putInPlace, refuseHidden, removeTree, writeAll } from './uploads.ts';

/** Room that an upload leaves on the disk, for whoever else writes there. */
const roomLeftBytes = 64 * 1024 * 1024;

export async function put(request: DavRequest): Promise<void> {
  const { request: incoming, response, shares, path, locks, condition, uploads } = request;
  const { parent, name } = writable(shares, path);
  if (header(incoming, 'content-range') !== undefined) throw new DavError(400, 'Only whole files are written.');
  locks.mayWrite(path, condition.tokens, false);
  await inParent(request, parent, async (folder) => {
    const before = await folder.look(name);
    if (before?.kind === 'folder') throw new DavError(405, 'There is a folder of that name.');
    if (before?.kind === 'hidden') throw new DavError(403, 'There is something of that name that is not shared.');
    if (before) await folder.mayWrite(name);
    checkVersion(request, before ? etagOf(before) : null);
    if (!before) locks.mayWrite(parent, condition.tokens, false);
    const length = Number(header(incoming, 'content-length') ?? 0);
    if (length > (await folder.freeBytes()) - roomLeftBytes) throw new DavError(507, 'There is no room for it.');
    await uploads.within(folder, async (upload) => {
      const handle = await folder.create(upload, before ? Number(before.stats.mode & 0o777n) : undefined);
      try {
        goOn(incoming, response);
        let sinceLooked = 0;
        for await (const chunk of incoming as AsyncIterable<Buffer>) {
          await writeAll(handle, chunk);
          sinceLooked += chunk.length;
          if (sinceLooked < roomLeftBytes / 2) continue;
          sinceLooked = 0;
          if ((await folder.freeBytes()) < roomLeftBytes / 2) throw new DavError(507, 'There is no room for it.');
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      // What was put there meanwhile is not written over unseen.
      const now = await folder.look(name);
      if (now && now.kind !== 'file') throw new DavError(409, 'Something else has that name now.');
      checkVersion(request, now ? etagOf(now) : null);
      await folder.moveTo(upload, folder, name);
    });
    await folder.sync();
    const after = await folder.look(name);
    answer(response, before ? 204 : 201, after ? { etag: etagOf(after) } : {});
  });
}

export async function makeFolder(request: DavRequest): Promise<void> {
  const { path, shares, locks, condition, response } = request;
  const { parent, name } = writable(shares, path);
  if ((await readXmlBody(request)) !== '') throw new DavError(415, 'A folder is made without content.');
  locks.mayWrite(path, condition.tokens, false);
  locks.mayWrite(parent, condition.tokens, false);
  await inParent(request, parent, async (folder) => {
    await folder.makeFolder(name);
    await folder.sync();
  });
  answer(response, 201);
}

export async function remove(request: DavRequest): Promise<void> {
  const { path, shares, locks, condition, response } = request;
  const { parent, name } = writable(shares, path);
  locks.mayWrite(path, condition.tokens, true);
  locks.mayWrite(parent, condition.tokens, false);
  await inFolder(shares, parent, async (folder) => {
    const entry = await folder.look(name);
    if (!entry || entry.kind === 'hidden') throw new DavError(404, 'There is no such file.');
    checkVersion(request, etagOf(entry));
    await refuseHidden(folder, name);
    await removeTree(folder, name);
    await folder.sync();
  });
  locks.forget(path);
  answer(response, 204);
}

/** COPY and MOVE. */
export async function transfer(request: DavRequest, move: boolean): Promise<void> {
  const { path, shares, locks, condition, response } = request;
  const to = destinationOf(request);
  const target = writable(shares, to);
  const source = path.length >= 2 && !move ? { parent: path.slice(0, -1), name: path.at(-1) as string } : writable(shares, path);
  if (isWithin(to, path) || isWithin(path, to)) throw new DavError(403, 'It cannot be put into itself or upon itself.');
  if (move) {
    locks.mayWrite(path, condition.tokens, true);
    locks.mayWrite(source.parent, condition.tokens, false);
  }
  locks.mayWrite(to, condition.tokens, true);
  const deep = (header(request.request, 'depth') ?? 'infinity') !== '0' || move;
  const existed = await inFolder(shares, source.parent, (from) =>
    inParent(request, target.parent, async (folder) => {
      const entry = await from.look(source.name);
      if (!entry || entry.kind === 'hidden') throw new DavError(404, 'There is no such file.');
      const before = await folder.look(target.name);
      if (before?.kind === 'hidden') throw new DavError(403, 'There is something of that name that is not shared.');
      if (before && header(request.request, 'overwrite')?.trim().toUpperCase() === 'F') throw new DavError(412, 'There is one already.');
      if (before) await refuseHidden(folder, target.name);
      else locks.mayWrite(target.parent, condition.tokens, false);
      if (!move || !(await movedAtOnce(from, source.name, folder, target.name)))
        await copyInPlace(request, from, source.name, folder, target.name, deep);
      await folder.sync();
      if (move) {
        // It was copied to another file system.
        if (await from.look(source.name)) {
          await refuseHidden(from, source.name);
          await removeTree(from, source.name);
        }
        await from.sync();
      }
      return before !== null;
    }),
  );
  if (move) locks.forget(path);
  if (existed) locks.forget(to);
  answer(response, existed ? 204 : 201);
}

/** False when the two lie on different file systems. */
async function movedAtOnce(from: OpenFolder, name: string, to: OpenFolder, newName: string): Promise<boolean> {
  try {
    await putInPlace(from, name, to, newName);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EXDEV') return false;
    throw thrown;
  }
}

/** Copied beside its place, and put there when it is whole. */
function copyInPlace(
  { uploads, response }: DavRequest,
  from: OpenFolder,
  name: string,
  to: OpenFolder,
  newName: string,
  deep: boolean,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  return uploads.within(to, async (upload) => {
    await copyTree(from, name, to, upload, { deep, signal: left.signal });
    await putInPlace(to, upload, to, newName);
  });
}

/** @throws DavError 400, and 502 for another server */
function destinationOf({ request }: DavRequest): DavPath {
  const text = header(request, 'destination');
  if (text === undefined) throw new DavError(400, 'There is no destination.');
  const host = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1];
  if (host !== undefined && host.toLowerCase() !== header(request, 'host')?.toLowerCase())
    throw new DavError(502, 'The destination is another server.');
  return parseDavPath(text);
}

/** The folder in which something new is to be. @throws DavError 409 when there is none */
async function inParent<Result>({ shares }: DavRequest, parent: DavPath, use: (folder: OpenFolder) => Promise<Result>): Promise<Result> {
  const folder = await lookAt(shares, parent).catch(() => null);
  if (folder?.kind !== 'folder') throw new DavError(409, 'There is no folder for it.');
  return inFolder(shares, parent, use);
}

/** @throws DavError 412 when it is not what the client knows */
function checkVersion({ request }: DavRequest, etag: string | null): void {
  const is = (wanted: string) =>
    wanted.trim() === '*' ? etag !== null : wanted.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
  const match = header(request, 'if-match');
  const noneMatch = header(request, 'if-none-match');
  if ((match !== undefined && !is(match)) || (noneMatch !== undefined && is(noneMatch))) throw new DavError(412, 'It is not what it was.');
}

const windowsSpace = 'urn:schemas-microsoft-com:';

/** Nothing but the time of a file is kept. Windows refuses to copy to a server that does not take its own properties, so these count as set. */
export async function proppatch(request: DavRequest): Promise<void> {
  const { path, shares, locks, condition, response } = request;
  const { parent, name } = writable(shares, path);
  const root = parseDavXml(await readXmlBody(request));
  if (root.name !== dav('propertyupdate')) throw new DavError(400, 'The request is no PROPPATCH.');
  locks.mayWrite(path, condition.tokens, false);
  const changes = root.children.flatMap((one) => childOf(one, 'prop')?.children ?? []);
  await inFolder(shares, parent, async (folder) => {
    const entry = await folder.look(name);
    if (!entry || entry.kind === 'hidden') throw new DavError(404, 'There is no such file.');
    const time = changes.find(
      (change) => change.name === `{${windowsSpace}}Win32LastModifiedTime` || change.name === dav('getlastmodified'),
    );
    const at = Date.parse(time?.text ?? '');
    const known = changes.every((change) => change === time || change.name.startsWith(`{${windowsSpace}}Win32`));
    if (known && !Number.isNaN(at)) await setTime(folder, name, entry.kind, at);
    const status = known ? '200 OK' : '403 Forbidden';
    const properties = changes.map((change) => buildElement(change.name, '')).join('');
    answerXml(
      response,
      207,
      `<D:multistatus xmlns:D="DAV:"><D:response><D:href>${escapeXml(buildHref(path, entry.kind === 'folder'))}</D:href><D:propstat>` +
        `<D:prop>${properties}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat></D:response></D:multistatus>`,
    );
  });
}

async function setTime(folder: OpenFolder, name: string, kind: 'file' | 'folder' | 'hidden', ms: number): Promise<void> {
  const date = new Date(ms);
  if (kind === 'folder') {
    const itself = await folder.sub(name);
    try {
      await utimes(itself.pathOf('.'), date, date);
    } finally {
      await itself.close();
    }
    return;
  }
  const { handle } = await folder.file(name);
  try {
    await handle.utimes(date, date);
  } finally {
    await handle.close();
  }
}

export async function lock(request: DavRequest): Promise<void> {
  const { path, shares, locks, condition, response } = request;
  writable(shares, path);
  const timeoutSeconds = parseTimeout(header(request.request, 'timeout'));
  const body = await readXmlBody(request);
  if (body.trim() === '') {
    const refreshed = locks.refresh(condition.tokens, path, timeoutSeconds);
    return answerXml(response, 200, lockAnswer(describeLock(refreshed, buildHref(refreshed.path, false))));
  }
  const root = parseDavXml(body);
  const scope = childOf(root, 'lockscope');
  if (root.name !== dav('lockinfo') || !scope) throw new DavError(400, 'The request is no LOCK.');
  const owner = childOf(root, 'owner');
  const ownerHref = childOf(owner, 'href');
  const taken = locks.take({
    path,
    deep: (header(request.request, 'depth') ?? 'infinity') !== '0',
    exclusive: childOf(scope, 'shared') === undefined,
    owner: { href: ownerHref !== undefined, text: (ownerHref ?? owner)?.text ?? '' },
    timeoutSeconds,
  });
  try {
    const made = await holdPlace(request);
    answerXml(response, made ? 201 : 200, lockAnswer(describeLock(taken, buildHref(path, false))), { 'lock-token': `<${taken.token}>` });
  } catch (thrown) {
    locks.release(taken.token, path);
    throw thrown;
  }
}

const lockAnswer = (lock: string): string => `<D:prop xmlns:D="DAV:"><D:lockdiscovery>${lock}</D:lockdiscovery></D:prop>`;

/** A name that is locked before there is anything gets an empty file. Whether it did. */
function holdPlace(request: DavRequest): Promise<boolean> {
  const { parent, name } = writable(request.shares, request.path);
  return inParent(request, parent, async (folder) => {
    const entry = await folder.look(name);
    if (entry?.kind === 'hidden') throw new DavError(403, 'There is something of that name that is not shared.');
    if (entry) return false;
    request.locks.mayWrite(parent, request.condition.tokens, false);
    const handle = await folder.create(name);
    await handle.sync();
    await handle.close();
    await folder.sync();
    return true;
  });
}

export function unlock({ request, response, path, locks }: DavRequest): void {
  const token = /^<([^<>]*)>$/.exec(header(request, 'lock-token')?.trim() ?? '')?.[1];
  if (token === undefined) throw new DavError(400, 'There is no lock token.');
  locks.release(token, path);
  answer(response, 204);
}
