/** Files from this computer to the guest's port: dropped, chosen, refused, cancelled, and kept from going by a policy. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileChooser, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { agentCapability, agentMessage, fileStatus } from '../../renderer/console/spice/agent/agent-messages.ts';
import { launchApp, type TestApp, untilConnected } from '../support/app.ts';
import { goTo, goToConsole, untilLive } from '../support/console-page.ts';
import { dragOver } from '../support/drag-files.ts';
import { FakeVdagent, type Heard } from '../support/fake-vdagent.ts';
import { bytesOf } from '../support/scripted-spice.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

const capabilities = (['CLIPBOARD_BY_DEMAND', 'CLIPBOARD_SELECTION', 'GUEST_LINEEND_LF'] as const).reduce(
  (bits, name) => bits | (1 << agentCapability[name]),
  0,
);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('dropped and chosen files reach the guest whole, failures say what to do, and the policy keeps all back', async () => {
  const app = await launchApp();
  const { electron, page, client, home } = app;
  await untilConnected(app);
  const { id } = await makeStarterGuest(client, 'Receiver');
  await client.call('guest.start', { guest: id });
  await untilStatus(client, id, 'running');
  await goToConsole(page, id);
  await untilLive(page);
  await untilAgent(client, id);
  // Asked for long before: Playwright does not wait until the browser knows that it is to hand its dialogs over.
  const choosing = new Promise<FileChooser>((settle) => page.once('filechooser', settle));

  // Which agents there are stands in the panel, with what they say of themselves.
  const version = await until('the guest agent says its version', async () => {
    const { run } = (await client.call('guest.show', { guest: id })).state;
    return run?.qemuAgentVersion ?? null;
  });
  expect(version).toMatch(/^\d+\.\d+/);
  await page.getByRole('button', { name: 'About this connection' }).click();
  await page.locator('.console-panel').getByText(`answers, version ${version}`).waitFor();
  await page.getByRole('button', { name: 'About this connection' }).click();

  const folder = join(home, 'Holiday');
  mkdirSync(join(folder, 'empty'), { recursive: true });
  const picture = Buffer.alloc(150_000).map((_, index) => index >> 5);
  writeFileSync(join(folder, 'Grüße <b>1.bin'), picture);
  writeFileSync(join(home, 'note.txt'), '');
  writeFileSync(join(home, 'large.bin'), Buffer.alloc(100_000, 7));
  const holiday = [folder, join(home, 'note.txt')];
  const target = page.locator('.console-drop');
  const words = async () => ((await target.isVisible()) ? ((await target.textContent()) ?? '') : '');
  const transfers = page.locator('.console-files');

  // Without an agent the console says why, and nothing is imported instead.
  const leave = await dragOver(page, holiday);
  await until('the console says why', async () => (await target.textContent())?.includes('spice-vdagent'));
  await leave('drop');
  await target.waitFor({ state: 'detached' });
  expect(new URL(page.url()).pathname).toContain(id);

  const agent = new FakeVdagent(client, id);
  await agent.start(capabilities);
  const waiting: Heard[] = [];
  const untilSaid = (type: number) =>
    until(
      `the guest hears ${type}`,
      async () => {
        waiting.push(...(await agent.heard()));
        const at = waiting.findIndex((message) => message.type === type);
        return at < 0 ? null : waiting.splice(0, at + 1).at(-1);
      },
      60_000,
    );
  /** What START says, by its lines. */
  const begun = async () => {
    const { selection, words } = (await untilSaid(agentMessage.FILE_XFER_START)) as Heard;
    return { number: selection, lines: words.toString().split('\n') };
  };
  const contentOf = async (bytes: number) => {
    const parts: Buffer[] = [];
    while (parts.reduce((sum, part) => sum + part.byteLength, 0) < bytes)
      parts.push(((await untilSaid(agentMessage.FILE_XFER_DATA)) as Heard).words.subarray(8));
    return Buffer.concat(parts);
  };

  await until('files can be sent', async () => {
    const cancel = await dragOver(page, holiday);
    const text = await words();
    await cancel('dragCancel');
    return text.includes('Drop to send to Receiver');
  });
  const letGo = await dragOver(page, holiday);
  await target.waitFor();
  await letGo('drop');
  const first = await begun();
  expect(first.lines).toEqual([
    '[vdagent-file-xfer]',
    'name=Holiday/Grüße <b>1.bin',
    'size=150000',
    'file-xfer-nr=1',
    'file-xfer-total=2',
    '\0',
  ]);
  await transfers.getByText('Sending 1 of 2 files').waitFor();
  await transfers.getByRole('button', { name: 'Show the files' }).click();
  await agent.file(first.number, fileStatus.CAN_SEND_DATA);
  expect(sha256(await contentOf(150_000))).toBe(sha256(picture));
  await agent.file(first.number, fileStatus.SUCCESS);
  const second = await begun();
  expect(second.lines[1]).toBe('name=note.txt');

  // It goes on while another page is shown, and the window asks before it closes.
  await goTo(page, '/activity');
  await page.locator('.job-list').getByText('Sending 2 of 2 files').waitFor();
  await electron.evaluate(({ dialog, BrowserWindow }) => {
    const asked: string[] = [];
    Object.assign(globalThis, { asked });
    dialog.showMessageBoxSync = (...words: unknown[]) => {
      asked.push((words.at(-1) as { message: string }).message);
      return 0;
    };
    BrowserWindow.getAllWindows()[0]?.close();
  });
  expect(await electron.evaluate(() => (globalThis as unknown as { asked: string[] }).asked)).toEqual([
    'Files are still on their way to a guest.',
  ]);
  await agent.file(second.number, fileStatus.CAN_SEND_DATA);
  expect(((await untilSaid(agentMessage.FILE_XFER_DATA)) as Heard).words.readBigUInt64LE(0)).toBe(0n);
  await agent.file(second.number, fileStatus.SUCCESS);
  await page.getByText('2 files arrived in Receiver').waitFor();
  await goToConsole(page, id);
  await untilLive(page);

  // From the menu, with the keyboard; the guest is full, then it has room, then it is cancelled here.
  await page.getByRole('button', { name: 'Files', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.locator('[role=menuitem]:focus', { hasText: 'Send files…' }).waitFor();
  await page.keyboard.press('Enter');
  await (await choosing).setFiles(join(home, 'large.bin'));
  const third = await begun();
  await agent.file(third.number, fileStatus.NOT_ENOUGH_SPACE, bytesOf(['u64', 2048n]));
  await transfers.getByText('The guest has no room for it: 2 KiB are free. Free some there, then send it again.').waitFor();
  await transfers.getByRole('button', { name: 'Send large.bin again' }).click();
  const fourth = await begun();
  expect(fourth.lines[2]).toBe('size=100000');
  await transfers.getByRole('button', { name: 'Cancel all' }).click();
  const cancelled = (await untilSaid(agentMessage.FILE_XFER_STATUS)) as Heard;
  expect([cancelled.selection, cancelled.words.readUInt32LE(0)]).toEqual([fourth.number, fileStatus.CANCELLED]);
  await transfers.waitFor({ state: 'detached' });

  const again = await dragOver(page, [join(home, 'large.bin')]);
  await again('drop');
  const fifth = await begun();
  await client.call('guest.annotate', { guest: id, files: 'off' });
  const stopped = (await untilSaid(agentMessage.FILE_XFER_STATUS)) as Heard;
  expect(stopped.selection).toBe(fifth.number);
  await transfers.waitFor({ state: 'detached' });
  const refused = await dragOver(page, [join(home, 'large.bin')]);
  await until('the console says that it is off', async () => (await target.textContent())?.includes('switched off'));
  await refused('drop');
  await client.call('guest.annotate', { guest: id, files: 'to-guest' });
  await until('the guest can be sent files again', async () => {
    const over = await dragOver(page, [join(home, 'note.txt')]);
    const possible = (await words()).includes('Drop to send');
    await over(possible ? 'drop' : 'dragCancel');
    return possible;
  });
  // The messages of one connection are handled in order: nothing of what was dropped before came.
  expect((await begun()).lines[1]).toBe('name=note.txt');
});

test('files that were on their way when the page or the app was killed are told by name, once, and leave nothing', {
  timeout: 240_000,
}, async () => {
  const first = await launchApp();
  await untilConnected(first);
  const { home, client } = first;
  const { id } = await makeStarterGuest(client, 'Receiver');
  await client.call('guest.start', { guest: id });
  await untilStatus(client, id, 'running');
  await goToConsole(first.page, id);
  await untilLive(first.page);
  await untilAgent(client, id);
  const agent = new FakeVdagent(client, id);
  await agent.start(capabilities);
  const names = ['one.bin', 'two.bin'];
  for (const name of names) writeFileSync(join(home, name), Buffer.alloc(1000, 1));
  const paths = names.map((name) => join(home, name));
  const dropped = async (page: Page) =>
    until('the files wait for the guest', async () => {
      // What an agent says before the console listens is lost.
      await agent.say(agentMessage.ANNOUNCE_CAPABILITIES, bytesOf(['u32', 0], ['u32', capabilities]));
      const over = await dragOver(page, paths);
      const possible = ((await page.locator('.console-drop').textContent()) ?? '').includes('Drop to send');
      await over(possible ? 'drop' : 'dragCancel');
      return possible;
    });
  const journal = join(home, 'window', 'sending.json');
  const noted = () =>
    until('it is noted what is on its way', () => existsSync(journal) && JSON.parse(readFileSync(journal, 'utf8')).length === 1, 40_000);
  const title = (page: Page) => page.getByText('2 files did not arrive in Receiver');

  await dropped(first.page);
  await noted();
  await first.electron.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents;
    const loaded = new Promise<void>((settle) => contents?.once('did-finish-load', () => settle()));
    contents?.forcefullyCrashRenderer();
    return loaded;
  });
  await until('the page that comes after it says so', async () =>
    (await wordsOfPage(first, '.toast-text')).includes('one.bin and two.bin'),
  );
  expect(readFileSync(journal, 'utf8')).toBe('[]');
  await first.close();

  const second = await launchApp({ home });
  await untilConnected(second);
  expect(await title(second.page).count()).toBe(0);
  await goToConsole(second.page, id);
  await untilLive(second.page);
  await dropped(second.page);
  await noted();
  const app = second.electron.process();
  const gone = new Promise((settle) => app.once('exit', settle));
  app.kill('SIGKILL');
  await gone;

  const third = await launchApp({ home });
  await title(third.page).waitFor({ timeout: 40_000 });
  await third.page.getByText('Guesthouse ended while they were on their way: one.bin and two.bin. Send them again.').waitFor();
  await third.page.getByRole('button', { name: 'Open its console' }).click();
  await untilLive(third.page);
  expect(await title(third.page).count()).toBe(0);
  await until('it is forgotten', () => readFileSync(journal, 'utf8') === '[]');
});

/** Of a page that has crashed and was loaded again: Playwright has given it up. */
function wordsOfPage({ electron }: TestApp, selector: string): Promise<string> {
  return electron.evaluate(
    ({ BrowserWindow }, selector) =>
      BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript(
        `[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.textContent).join('\\n')`,
      ),
    selector,
  );
}
