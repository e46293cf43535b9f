/** The window while its guest moves to another QEMU that somebody started: it goes along, and stays when the guest stays. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { agentCapability, agentMessage, fileStatus } from '../../renderer/console/spice/agent/agent-messages.ts';
import { launchApp, untilConnected } from '../support/app.ts';
import { absence, canvasPixels, goToConsole, runInGuest, typeBlindly, typeKeys } from '../support/console-page.ts';
import { dragOver } from '../support/drag-files.ts';
import { FakeVdagent, type Heard } from '../support/fake-vdagent.ts';
import { canvasOf } from '../support/monitor-pixels.ts';
import { differingPixels } from '../support/png.ts';
import { coloursIn } from '../support/recorded-colours.ts';
import { bytesOf } from '../support/scripted-spice.ts';
import {
  beginMove,
  firstQemu,
  type GuestQemu,
  memoryInFile,
  type SecondQemu,
  startSecondQemu,
  untilMoved,
  untilStays,
} from '../support/second-qemu.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { expectTyped } from '../support/typed-keys.ts';
import { until } from '../support/until.ts';
import { askFolders, foldersRequest } from '../support/webdavd.ts';

const shown = '.console:not([hidden])';
const heads = [0, 1] as const;
const fileCapabilities = (1 << agentCapability.CLIPBOARD_BY_DEMAND) | (1 << agentCapability.GUEST_LINEEND_LF);

/** Nothing is said over the picture, and both monitors are what that QEMU says. */
async function untilEqual(page: Page, qemu: GuestQemu): Promise<void> {
  for (const head of heads) await page.locator(canvasOf(head)).waitFor({ timeout: 60_000 });
  await absence(page).waitFor({ state: 'detached', timeout: 60_000 });
  let differing: number[] = [];
  await until(
    'both monitors equal their screendumps',
    async () => {
      differing = await Promise.all(
        heads.map(async (head) => differingPixels(await canvasPixels(page, canvasOf(head)), await qemu.screendump(head))),
      );
      return differing.every((count) => count === 0);
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${differing.join(' and ')} pixels differ`, { cause: error });
  });
}

async function channels(qemu: GuestQemu): Promise<number> {
  return ((await qemu.qmp('query-spice')) as { channels?: unknown[] }).channels?.length ?? 0;
}

/** Drops files on the picture, as soon as the guest takes any. */
async function drop(page: Page, paths: readonly string[]): Promise<void> {
  await until('the files are dropped', async () => {
    const over = await dragOver(page, paths);
    const possible = ((await page.locator('.console-drop').textContent()) ?? '').includes('Drop to send');
    await over(possible ? 'drop' : 'dragCancel');
    return possible;
  });
}

/** Tells the guest's screen to where it goes. */
async function announce(from: GuestQemu, to: SecondQemu, port: number): Promise<void> {
  const here = await channels(from);
  await from.qmp('client_migrate_info', { protocol: 'spice', hostname: '127.0.0.1', port });
  await until('the window is connected to both', async () => (await channels(to)) === here, 60_000);
}

/**
 * Types until it is told to stop: no faster than the guest reads, and without asking it once it moves, with Shift held from somewhere on. The
 * answer is what was typed.
 */
function keepTyping(
  page: Page,
  run: (script: string) => Promise<string>,
): { count(): number; blindly(): Promise<void>; stop(): Promise<string> } {
  let typed = '';
  let going = true;
  let wanted = false;
  let held = false;
  const done = (async () => {
    for (let count = 0; going || !held; count++) {
      if (wanted && !held) await page.keyboard.down('ShiftLeft');
      held = wanted;
      const key = 'asdfghjkl'[count % 9] as string;
      await (held ? typeBlindly(page, key) : typeKeys(page, run, key));
      typed += held ? key.toUpperCase() : key;
    }
  })();
  return {
    count: () => typed.length,
    blindly: async () => {
      wanted = true;
      await Promise.race([done, until('Shift is held', () => held)]);
    },
    stop: async () => {
      going = false;
      await done;
      await page.keyboard.up('ShiftLeft');
      return typed;
    },
  };
}

/** The app, and a guest that can be moved, with two monitors and a shared folder. */
async function withTraveller() {
  const app = await launchApp();
  const { client, home } = app;
  await untilConnected(app);
  const { id: guest } = await makeStarterGuest(client, 'Traveller');
  const papers = join(home, 'papers');
  mkdirSync(papers);
  writeFileSync(join(papers, 'letter'), 'Dear guest');
  await client.call('guest.edit', {
    guest,
    change: {
      display: { device: 'virtio', heads: 2 },
      shares: [{ path: papers, via: 'webdav' }],
      extraArguments: memoryInFile(join(home, 'memory'), 256),
    },
  });
  return { app, guest };
}

test('a window goes along with its guest to another QEMU, and stays with it when the move comes to nothing', {
  timeout: 400_000,
}, async () => {
  const { app, guest } = await withTraveller();
  const { page, client, electron, home } = app;
  // The place that servers name: nobody goes there.
  let strangers = 0;
  const elsewhere = createServer((socket) => {
    strangers++;
    socket.destroy();
  });
  const port = await new Promise<number>((settle) =>
    elsewhere.listen(0, '127.0.0.1', () => settle((elsewhere.address() as { port: number }).port)),
  );
  onTestFinished(() => void elsewhere.close());

  await app.call('guest.start', { guest });
  await untilStatus(client, guest, 'running');
  await goToConsole(page, guest);
  await page.locator(canvasOf(0)).waitFor({ timeout: 60_000 });
  await untilAgent(client, guest);
  await runInGuest(client, guest, 'echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  await page.getByRole('button', { name: 'Monitors' }).click();
  await page.getByRole('menuitemradio', { name: 'Side by side' }).click();
  await page.keyboard.press('Escape');
  const first = firstQemu(app, guest);
  await untilEqual(page, first);
  const incoming = (name: string) => join(home, name);

  // Cancelled, and then a target that dies: the guest stays, and its window with it.
  for (const end of ['cancel', 'kill'] as const) {
    const target = await startSecondQemu(app, guest);
    await announce(first, target, port);
    await beginMove(first, target, incoming(end), false);
    if (end === 'cancel') await first.qmp('migrate_cancel');
    else await target.kill();
    await untilStays(first);
    await target.kill();
    await runInGuest(client, guest, `(clear; echo ${end}; seq 1 20) > /dev/tty1`);
    await untilEqual(page, first);
  }

  const video = join(home, 'moved.webm');
  await electron.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath });
  }, video);
  await page.locator(shown).getByRole('button', { name: 'Record a video…' }).click();
  await page.getByRole('img', { name: 'A video is being recorded' }).waitFor();

  // Moved while it prints and is typed to: where the servers hand each other their state, and where they do not.
  let from: GuestQemu & Partial<SecondQemu> = first;
  let run = (script: string) => runInGuest(client, guest, script);
  for (const [how, colour] of [
    ['seamless', 44],
    ['anew', 42],
  ] as const) {
    // It is the server that is left which hands its state on, or does not.
    const target = await startSecondQemu(app, guest, { handsOn: false });
    await run('rm -f /tmp/stop; (while [ ! -e /tmp/stop ]; do date; usleep 200000; done > /dev/tty1 2>&1 &)');
    // A click would lock the pointer of a guest that takes movements.
    await page.locator(`${shown} [data-head="0"] .console-screen`).focus();
    await typeKeys(page, run, `dd of=/tmp/${how}\n`);
    const typing = keepTyping(page, run);
    await announce(from, target, port);
    await typing.blindly();
    const beginning = typing.count();
    await beginMove(from, target, incoming(how), true);
    await untilMoved(from, target);
    await until('the window has left the other', async () => (await channels(from)) === 0, 60_000);
    // Some were on their way when it began.
    const mostLost = typing.count() - beginning + 5;
    await from.kill?.();
    const typed = await typing.stop();
    await typeKeys(page, target.run, 'qwe\n');
    await page.keyboard.press('Control+KeyD');
    from = target;
    run = target.run;
    const arrived = await until('it was typed', async () => /^.*qwe\n/s.exec(await run(`cat /tmp/${how}`))?.[0].trim(), 60_000);
    expectTyped(arrived, `${typed}qwe`, mostLost);
    expect(arrived).toMatch(/^[a-z]+[A-Z]+qwe$/);
    await run('touch /tmp/stop; sleep 1');
    await run(`printf '\\033[${colour}m\\033[2J\\033[H${how}' > /dev/tty1`);
    await untilEqual(page, target);
    expect(await askFolders(run, [foldersRequest('GET', '/papers/letter')])).toEqual([expect.stringMatching(/200 OK.*Dear guest$/s)]);
  }

  const recorded = page.locator(`${shown} .console-recorded`);
  const seconds = async () => Number((await recorded.textContent())?.replace(/.*:/, ''));
  const now = await seconds();
  await until('the last picture is recorded for a while', async () => ((await seconds()) - now + 60) % 60 >= 2);
  await page.locator(shown).getByRole('button', { name: 'End the recording' }).click();
  await page.getByText(`Recorded to ${video}`).waitFor();
  expect(await coloursIn(page, readFileSync(video))).toEqual(['blue', 'green']);

  // A console that is opened anew shows where the guest is, and nobody takes what is left here for it.
  await page.reload();
  await untilEqual(page, from);
  const state = async () => (await client.call('guest.show', { guest })).state;
  await until('the engine says so', async () => (await state()).pause?.kind === 'moved', 40_000);
  await expect(client.call('guest.resume', { guest })).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await page.getByText('Traveller runs elsewhere').waitFor();
  const shots = process.env.GUESTHOUSE_SHOTS;
  if (shots) await page.screenshot({ path: join(shots, 'moved.png') });

  // What was left of it ends: the window stays with the guest, until that ends too.
  const left = (await state()).run?.pid ?? 0;
  process.kill(left, 'SIGKILL');
  await until('the engine has seen it', async () => (await state()).status === 'crashed', 40_000);
  await page.locator(`${shown} [data-head="0"] .console-screen`).focus();
  await run("printf '\\033[m\\033[2J\\033[Halone' > /dev/tty1");
  await typeKeys(page, run, 'mkdir /tmp/here\n');
  await until('it was typed', async () => /^here$/m.test(await run('ls /tmp')), 40_000);
  await untilEqual(page, from);
  await from.kill?.();
  await absence(page).getByText('Traveller stopped unexpectedly').waitFor({ timeout: 40_000 });
  await page.locator(`${shown} canvas[data-console-frame]`).first().waitFor();

  expect(strangers).toBe(0);
});

/** Its console is shown, and an agent in it takes files. */
async function withTravellingFiles() {
  const { app, guest } = await withTraveller();
  const { page, client } = app;
  await app.call('guest.start', { guest });
  await untilStatus(client, guest, 'running');
  await goToConsole(page, guest);
  await page.locator(canvasOf(0)).waitFor({ timeout: 60_000 });
  await untilAgent(client, guest);
  const agent = new FakeVdagent(client, guest);
  await agent.start(fileCapabilities);
  return { app, guest, agent };
}

test('a file that is on its way and a shared folder go on when the guest moves and the servers hand each other their state', {
  timeout: 400_000,
}, async () => {
  const { app, guest, agent } = await withTravellingFiles();
  const { page, client, home } = app;
  const said: Heard[] = [];
  const untilSaid = (type: number) =>
    until(
      `the guest hears ${type}`,
      async () => {
        said.push(...(await agent.heard()));
        const at = said.findIndex((message) => message.type === type);
        return at < 0 ? null : said.splice(0, at + 1).at(-1);
      },
      60_000,
    );
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index >> 4));
  writeFileSync(join(home, 'large.bin'), content);
  const transfers = page.locator('.console-files');

  const from = firstQemu(app, guest);
  await drop(page, [join(home, 'large.bin')]);
  const { selection: number } = (await untilSaid(agentMessage.FILE_XFER_START)) as Heard;
  // It stands in the middle of the file while the guest moves.
  await agent.holdBack(true);
  await agent.file(number, fileStatus.CAN_SEND_DATA);
  await transfers.getByText(/KiB of 293\sKiB/).waitFor({ timeout: 60_000 });
  expect(await askFolders((script) => runInGuest(client, guest, script), [foldersRequest('GET', '/papers/letter')])).toEqual([
    expect.stringMatching(/200 OK.*Dear guest$/s),
  ]);

  const target = await startSecondQemu(app, guest);
  await announce(from, target, 1);
  await beginMove(from, target, join(home, 'incoming'), true);
  await untilMoved(from, target);
  await until('the window has left the other', async () => (await channels(from)) === 0, 60_000);
  agent.goAlong(target.run);
  await agent.holdBack(false);
  const parts: Buffer[] = [];
  while (parts.reduce((sum, part) => sum + part.byteLength, 0) < content.byteLength)
    parts.push(((await untilSaid(agentMessage.FILE_XFER_DATA)) as Heard).words.subarray(8));
  expect(Buffer.concat(parts).equals(content)).toBe(true);
  await agent.file(number, fileStatus.SUCCESS);
  await page.getByText('1 file arrived in Traveller').first().waitFor();
  await transfers.waitFor({ state: 'detached' });
  expect(await askFolders(target.run, [foldersRequest('GET', '/papers/letter')])).toEqual([expect.stringMatching(/200 OK.*Dear guest$/s)]);
});

test('a file that is on its way begins again where the guest has moved to and nothing was handed over', { timeout: 400_000 }, async () => {
  const { app, guest, agent } = await withTravellingFiles();
  const { page, home } = app;
  const first = firstQemu(app, guest);
  const move = async (from: GuestQemu, to: SecondQemu, name: string) => {
    await beginMove(from, to, join(home, name), true);
    await untilMoved(from, to);
    await until('the window has left the other', async () => (await channels(from)) === 0, 60_000);
    agent.goAlong(to.run);
  };
  const from = await startSecondQemu(app, guest, { handsOn: false });
  await announce(first, from, 1);
  await move(first, from, 'there');

  const content = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => index >> 4));
  writeFileSync(join(home, 'large.bin'), content);
  writeFileSync(join(home, 'next.txt'), 'next');
  const said: Heard[] = [];
  const listen = async () => void said.push(...(await agent.heard()));
  const begun = () => said.filter(({ type }) => type === agentMessage.FILE_XFER_START);
  const contentOf = (number: number) =>
    Buffer.concat(
      said
        .filter(({ type, selection }) => type === agentMessage.FILE_XFER_DATA && selection === number)
        .map(({ words }) => words.subarray(8)),
    );
  const untilBegun = (count: number) =>
    until(
      `${count} were begun`,
      async () => {
        await listen();
        return begun()[count - 1]?.selection ?? null;
      },
      60_000,
    );
  const transfers = page.locator('.console-files');
  await drop(page, [join(home, 'large.bin'), join(home, 'next.txt')]);
  // It stands in the middle of the file when the guest is to move.
  const interrupted = await untilBegun(1);
  await agent.holdBack(true);
  await agent.file(interrupted, fileStatus.CAN_SEND_DATA);
  await transfers.getByText(/KiB of 1\.9\sMiB/).waitFor({ timeout: 60_000 });
  const to = await startSecondQemu(app, guest);
  await announce(from, to, 1);
  await agent.holdBack(false);
  await move(from, to, 'further');
  // An agent says what it can do when it is asked to; this one does not hear that it is.
  const again = await until(
    'it is begun anew',
    async () => {
      await agent.say(agentMessage.ANNOUNCE_CAPABILITIES, bytesOf(['u32', 0], ['u32', fileCapabilities]));
      await listen();
      return begun()[1]?.selection ?? null;
    },
    60_000,
  );
  expect(contentOf(interrupted).byteLength).toBeLessThan(content.byteLength);
  await agent.file(again, fileStatus.CAN_SEND_DATA);
  await until(
    'all of it has arrived',
    async () => {
      await listen();
      return contentOf(again).byteLength >= content.byteLength;
    },
    120_000,
  );
  expect(contentOf(again).equals(content)).toBe(true);
  await agent.file(again, fileStatus.SUCCESS);
  const next = await untilBegun(3);
  await agent.file(next, fileStatus.CAN_SEND_DATA);
  await until('the other has arrived', async () => {
    await listen();
    return contentOf(next).toString() === 'next';
  });
  await agent.file(next, fileStatus.SUCCESS);
  await page.getByText('2 files arrived in Traveller').first().waitFor();
  await transfers.waitFor({ state: 'detached' });
});
