/** The page that gets operating systems from the net, in a window whose net is closed but for a server of the test. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startFileServer } from '../support/file-server.ts';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
import { until } from '../support/until.ts';

const memtest = readFileSync('/usr/lib/memtest86+/memtest86+x64.iso');
const sha256 = createHash('sha256').update(memtest).digest('hex');
/** A proxy that is not there: whatever the computer reaches, the app does not. */
const closedNet = { http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9', no_proxy: '127.0.0.1' };

test('without a net the list is there, says so calmly, and leads to what does without', async () => {
  const { page, electron } = await readyApp({ environment: closedNet });
  await walkTo(page, '/images');
  await page.getByRole('button', { name: 'Get an operating system' }).click();
  await page.getByRole('heading', { level: 1, name: 'Get an operating system' }).waitFor();
  await page.getByText('The net cannot be reached from here').waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  const rows = page.locator('.download-line');
  await until('all entries are there', async () => (await rows.count()) >= 25);

  await page.getByRole('searchbox', { name: 'Find a system' }).fill('alpine cloud');
  await until('one is left', async () => (await rows.count()) === 1);
  await page.getByRole('searchbox', { name: 'Find a system' }).fill('no such thing');
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByRole('radio', { name: 'Cloud disks' }).click();
  await until('only disks are left', async () => (await rows.count()) < 10 && (await rows.count()) > 3);
  await page.goBack().catch(() => undefined);
  await walkTo(page, '/downloads?q=alpine-virt');
  await rows.getByRole('button', { name: 'Download' }).click();
  const failure = page.getByRole('alert');
  await failure.getByText('download/unreachable').waitFor();
  await failure.getByRole('button', { name: 'Discard' }).click();
  await rows.getByRole('button', { name: 'Download' }).waitFor();

  // A page of somebody else opens in the browser, and nowhere else.
  await electron.evaluate(({ shell }) => {
    (globalThis as { opened?: string[] }).opened = [];
    shell.openExternal = async (url) => void (globalThis as { opened?: string[] }).opened?.push(url);
  });
  await walkTo(page, '/downloads?q=server+2025');
  await page.getByRole('button', { name: 'Open its page' }).click();
  await until('the browser is asked', () => electron.evaluate(() => (globalThis as { opened?: string[] }).opened?.length === 1));
  expect(await electron.evaluate(() => (globalThis as { opened?: string[] }).opened)).toEqual([
    'https://www.microsoft.com/en-us/evalcenter/download-windows-server-2025',
  ]);
  await expectNothingSticksOut(page, 'the downloads');
});

test('an image comes from an address: seen while it comes, stopped, gone on with, and in the library', async () => {
  const server = await startFileServer();
  let broken = true;
  server.handle('/disc.iso', (request, response) => {
    if (request.headers.range && broken) return void response.writeHead(403).end();
    const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': memtest.length - from,
      etag: '"one"',
      ...(from > 0 ? { 'content-range': `bytes ${from}-${memtest.length - 1}/${memtest.length}` } : {}),
    });
    if (broken) response.write(memtest.subarray(0, 3_000_000), () => response.socket?.destroySoon());
    else response.end(memtest.subarray(from));
  });
  const { page, call } = await readyApp({ environment: closedNet });
  await walkTo(page, '/downloads');
  await page.getByRole('button', { name: 'From an address…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Address' }).fill('ftp://example.com/disc.iso');
  await dialog.getByRole('button', { name: 'Download' }).click();
  await dialog.getByText('download/url-invalid').waitFor();
  await dialog.getByRole('textbox', { name: 'Address' }).fill(`${server.origin}/disc.iso`);
  await dialog.getByRole('textbox', { name: 'SHA-256' }).fill(sha256);
  await dialog.getByRole('button', { name: 'Download' }).click();
  await dialog.waitFor({ state: 'detached' });

  const kept = page.getByRole('list', { name: 'From addresses' });
  await kept.getByText('download/refused').waitFor();
  await kept.getByText(/of 5\.9\sMiB are kept/).waitFor();
  broken = false;
  await kept.getByRole('button', { name: 'Go on' }).click();
  await until('the image is in the library', async () => (await call('image.list', {})).some((image) => image.sha256 === sha256));
  await kept.waitFor({ state: 'detached' });
  expect(server.asked.at(-1)?.range).toMatch(/^bytes=[1-9]\d*-$/);
});
