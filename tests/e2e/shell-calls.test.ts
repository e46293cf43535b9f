import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guestId } from '../../contract/ids.ts';
import { launchApp, nextWindow, untilConnected } from '../support/app.ts';
import { makeStarterGuest, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

/** A PNG of one red pixel. */
const redPixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');

test('pictures go to the file or the clipboard that was asked for, and a chosen file may be shown', async () => {
  const { electron, page, home } = await launchApp();
  const chosen = join(home, 'pictures', '..', 'saved.png');
  await electron.evaluate(({ dialog, shell }, path) => {
    const shown: string[] = [];
    const suggested: (string | undefined)[] = [];
    Object.assign(globalThis, { shown, suggested });
    // Native dialogs and the file manager are the one thing that is played here.
    dialog.showSaveDialog = async (...words: unknown[]) => {
      suggested.push((words.at(-1) as { defaultPath?: string }).defaultPath);
      return { canceled: false, filePath: path };
    };
    dialog.showOpenDialog = async () => ({ canceled: false, filePaths: ['/etc/hostname'] });
    shell.showItemInFolder = (path) => shown.push(path);
  }, chosen);
  const answers = await page.evaluate(
    async (bytes) => {
      const png = new Uint8Array(bytes);
      const saved = await window.guesthouse.shell('shell.savePng', { suggestedName: '../../etc/evil/a:b.png', png });
      const before = await window.guesthouse.shell('shell.showFile', { path: '/etc/hostname' });
      const medium = await window.guesthouse.shell('shell.chooseMedium', { kind: 'iso' });
      const after = await window.guesthouse.shell('shell.showFile', { path: '/etc/hostname' });
      const copied = await window.guesthouse.shell('shell.copyPng', { png });
      const garbage = await window.guesthouse.shell('shell.savePng', { suggestedName: 'x.png', png: new Uint8Array([1, 2, 3]) });
      return { saved, before, medium, after, copied, garbage };
    },
    [...redPixel],
  );
  expect(answers.saved).toEqual({ ok: true, value: chosen });
  expect(readFileSync(join(home, 'saved.png')).equals(redPixel)).toBe(true);
  expect(readdirSync(home).filter((name) => name.endsWith('.new'))).toEqual([]);
  expect(answers.before).toMatchObject({ ok: false, error: { code: 'call/forbidden-origin' } });
  expect(answers.medium).toEqual({ ok: true, value: '/etc/hostname' });
  expect(answers.after).toEqual({ ok: true, value: null });
  expect(answers.copied).toEqual({ ok: true, value: null });
  expect(answers.garbage).toMatchObject({ ok: false, error: { code: 'call/invalid-input', path: 'png' } });
  const native = await electron.evaluate(({ clipboard }) => ({
    ...(globalThis as unknown as { shown: string[]; suggested: string[] }),
    size: (clipboard as unknown as { readImage?: () => { getSize(): object } }).readImage?.().getSize(),
  }));
  expect(native.shown).toEqual(['/etc/hostname']);
  expect(native.suggested).toHaveLength(1);
  expect(native.suggested[0]).toMatch(/\/\.\.-\.\.-etc-evil-a-b\.png$/);
  expect(native.size).toEqual({ width: 1, height: 1 });
});

test('the clipboard is read for the window that has the focus and for no other', async () => {
  const { electron, page } = await launchApp();
  const readWith = async (isFocused: boolean) => {
    await electron.evaluate(({ BrowserWindow, clipboard }, focused) => {
      BrowserWindow.prototype.isFocused = () => focused;
      return clipboard.writeText('copied elsewhere');
    }, isFocused);
    return page.evaluate(() => window.guesthouse.shell('shell.readText', {}));
  };
  expect(await readWith(true)).toEqual({ ok: true, value: 'copied elsewhere' });
  expect(await readWith(false)).toMatchObject({ ok: false, error: { code: 'call/forbidden-origin' } });
});

test('what is copied is written and read as text or a picture, of each selection, and by its stamp it is known again', async () => {
  const { electron, page } = await launchApp();
  await electron.evaluate(({ BrowserWindow }) => {
    BrowserWindow.prototype.isFocused = () => true;
  });
  const answers = await page.evaluate(
    async (bytes) => {
      const bridge = window.guesthouse;
      const value = async (answer: Promise<{ ok: boolean; value?: unknown; error?: unknown }>) => {
        const { ok, value: given, error } = await answer;
        return ok ? given : error;
      };
      const text = 'Grüße 👻\r\n<b>';
      const png = new Uint8Array(bytes);
      return {
        stamp: await value(bridge.shell('shell.writeCopied', { selection: 'clipboard', copied: { kind: 'text', text } })),
        kinds: await value(bridge.shell('shell.copiedKinds', {})),
        text: await value(bridge.shell('shell.readCopied', { selection: 'clipboard', kind: 'text' })),
        none: await value(bridge.shell('shell.readCopied', { selection: 'clipboard', kind: 'png' })),
        picture: await value(bridge.shell('shell.writeCopied', { selection: 'clipboard', copied: { kind: 'png', png } })),
        primary: await value(bridge.shell('shell.writeCopied', { selection: 'primary', copied: { kind: 'text', text: 'selected' } })),
        kindsNow: await value(bridge.shell('shell.copiedKinds', {})),
        garbage: await value(
          bridge.shell('shell.writeCopied', { selection: 'clipboard', copied: { kind: 'png', png: new Uint8Array([1, 2]) } }),
        ),
        readPng: await value(bridge.shell('shell.readCopied', { selection: 'clipboard', kind: 'png' })),
      };
    },
    [...redPixel],
  );
  expect(answers.kinds).toMatchObject({ clipboard: { stamp: answers.stamp, kinds: ['text'] } });
  expect(answers.text).toEqual({ kind: 'text', text: 'Grüße 👻\r\n<b>' });
  expect(answers.none).toBeNull();
  expect(answers.picture).not.toBe(answers.stamp);
  expect(answers.kindsNow).toMatchObject({
    clipboard: { stamp: answers.picture, kinds: ['png'] },
    primary: { stamp: answers.primary, kinds: ['text'] },
  });
  expect(answers.garbage).toMatchObject({ code: 'call/invalid-input' });
  expect(answers.readPng).toMatchObject({ kind: 'png' });
  expect(await electron.evaluate(({ clipboard }) => (clipboard as unknown as { readText(of: string): string }).readText('selection'))).toBe(
    'selected',
  );
  await electron.evaluate(({ BrowserWindow }) => {
    BrowserWindow.prototype.isFocused = () => false;
  });
  const refused = await page.evaluate(async () => [
    await window.guesthouse.shell('shell.copiedKinds', {}),
    await window.guesthouse.shell('shell.readCopied', { selection: 'clipboard', kind: 'text' }),
  ]);
  for (const answer of refused) expect(answer).toMatchObject({ ok: false, error: { code: 'call/forbidden-origin' } });
});

test('a page learns the path of a file that the user gave it, and of no file that it made itself', async () => {
  const { page } = await launchApp();
  await page.evaluate(() => {
    const field = document.createElement('input');
    field.type = 'file';
    field.id = 'given';
    document.body.append(field);
  });
  await page.setInputFiles('#given', '/etc/hostname');
  const paths = await page.evaluate(() => {
    const given = document.querySelector<HTMLInputElement>('#given')?.files?.[0];
    return [given ?? {}, new File(['x'], '/etc/passwd'), {}].map((file) => window.guesthouse.pathOfFile(file));
  });
  expect(paths).toEqual(['/etc/hostname', '', '']);
});

test('a medium that is opened with the app leads to the page that makes a guest of it', async () => {
  const { page } = await launchApp({ words: ['/srv/a b.iso'] });
  await page.waitForURL('app://guesthouse/new/iso?path=%2Fsrv%2Fa%20b.iso');
});

test('a console is torn off into one window and put back, and the theme follows the setting in every window', async () => {
  const app = await launchApp();
  const { electron, page } = app;
  await untilConnected(app);
  const guest = guestId.parse('g000000000');
  const detach = () => page.evaluate((id) => window.guesthouse.shell('shell.detachConsole', { guest: id }), guest);
  const [torn] = await Promise.all([nextWindow(electron), detach()]);
  await torn.waitForLoadState('domcontentloaded');
  await detach();
  expect(electron.windows()).toHaveLength(2);
  expect(await torn.evaluate(() => window.guesthouse.info.window)).toEqual({ kind: 'console', guest });

  await app.call('settings.set', { theme: 'dark' });
  // Playwright plays a light system to the pages, so they are asked what they were told and not what they see.
  await until('both windows are dark', async () => {
    const told = await Promise.all([page, torn].map((shown) => shown.evaluate(() => document.documentElement.dataset.theme)));
    return told.every((theme) => theme === 'dark') && electron.evaluate(({ nativeTheme }) => nativeTheme.shouldUseDarkColors);
  });
  expect(readFileSync(join(app.home, 'window', 'theme'), 'utf8')).toBe('dark');

  await torn.evaluate((id) => void window.guesthouse.shell('shell.attachConsole', { guest: id }), guest);
  await until('its window is closed', () => electron.windows().length === 1);
  await page.waitForURL('app://guesthouse/guests/g000000000/console');
});

test('a problem that nobody looks at becomes a notification, unless that was switched off', async () => {
  const app = await launchApp();
  const { electron } = app;
  await untilConnected(app);
  await electron.evaluate(({ Notification, BrowserWindow }) => {
    const shown: string[] = [];
    Object.assign(globalThis, { shown });
    Notification.isSupported = () => true;
    Notification.prototype.show = function show(this: { body: string }) {
      shown.push(this.body);
    };
    BrowserWindow.prototype.isFocused = () => false;
  });
  const shown = () => electron.evaluate(() => (globalThis as unknown as { shown: string[] }).shown);
  const guest = await makeStarterGuest(app.client, 'Mayfly');
  const crash = async () => {
    await app.call('guest.start', { guest: guest.id });
    await untilStatus(app.client, guest.id, 'running');
    const { run } = (await app.call('guest.show', { guest: guest.id })).state;
    if (run) process.kill(run.pid, 'SIGKILL');
    await untilStatus(app.client, guest.id, 'crashed');
  };
  await crash();
  await until('it was announced', async () => (await shown()).some((body) => body.includes('Mayfly')));
  const announced = (await shown()).length;
  await app.call('settings.set', { notifications: false });
  await crash();
  // Whatever would follow follows within the time in which several problems are gathered.
  await new Promise((settle) => setTimeout(settle, 1000));
  expect(await shown()).toHaveLength(announced);
});
