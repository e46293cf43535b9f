/** The shared clipboard from the guest's port to this computer's clipboard, and what a policy keeps from going that way. */
import { expect, test } from 'vitest';
import { agentCapability, agentMessage, clipboardType } from '../../renderer/console/spice/agent/agent-messages.ts';
import { launchApp, untilConnected } from '../support/app.ts';
import { goToConsole, untilLive } from '../support/console-page.ts';
import { FakeVdagent, type Heard } from '../support/fake-vdagent.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

/** A PNG of one red pixel. */
const halfRedPixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);
const capabilities = (['CLIPBOARD_BY_DEMAND', 'CLIPBOARD_SELECTION', 'GUEST_LINEEND_LF'] as const).reduce(
  (bits, name) => bits | (1 << agentCapability[name]),
  0,
);

test('text and pictures go both ways between clipboards, and with the policy off nothing does', async () => {
  const app = await launchApp();
  const { electron, page, client } = app;
  await untilConnected(app);
  const { id } = await makeStarterGuest(client, 'Copier');
  await client.call('guest.start', { guest: id });
  await untilStatus(client, id, 'running');
  await goToConsole(page, id);
  await untilLive(page);
  await untilAgent(client, id);
  // There is no window manager here to give a window the focus.
  await electron.evaluate(({ BrowserWindow }) => {
    BrowserWindow.prototype.isFocused = () => true;
  });
  const copyHere = (text: string) => electron.evaluate(({ clipboard }, words) => clipboard.writeText(words), text);
  const copiedHere = () => electron.evaluate(({ clipboard }) => clipboard.readText());
  const use = () => page.locator('.console:not([hidden]) .console-screen').click();
  const leave = () => page.locator('.console:not([hidden]) .console-grab').focus();
  const agent = new FakeVdagent(client, id);
  await leave();
  await copyHere('copied before');
  await use();
  await agent.start(capabilities);

  const said: string[] = [];
  const waiting: Heard[] = [];
  const listen = async () => {
    const heard = await agent.heard();
    said.push(...heard.map((message) => `${message.type} ${message.words.toString('hex')}`));
    waiting.push(...heard);
  };
  /** The next of that type; what came before it is not looked at any more. */
  const untilSaid = (type: number): Promise<Heard> =>
    until(`the guest hears ${type}`, async () => {
      await listen();
      const at = waiting.findIndex((message) => message.type === type);
      return at < 0 ? null : waiting.splice(0, at + 1).at(-1);
    });
  expect((await untilSaid(agentMessage.CLIPBOARD_GRAB)).words.readUInt32LE(0)).toBe(clipboardType.UTF8_TEXT);

  await agent.ask(clipboardType.UTF8_TEXT);
  expect((await untilSaid(agentMessage.CLIPBOARD)).words.subarray(4).toString()).toBe('copied before');

  await agent.grab(clipboardType.UTF8_TEXT);
  expect((await untilSaid(agentMessage.CLIPBOARD_REQUEST)).words.readUInt32LE(0)).toBe(clipboardType.UTF8_TEXT);
  const text = `${'Grüße 👻 漢字\r\n<b>no markup</b>\n'.repeat(300)}end`;
  await agent.give(clipboardType.UTF8_TEXT, Buffer.from(text));
  await until('the text is here', async () => (await copiedHere()) === text);

  await agent.grab(clipboardType.IMAGE_PNG);
  await untilSaid(agentMessage.CLIPBOARD_REQUEST);
  await agent.give(clipboardType.IMAGE_PNG, halfRedPixel);
  const picture = () =>
    electron.evaluate(async ({ clipboard }) => {
      const older = clipboard as unknown as { readImage?: () => { toBitmap(): Uint8Array } };
      return older.readImage ? [...older.readImage().toBitmap()] : null;
    });
  await until('the picture is here', async () => (await picture())?.length !== 0 && (await copiedHere()) === '');
  const pixel = await picture();
  // Half transparent, and multiplied by that, as bitmaps are here.
  if (pixel) expect(pixel).toEqual([0, 0, 127, 127]);

  // What is called a picture and is none does not get here.
  await copyHere('mine again');
  await untilSaid(agentMessage.CLIPBOARD_GRAB);
  await agent.grab(clipboardType.IMAGE_PNG);
  await untilSaid(agentMessage.CLIPBOARD_REQUEST);
  await agent.give(clipboardType.IMAGE_PNG, Buffer.from('<script>alert(1)</script>'));
  await agent.ask(clipboardType.IMAGE_PNG);
  await untilSaid(agentMessage.CLIPBOARD);
  expect(await copiedHere()).toBe('mine again');

  // What another program copies while the console is used is noticed there and then.
  await copyHere('copied meanwhile');
  await untilSaid(agentMessage.CLIPBOARD_GRAB);
  await agent.ask(clipboardType.UTF8_TEXT);
  expect((await untilSaid(agentMessage.CLIPBOARD)).words.subarray(4).toString()).toBe('copied meanwhile');

  await client.call('guest.annotate', { guest: id, clipboard: 'off' });
  await untilSaid(agentMessage.CLIPBOARD_RELEASE);
  await copyHere('secret');
  await leave();
  await use();
  await agent.ask(clipboardType.UTF8_TEXT, 200);
  await agent.grab(clipboardType.UTF8_TEXT);
  await agent.give(clipboardType.UTF8_TEXT, Buffer.from('planted'));
  // The messages of one connection are handled in order: when the last question is answered all of that has been.
  await agent.ask(clipboardType.UTF8_TEXT);
  const answers = () => waiting.filter((message) => message.type === agentMessage.CLIPBOARD);
  await until('every question is answered', async () => {
    await listen();
    return answers().length === 201;
  });
  expect(answers().filter((message) => message.words.byteLength > 4)).toEqual([]);

  await client.call('guest.annotate', { guest: id, clipboard: 'to-guest' });
  await leave();
  await use();
  await untilSaid(agentMessage.CLIPBOARD_GRAB);
  const secret = Buffer.from('secret').toString('hex');
  expect(said.filter((message) => message.includes(secret))).toEqual([]);
  expect(await copiedHere()).toBe('secret');
  await agent.grab(clipboardType.UTF8_TEXT);
  await agent.give(clipboardType.UTF8_TEXT, Buffer.from('planted'));
  await agent.ask(clipboardType.IMAGE_PNG);
  await untilSaid(agentMessage.CLIPBOARD);
  await copyHere('secret 2');
  await leave();
  await use();
  await untilSaid(agentMessage.CLIPBOARD_GRAB);
  await agent.ask(clipboardType.UTF8_TEXT);
  expect((await untilSaid(agentMessage.CLIPBOARD)).words.subarray(4).toString()).toBe('secret 2');
});
