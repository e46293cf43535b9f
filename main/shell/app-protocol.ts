/** Serves `app://guesthouse/…`: the built pages, read-only, and the pictures of guests' screens, which come from the engine. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { protocol } from 'electron';
import type { GuestId } from '../../contract/ids.ts';
import { appScheme } from '../../contract/shell-channels.ts';
import { parseAppAddress } from './app-address.ts';
import { securityHeaders } from './content-security-policy.ts';

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** To be called before Electron is ready. */
export function declareAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true } },
  ]);
}

export type AppProtocolOptions = {
  /** Folder of the built pages, absolute. */
  pages: string;
  /** The guest's screen as PNG; null when there is none. */
  screenPng: (guest: GuestId, maxAgeMs: number) => Promise<Uint8Array | null>;
};

export function serveAppScheme({ pages, screenPng }: AppProtocolOptions): void {
  protocol.handle(appScheme, async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, null);
    const address = parseAppAddress(request.url, pages);
    if (address.kind === 'file') return answerFile(address.path);
    if (address.kind === 'none') return answer(404, null);
    const png = await screenPng(address.guest, address.maxAgeMs).catch(() => null);
    return png ? answer(200, png, { 'content-type': 'image/png', 'cache-control': 'no-store' }) : answer(404, null);
  });
}

async function answerFile(path: string): Promise<Response> {
  const bytes = await readFile(path).catch(() => null);
  if (!bytes) return answer(404, null);
  const named = /-[\w-]{8}\.\w+$/.test(path);
  return answer(200, bytes, {
    'content-type': contentTypes[extname(path)] ?? 'application/octet-stream',
    // What carries its own hash in its name never changes.
    'cache-control': named ? 'max-age=31536000, immutable' : 'no-cache',
  });
}

function answer(status: number, body: Uint8Array | null, headers: Record<string, string> = {}): Response {
  return new Response(body as Uint8Array<ArrayBuffer> | null, { status, headers: { ...securityHeaders, ...headers } });
}
