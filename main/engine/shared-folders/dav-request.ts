/** One request of WebDAV, with what its headers say. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DavError } from './dav-error.ts';
import type { DavLocks } from './dav-locks.ts';
import { type DavPath, parseDavPath } from './dav-path.ts';
import { escapeXml, xmlHead, xmlMaxBytes } from './dav-xml.ts';
import { type IfHeader, parseIfHeader } from './if-header.ts';
import { type Entry, inFolder, type SharedFolder, shareOf } from './open-folder.ts';
import type { Uploads } from './uploads.ts';

export type DavRequest = {
  request: IncomingMessage;
  response: ServerResponse;
  path: DavPath;
  shares: readonly SharedFolder[];
  locks: DavLocks;
  uploads: Uploads;
  condition: IfHeader;
  now(): number;
};

export function readRequest(
  request: IncomingMessage,
  response: ServerResponse,
  rest: Pick<DavRequest, 'shares' | 'locks' | 'uploads' | 'now'>,
): DavRequest {
  const condition = parseIfHeader(header(request, 'if'));
  return { request, response, path: parseDavPath(request.url ?? '/'), condition, ...rest };
}

export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** What is at a path that has a shared folder, or null. */
export function lookAt(shares: readonly SharedFolder[], path: DavPath): Promise<Entry | null> {
  const name = path.at(-1);
  if (path.length < 2 || name === undefined)
    return inFolder(shares, path, async (folder) => ({ kind: 'folder', stats: await folder.stats() }));
  return inFolder(shares, path.slice(0, -1), (parent) => parent.look(name));
}

/** Changes with the content, as far as the file system knows. */
export const etagOf = ({ stats }: Pick<Entry, 'stats'>): string =>
  `"${stats.ino.toString(36)}-${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}"`;

/** @throws DavError 403 for a place that a guest may not write */
export function writable(shares: readonly SharedFolder[], path: DavPath): { parent: DavPath; name: string } {
  const name = path.at(-1);
  if (path.length === 0 || name === undefined) throw new DavError(403, 'Which folders are shared is set on the other side.');
  if (shareOf(shares, path).readOnly) throw new DavError(403, 'The folder may only be read.');
  if (path.length === 1) throw new DavError(403, 'Which folders are shared is set on the other side.');
  return { parent: path.slice(0, -1), name };
}

/** @throws DavError 413, 400 when the connection broke */
export async function readXmlBody({ request, response }: DavRequest): Promise<string> {
  goOn(request, response);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > xmlMaxBytes) throw new DavError(413, 'The request is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** To a client that waits with its content until it hears that it is wanted. */
export function goOn(request: IncomingMessage, response: ServerResponse): void {
  if (header(request, 'expect')?.toLowerCase() === '100-continue') response.writeContinue();
}

export function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-length': '0', ...headers }).end();
}

export function answerXml(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(xmlHead + body, 'utf8');
  response
    .writeHead(status, { 'content-type': 'application/xml; charset=utf-8', 'content-length': String(bytes.length), ...headers })
    .end(bytes);
}

export function answerError(response: ServerResponse, { status, message, condition }: DavError): void {
  if (condition !== null) {
    const said = `<D:error xmlns:D="DAV:"><D:${condition}/><D:description>${escapeXml(message)}</D:description></D:error>`;
    answerXml(response, status, said);
    return;
  }
  const text = Buffer.from(`${message}\n`, 'utf8');
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(text.length) }).end(text);
}
