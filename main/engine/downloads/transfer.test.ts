import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { toGuesthouseError } from '../../../contract/errors.ts';
import { type FileServer, startFileServer } from '../../../tests/support/file-server.ts';
import { createHttp } from './http.ts';
import { type TransferOptions, transferFile } from './transfer.ts';

const body = randomBytes(3_000_000);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const timings = { firstRetryMs: 5, longestRetryMs: 20, failuresInARow: 4, slowAfterMs: 300, slowBytesPerSecond: 50_000 };

type Kept = TransferOptions['kept'];

/** A place for one download, with what would be remembered of it. */
function place() {
  const folder = mkdtempSync('/tmp/gh-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const part = join(folder, 'part');
  let kept: Kept = { bytesSynced: 0, validator: null, bytesTotal: null };
  return {
    part,
    content: () => readFileSync(part),
    kept: () => kept,
    async fetch(
      urls: string[],
      more: Partial<TransferOptions> & { stallMs?: number; proxy?: string; environment?: NodeJS.ProcessEnv } = {},
    ) {
      const http = await createHttp({
        proxy: more.proxy ?? null,
        environment: more.environment ?? {},
        timings: { connectMs: 2000, headersMs: more.stallMs ?? 2000, stallMs: more.stallMs ?? 2000 },
      });
      try {
        await transferFile({
          http,
          urls,
          digest: { algorithm: 'sha256', value: sha256(body) },
          name: 'disc.iso',
          part,
          kept,
          keep: async (change) => {
            kept = change;
          },
          keepFreeBytes: () => 0,
          timings,
          signal: new AbortController().signal,
          onProgress: () => undefined,
          ...more,
        });
        return 'done';
      } catch (thrown) {
        return toGuesthouseError(thrown).code;
      } finally {
        await http.close();
      }
    },
  };
}

const rangesOf = (server: FileServer, path: string) => server.asked.filter((one) => one.path === path).map((one) => one.range ?? 'all');

test('a file comes whole, and is asked for once', async () => {
  const [server, here] = [await startFileServer(), place()];
  server.serve('/a', body);
  expect(await here.fetch([`${server.origin}/a`])).toBe('done');
  expect(here.content().equals(body)).toBe(true);
  expect(rangesOf(server, '/a')).toEqual(['all']);
});

test('a connection that is cut again and again goes on each time where it broke off', async () => {
  const [server, here] = [await startFileServer(), place()];
  server.serve('/a', { body, etag: '"one"', cutAfterBytes: 700_000 });
  expect(await here.fetch([`${server.origin}/a`])).toBe('done');
  expect(here.content().equals(body)).toBe(true);
  const ranges = rangesOf(server, '/a');
  expect(ranges.length).toBeGreaterThan(3);
  expect(new Set(ranges).size).toBe(ranges.length);
  expect(server.asked.slice(1).every((one) => one.ifRange === '"one"')).toBe(true);
});

test('what an earlier run left is not asked for again', async () => {
  const [server, here] = [await startFileServer(), place()];
  writeFileSync(here.part, body.subarray(0, 2_000_000));
  server.serve('/a', body);
  expect(await here.fetch([`${server.origin}/a`])).toBe('done');
  expect(rangesOf(server, '/a')).toEqual(['bytes=2000000-']);
  expect(here.content().equals(body)).toBe(true);
});

test('a part that is damaged is found out in the end, and the file fetched anew', async () => {
  const [server, here] = [await startFileServer(), place()];
  writeFileSync(here.part, randomBytes(2_000_000));
  server.serve('/a', body);
  expect(await here.fetch([`${server.origin}/a`])).toBe('done');
  expect(rangesOf(server, '/a')).toEqual(['bytes=2000000-', 'all']);
  expect(here.content().equals(body)).toBe(true);
});

test('without a checksum only what was forced to the disk is gone on with, and only while the server says that it is the same file', async () => {
  const [server, here] = [await startFileServer(), place()];
  const url = `${server.origin}/a`;
  server.serve('/a', { body, etag: '"one"', cutAfterBytes: 900_000 });
  expect(await here.fetch([url], { digest: null, timings: { ...timings, failuresInARow: 1 } })).toBe('done');
  expect(here.content().equals(body)).toBe(true);
  expect(server.asked.filter((one) => one.range !== undefined).every((one) => one.ifRange === '"one"')).toBe(true);
  const another = place();
  writeFileSync(another.part, body.subarray(0, 1_000_000));
  server.serve('/a', { body, etag: '"one"' });
  server.asked.length = 0;
  // The part is of unknown origin: nothing was remembered of it.
  expect(await another.fetch([url], { digest: null })).toBe('done');
  expect(rangesOf(server, '/a')).toEqual(['all']);
  expect(another.content().equals(body)).toBe(true);
});

test('a file that changes between two attempts is fetched anew and never put together from both', async () => {
  for (const digest of [null, { algorithm: 'sha256', value: sha256(body) } as const]) {
    const [server, here] = [await startFileServer(), place()];
    const old = randomBytes(2_500_000);
    server.handle('/a', (_request, response) => {
      server.serve('/a', { body, etag: '"new"' });
      response.writeHead(200, { 'content-length': old.length, etag: '"old"' });
      response.write(old.subarray(0, 1_000_000), () => response.socket?.destroySoon());
    });
    expect(await here.fetch([`${server.origin}/a`], { digest })).toBe('done');
    expect(here.content().equals(body)).toBe(true);
  }
});

test('a server that ignores ranges is read from the start', async () => {
  const [server, here] = [await startFileServer(), place()];
  writeFileSync(here.part, body.subarray(0, 1_000_000));
  server.serve('/a', { body, ignoresRange: true });
  expect(await here.fetch([`${server.origin}/a`])).toBe('done');
  expect(here.content().equals(body)).toBe(true);
});

test('a server that ignores ranges and cuts each time is given up', async () => {
  const [server, here] = [await startFileServer(), place()];
  server.serve('/a', { body, ignoresRange: true, cutAfterBytes: 1_000_000 });
  expect(await here.fetch([`${server.origin}/a`])).toBe('download/unreachable');
  expect(server.asked.length).toBeLessThan(15);
});

test('the wrong content is not accepted, and nothing of it is kept', async () => {
  const [server, here] = [await startFileServer(), place()];
  server.serve('/a', randomBytes(1_000_000));
  expect(await here.fetch([`${server.origin}/a`])).toBe('download/checksum-mismatch');
  expect(here.content().length).toBe(0);
  expect(here.kept()).toMatchObject({ bytesSynced: 0, validator: null });
});

test('when one mirror has the wrong content, the next is asked', async () => {
  const [bad, good, here] = [await startFileServer(), await startFileServer(), place()];
  bad.handle('/a', (_request, response) => {
    bad.handle('/a', (_again, refused) => void refused.writeHead(503).end());
    response.end(randomBytes(1_000_000));
  });
  good.serve('/a', body);
  expect(await here.fetch([`${bad.origin}/a`, `${good.origin}/a`])).toBe('done');
  expect(here.content().equals(body)).toBe(true);
});

test('mirrors are asked in turn, and what one began another goes on with', async () => {
  const [gone, broken, good, here] = [await startFileServer(), await startFileServer(), await startFileServer(), place()];
  broken.handle('/a', (_request, response) => {
    broken.handle('/a', (_again, refused) => void refused.writeHead(500).end());
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, 500_000), () => response.socket?.destroySoon());
  });
  good.serve('/a', body);
  expect(await here.fetch([gone, broken, good].map(({ origin }) => `${origin}/a`))).toBe('done');
  expect(here.content().equals(body)).toBe(true);
  expect(rangesOf(good, '/a')[0]).toMatch(/^bytes=\d+-$/);
  expect(gone.asked).toHaveLength(1);
});

test('a server that says more than it sends, less than it sends, or nothing of it', async () => {
  const [server, here] = [await startFileServer(), place()];
  server.serve('/more', { body, saysLength: body.length + 5000 });
  expect(await here.fetch([`${server.origin}/more`])).toBe('done');
  expect(here.content().equals(body)).toBe(true);
  const less = place();
  server.serve('/less', { body, saysLength: body.length - 5000 });
  expect(await less.fetch([`${server.origin}/less`])).not.toBe('done');
  const unsaid = place();
  server.serve('/unsaid', { body, chunked: true });
  expect(await unsaid.fetch([`${server.origin}/unsaid`])).toBe('done');
  expect(unsaid.content().equals(body)).toBe(true);
});

test('a server that stops sending is left and asked again', async () => {
  const [server, here] = [await startFileServer(), place()];
  server.serve('/a', { body, stallAfterBytes: 1_200_000 });
  expect(await here.fetch([`${server.origin}/a`], { stallMs: 600 })).toBe('done');
  expect(here.content().equals(body)).toBe(true);
  expect(rangesOf(server, '/a').length).toBe(3);
}, 20_000);

test('a slow mirror gives way to a quicker one, and a slow server without another is waited for', async () => {
  const [slow, quick, here] = [await startFileServer(), await startFileServer(), place()];
  slow.serve('/a', { body, bytesPerSecond: 20_000 });
  quick.serve('/a', body);
  expect(await here.fetch([`${slow.origin}/a`, `${quick.origin}/a`])).toBe('done');
  expect(rangesOf(quick, '/a')[0]).toMatch(/^bytes=/);
  const small = body.subarray(0, 30_000);
  slow.serve('/small', { body: small, bytesPerSecond: 20_000 });
  const alone = place();
  expect(await alone.fetch([`${slow.origin}/small`], { digest: { algorithm: 'sha256', value: sha256(small) } })).toBe('done');
}, 20_000);

test('redirects are followed within bounds, and a circle, an endless way, another protocol and a login are not', async () => {
  const [server, here] = [await startFileServer(), place()];
  const redirect = (to: string) => (_request: unknown, response: ServerResponse) => void response.writeHead(302, { location: to }).end();
  server.serve('/a', body);
  server.handle('/there', redirect('/a'));
  expect(await here.fetch([`${server.origin}/there`])).toBe('done');
  server.handle('/circle', redirect('/circle2'));
  server.handle('/circle2', redirect('/circle'));
  for (let index = 0; index < 30; index += 1) server.handle(`/far${index}`, redirect(`/far${index + 1}`));
  server.handle('/file', redirect('file:///etc/passwd'));
  server.handle('/login', redirect('https://me:secret@127.0.0.1/'));
  for (const path of ['circle', 'far0', 'file', 'login'])
    expect([path, await place().fetch([`${server.origin}/${path}`])]).toEqual([path, 'download/redirect-refused']);
  expect(server.asked.length).toBeLessThan(30);
});

test('a file that is not there and one that is not handed out are told apart', async () => {
  const server = await startFileServer();
  expect(await place().fetch([`${server.origin}/no`])).toBe('download/file-missing');
  server.handle('/secret', (_request, response) => void response.writeHead(403).end());
  expect(await place().fetch([`${server.origin}/secret`])).toBe('download/refused');
  expect(server.asked.length).toBe(2);
});

test('a server that is not there is tried a bounded number of times', async () => {
  const server = await startFileServer();
  server.handle('/a', (request) => void request.socket.destroy());
  expect(await place().fetch([`${server.origin}/a`])).toBe('download/unreachable');
  expect(server.asked.length).toBe(timings.failuresInARow);
});

test('more than fits is refused before it is fetched', async () => {
  const [server, here] = [await startFileServer(), place()];
  server.serve('/a', body);
  expect(await here.fetch([`${server.origin}/a`], { keepFreeBytes: () => Number.MAX_SAFE_INTEGER })).toBe('store/full');
  expect(here.content().length).toBe(0);
});

test('a proxy is asked when the environment or the settings name one, and not for what is excepted', async () => {
  const [server, proxy] = [await startFileServer(), await startFileServer()];
  server.serve('/a', body);
  proxy.handle(`${server.origin}/a`, (_request, response) => void response.end(body));
  const url = `${server.origin}/a`;
  expect(await place().fetch([url], { environment: { http_proxy: proxy.origin } })).toBe('done');
  expect(await place().fetch([url], { proxy: proxy.origin })).toBe('done');
  expect([proxy.asked.length, server.asked.length]).toEqual([2, 0]);
  expect(await place().fetch([url], { environment: { http_proxy: proxy.origin, no_proxy: '127.0.0.1' } })).toBe('done');
  expect(await place().fetch([url], { environment: { http_proxy: proxy.origin }, proxy: 'direct' })).toBe('done');
  expect([proxy.asked.length, server.asked.length]).toEqual([2, 2]);
});
