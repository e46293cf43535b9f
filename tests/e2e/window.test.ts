import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appCommand, freshHome, launchApp, runProgram, untilConnected } from '../support/app.ts';
import { until } from '../support/until.ts';

test('the window appears with a page that knows what it runs on, and reaches its engine', async () => {
  const { page, electron, client } = await launchApp();
  expect(page.url()).toMatch(/^app:\/\/guesthouse\/(library)?$/);
  await untilConnected({ client });
  const info = await page.evaluate(() => window.guesthouse.info);
  expect(info).toMatchObject({ version: await electron.evaluate(({ app }) => app.getVersion()), window: { kind: 'main' } });
  const answer = await page.evaluate(() => window.guesthouse.call('engine.info', {}));
  expect(answer).toMatchObject({ ok: true });
  const visible = await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((window) => window.isVisible()));
  expect(visible).toEqual([true]);
});

test('a window comes back where it was, and onto a display that is there', async () => {
  const home = freshHome();
  const bounds = { x: 120, y: 90, width: 1011, height: 707 };
  const first = await launchApp({ home });
  await first.electron.evaluate(({ BrowserWindow }, wanted) => BrowserWindow.getAllWindows()[0]?.setBounds(wanted), bounds);
  await until('the bounds are kept', () => {
    try {
      return readFileSync(join(home, 'window', 'windows.json'), 'utf8').includes('"width":1011');
    } catch {
      return false;
    }
  });
  await first.close();
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
  expect([modeOf(join(home, 'window')), modeOf(join(home, 'window', 'windows.json'))]).toEqual(['700', '600']);

  const boundsOf = async () => {
    const app = await launchApp({ home });
    const found = await app.electron.evaluate(({ BrowserWindow, screen }) => ({
      bounds: BrowserWindow.getAllWindows()[0]?.getBounds(),
      area: screen.getPrimaryDisplay().workArea,
    }));
    await app.close();
    return found;
  };
  expect((await boundsOf()).bounds).toEqual(bounds);

  writeFileSync(
    join(home, 'window', 'windows.json'),
    JSON.stringify({ main: { bounds: { x: 9000, y: -4000, width: 300, height: 200 }, maximised: false, fullScreen: true } }),
  );
  // An app that was killed while a console was full screen has left it so: the library is not.
  const moved = await boundsOf();
  expect(moved.bounds).toEqual({ x: moved.area.x + moved.area.width - 800, y: moved.area.y, width: 800, height: 600 });
});

test('a second start shows its page in the first window and ends', async () => {
  const home = freshHome();
  const { page, electron } = await launchApp({ home });
  await until('the page listens', () => page.evaluate(() => document.querySelector('#content') !== null));
  const second = await appCommand(home, ['guesthouse://guest/g0a1b2c3d4/console']);
  const { status, output } = await runProgram(second.executable, second.words, second.environment, 20_000);
  expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining('already open') });
  await page.waitForURL('app://guesthouse/guests/g0a1b2c3d4/console');
  expect(await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
});

test('a hostile link opens nothing and says so in the window', async () => {
  const home = freshHome();
  const { page } = await launchApp({ home, words: ['guesthouse://guest/../../settings'] });
  expect(page.url()).toMatch(/^app:\/\/guesthouse\/(library)?$/);
  await page.getByText('The link that was opened leads to nothing in Guesthouse.').waitFor();
  for (const link of ['guesthouse://guest/<img src=x>', `guesthouse://${'a'.repeat(3000)}`, 'guesthouse:javascript:alert(1)']) {
    const again = await appCommand(home, [link]);
    expect((await runProgram(again.executable, again.words, again.environment, 20_000)).status).toBe(0);
  }
  expect(page.url()).toMatch(/^app:\/\/guesthouse\/(library)?$/);
});

test('a remote desktop’s file is answered with what it is and that it cannot be opened', async () => {
  const home = freshHome();
  const { page } = await launchApp({ home, words: ['/tmp/desk.vv'] });
  await page.getByText('Guesthouse cannot open remote desktops yet').waitFor();
});

test('a page that crashes is loaded again where it was', async () => {
  const { page, electron } = await launchApp();
  await until('the page listens', () => page.evaluate(() => document.querySelector('#content') !== null));
  await page.evaluate(() => history.pushState(null, '', '/images'));
  await electron.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents;
    const loaded = new Promise<void>((settle) => contents?.once('did-finish-load', () => settle()));
    contents?.forcefullyCrashRenderer();
    return loaded;
  });
  const url = await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getURL());
  expect(url).toBe('app://guesthouse/images');
});
