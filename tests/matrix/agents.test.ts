/**
 * The agents that real guests have, with the window that people have: a Debian desktop is imported, started and used, and what arrives is looked
 * at inside the guest by its own tools.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeImage } from 'electron';
import { beforeAll, expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { agentsDisk } from '../support/agents-disk.ts';
import { launchApp, type TestApp, untilConnected } from '../support/app.ts';
import { runGuesthouse } from '../support/command-line.ts';
import { goToConsole, typeKeys, untilLive } from '../support/console-page.ts';
import { dragOver } from '../support/drag-files.ts';
import { untilHeadEqual } from '../support/monitor-pixels.ts';
import { decodePng, differingPixels, type Pixels } from '../support/png.ts';
import { untilStatus } from '../support/starter-guest.ts';
import { photo, screenBytes } from '../support/test-photos.ts';
import { untilKeysRead } from '../support/typed-keys.ts';
import { patienceMs, until } from '../support/until.ts';

let disk: string;

beforeAll(async () => {
  disk = await agentsDisk(console.log);
}, 1_200_000);

const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('hex');

/** A desktop that somebody imported and started, with its console in the window. */
class Desktop {
  readonly app: TestApp;
  readonly guest: GuestId;

  /** Folders that it shares, the second one to be read only. */
  readonly papers: string;
  readonly music: string;

  constructor(app: TestApp, guest: GuestId) {
    this.app = app;
    this.guest = guest;
    this.papers = join(app.home, 'papers');
    this.music = join(app.home, 'music');
  }

  /** What a shell script in the guest says, as root and with the desktop's screen. Throws when it ends with anything but 0. */
  async run(script: string, timeoutSeconds = 120): Promise<string> {
    const command = ['/bin/sh', '-c', `export DISPLAY=:0 XDG_RUNTIME_DIR=/run/user/1000; ${script}`];
    const { exitStatus, stdoutBase64, stderrBase64 } = await this.app.client.call(
      'guest.exec',
      { guest: this.guest, command, timeoutSeconds },
      { timeoutMs: (timeoutSeconds + 10) * 1000 },
    );
    const text = (base64: string) => Buffer.from(base64, 'base64').toString();
    if (exitStatus !== 0) throw new Error(`${script}: ${exitStatus} ${text(stderrBase64)}`);
    return text(stdoutBase64);
  }

  /** The same as the person at its screen. */
  asSomeone(script: string): Promise<string> {
    return this.run(`su someone -c 'export XDG_RUNTIME_DIR=/run/user/1000; ${script}'`);
  }

  /** Settles when that is what the guest's script says, white space aside. One that fails says nothing yet. */
  untilSays(script: string, wanted: string): Promise<unknown> {
    const says = () =>
      this.run(script).then(
        (text) => text.trim() === wanted,
        () => false,
      );
    return until(`“${script}” to say ${wanted}`, says, patienceMs);
  }
}

/** What `dragOver` drags is let go once the window says that the guest takes it. */
async function drop({ app: { page } }: Desktop, paths: string[]): Promise<void> {
  const letGo = await dragOver(page, paths);
  await page.locator('.console-drop', { hasText: 'Drop to send' }).waitFor({ timeout: patienceMs });
  await letGo('drop');
}

/** B, G, R and opaque, as Electron takes it. */
const bitmapOf = (picture: Pixels) => [...screenBytes(picture)].map((byte, index) => (index % 4 === 3 ? 255 : byte));

const screenOf = ({ app: { page } }: Desktop) => page.locator('.console:not([hidden]) .console-screen');

/** As the Electron that tests run on has it; the types are of a newer one. */
type Clipboard = {
  readText(which: 'clipboard' | 'selection'): string;
  writeText(text: string, which: 'clipboard' | 'selection'): void;
  readImage(): NativeImage;
  writeImage(image: NativeImage): void;
};

async function copying(desktop: Desktop): Promise<void> {
  const { electron, page, client } = desktop.app;
  // There is no window manager here to give a window the focus.
  await electron.evaluate(({ BrowserWindow }) => {
    BrowserWindow.prototype.isFocused = () => true;
  });
  type Selection = 'clipboard' | 'selection';
  const copiedHere = (selection: Selection) =>
    electron.evaluate(({ clipboard }, which) => (clipboard as unknown as Clipboard).readText(which), selection);
  /** Copied while the console is not used, which it then is. */
  const copyHere = async (selection: Selection, text: string) => {
    await page.locator('.console:not([hidden]) .console-grab').focus();
    await electron.evaluate(({ clipboard }, [which, words]) => (clipboard as unknown as Clipboard).writeText(words, which), [
      selection,
      text,
    ] as const);
    await screenOf(desktop).click({ position: { x: 20, y: 500 } });
  };
  const copyThere = (what: string, selection = 'clipboard') =>
    desktop.run(`${what} > /tmp/copied; setsid xclip -i -selection ${selection} /tmp/copied > /dev/null 2>&1`);
  const untilHere = (selection: Selection, text: string) =>
    until('it is on this computer’s clipboard', async () => (await copiedHere(selection)) === text, patienceMs);
  const there = (selection: string) => `timeout 20 xclip -o -selection ${selection} 2>&1`;

  await copyHere('clipboard', 'Grüße 👻 from here');
  await desktop.untilSays(there('clipboard'), 'Grüße 👻 from here');
  await copyThere('printf "Grüße aus dem Gast 漢字"');
  await untilHere('clipboard', 'Grüße aus dem Gast 漢字');

  // What X11 pastes with the middle button.
  await copyHere('selection', 'marked here');
  await desktop.untilSays(there('primary'), 'marked here');
  await copyThere('printf "marked there"', 'primary');
  await untilHere('selection', 'marked there');
  expect(await copiedHere('clipboard')).toBe('Grüße aus dem Gast 漢字');

  const large = 'ä👻 line of text\n'.repeat(220_000);
  await copyHere('clipboard', large);
  await desktop.untilSays(`${there('clipboard')} | md5sum | cut -c 1-32`, md5(large));
  await copyThere("yes 'many lines' | head -c 4400000");
  await until('4 MB are here', async () => (await copiedHere('clipboard')) === 'many lines\n'.repeat(400_000), patienceMs);

  // The picture gets there through the shared folder, and comes back as what was copied.
  const picture = photo(300, 200, 7);
  const png = await electron.evaluate(
    ({ nativeImage }, bytes) => nativeImage.createFromBitmap(Buffer.from(bytes), { width: 300, height: 200 }).toPNG().toString('base64'),
    bitmapOf(picture),
  );
  writeFileSync(join(desktop.papers, 'picture.png'), png, 'base64');
  await desktop.run(
    'curl -sf -o /tmp/picture.png http://localhost:9843/papers/picture.png; setsid xclip -i -selection clipboard -t image/png /tmp/picture.png >/dev/null 2>&1',
  );
  const isHere = async () => {
    const bytes = Buffer.from(
      await electron.evaluate(({ clipboard }) => (clipboard as unknown as Clipboard).readImage().toPNG().toString('base64')),
      'base64',
    );
    return bytes.byteLength > 0 && differingPixels(decodePng(bytes), picture) === 0;
  };
  await until('the picture is here', isHere, patienceMs);
  const other = photo(200, 100, 8);
  await page.locator('.console:not([hidden]) .console-grab').focus();
  await electron.evaluate(({ clipboard, nativeImage }, bytes) => {
    (clipboard as unknown as Clipboard).writeImage(nativeImage.createFromBitmap(Buffer.from(bytes), { width: 200, height: 100 }));
  }, bitmapOf(other));
  await screenOf(desktop).click({ position: { x: 20, y: 500 } });
  await desktop.untilSays(
    'timeout 20 xclip -o -selection clipboard -t image/png > /tmp/pasted && curl -sf -o /dev/null -T /tmp/pasted http://localhost:9843/papers/pasted.png && echo pasted',
    'pasted',
  );
  expect(differingPixels(decodePng(readFileSync(join(desktop.papers, 'pasted.png'))), other)).toBe(0);

  const policy = (clipboard: 'off' | 'both' | 'to-guest') => client.call('guest.annotate', { guest: desktop.guest, clipboard });
  await policy('off');
  await copyHere('clipboard', 'secret');
  await copyThere('printf planted');
  await policy('to-guest');
  await copyHere('clipboard', 'one way');
  await desktop.untilSays(there('clipboard'), 'one way');
  await copyThere('printf planted');
  await copyHere('clipboard', 'once more');
  await desktop.untilSays(there('clipboard'), 'once more');
  expect(await copiedHere('clipboard')).toBe('once more');
  await policy('both');
}

async function sharing(desktop: Desktop): Promise<void> {
  const { papers, app, guest } = desktop;
  const fetched = (path: string, how = '', seconds = 100) => `curl -s -m ${seconds} ${how} http://localhost:9843/${path}`;
  const letter = randomBytes(300_000);
  mkdirSync(join(papers, 'sub'));
  writeFileSync(join(papers, 'sub', 'Grüße 1.bin'), letter);
  await desktop.untilSays(`${fetched('papers/sub/Gr%C3%BC%C3%9Fe%201.bin')} | md5sum | cut -c 1-32`, md5(letter));
  const status = '-o /dev/null -w "%{http_code}"';
  expect(await desktop.run(`head -c 700000 /dev/urandom > /tmp/up; ${fetched('papers/up', `${status} -T /tmp/up`)}`)).toBe('201');
  expect((await desktop.run('md5sum < /tmp/up')).slice(0, 32)).toBe(md5(readFileSync(join(papers, 'up'))));
  for (const how of ['-T /tmp/up', '-X DELETE', '-X MKCOL'])
    expect(await desktop.run(fetched('music/song', `${status} ${how}`)), how).toMatch(/^40[35]$/);
  const large = randomBytes(200_000_000);
  writeFileSync(join(papers, 'large'), large);
  // 21 s, and as many times that as the machine has other things to do.
  expect((await desktop.run(`${fetched('papers/large', '', 400)} | md5sum`, 420)).slice(0, 32)).toBe(md5(large));

  // As a file system, which locks what it writes.
  const mounted = await desktop.run(
    'mkdir -p /mnt/shared; echo "ask_auth 0" > /tmp/davfs; mount -t davfs -o conf=/tmp/davfs http://localhost:9843/ /mnt/shared </dev/null; ' +
      'md5sum < "/mnt/shared/papers/sub/Grüße 1.bin" | cut -c 1-32; mkdir /mnt/shared/papers/made; echo written > /mnt/shared/papers/made/file; ' +
      '(echo no > /mnt/shared/music/mine) 2>/dev/null; umount /mnt/shared >/dev/null',
  );
  expect(mounted.trim()).toBe(md5(letter));
  expect(readFileSync(join(papers, 'made', 'file'), 'utf8')).toBe('written\n');
  expect(readdirSync(desktop.music)).toEqual(['song']);

  const [, keep] = (await app.client.call('guest.show', { guest })).spec.shares;
  if (!keep) throw new Error('There is no second folder.');
  await app.client.call('guest.edit', { guest, change: { shares: [{ ...keep }] } });
  expect(await desktop.run(fetched('papers/up', status))).toBe('404');
  expect(await desktop.run(fetched('music/song'))).toBe('la la');
}

async function sending(desktop: Desktop): Promise<void> {
  const { page, home } = desktop.app;
  const folder = join(home, 'send');
  mkdirSync(join(folder, 'Photos', '2026'), { recursive: true });
  const sums: string[] = [];
  const make = (name: string, bytes: number) => {
    const content = randomBytes(bytes);
    writeFileSync(join(folder, name), content);
    sums.push(`${md5(content)}  ./${name}`);
    return join(folder, name);
  };
  const several = Array.from({ length: 12 }, (_, index) => make(`file ${index}.bin`, 20_001 * index));
  make('Photos/Grüße <1>.jpg', 200_000);
  make('Photos/2026/b.jpg', 100);
  await drop(desktop, [...several, join(folder, 'Photos')]);
  await page.getByText('14 files arrived in Agents').waitFor({ timeout: patienceMs });
  expect((await desktop.run("cd /home/someone/Downloads; find . -type f -exec md5sum '{}' +")).trim().split('\n').sort()).toEqual(
    sums.sort(),
  );

  // One is cancelled on its way, and the guest has nothing of it; the next goes on.
  const large = make('large.bin', 60_000_000);
  const card = page.locator('.console-files');
  await drop(desktop, [large, make('after.txt', 1000)]);
  await card.getByRole('button', { name: 'Show the files' }).click({ timeout: patienceMs });
  await card.getByRole('button', { name: 'Cancel large.bin' }).click({ timeout: patienceMs });
  await page.getByText('1 file arrived in Agents').first().waitFor({ timeout: patienceMs });
  await desktop.untilSays('ls /home/someone/Downloads | grep -E "large|after"', 'after.txt');

  // A guest without room says how much it has.
  await desktop.run('fallocate -l $(( $(df -k --output=avail / | tail -1) - 4000 ))K /filler');
  await drop(desktop, [large]);
  await card.getByText(/The guest has no room for it: 3\.\d\sMiB are free/).waitFor({ timeout: patienceMs });
  await desktop.run('rm /filler');
  await card.getByRole('button', { name: 'Close' }).click();
}

async function hearing(desktop: Desktop): Promise<void> {
  const { page } = desktop.app;
  const sink = (what: string) => desktop.asSomeone(`pactl ${what}`);
  // Something is heard all the while.
  const tone = `perl -e 'while (1) { print pack("s<2", (20000 * sin($_ * 6.2832 * 440 / 48000)) x 2) for 0..47999 }'`;
  await desktop.run(
    `echo '#!/bin/sh' > /tmp/plays; cat >> /tmp/plays << "end"\n${tone} | pacat --rate=48000 --channels=2 --format=s16le\nend\nchmod 755 /tmp/plays`,
  );
  await desktop.asSomeone('setsid /tmp/plays > /dev/null 2>&1 &');
  await sink('set-sink-volume @DEFAULT_SINK@ 100%');
  await page.getByRole('img', { name: 'It plays sound', exact: true }).waitFor({ timeout: patienceMs });
  await page.getByRole('button', { name: 'Sound' }).click();
  const volume = page.getByRole('slider', { name: 'Volume in the guest' });
  const mute = page.getByRole('switch', { name: 'Mute in the guest' });
  const shown = (percent: string) =>
    page.locator('.console-sound').getByText(percent, { exact: true }).nth(1).waitFor({ timeout: patienceMs });
  const mixer = (what: string) => `pactl get-sink-${what} @DEFAULT_SINK@`;
  const untilMixer = (percent: number, muted: 'yes' | 'no') =>
    until(
      `the guest’s mixer is at ${percent} %, muted: ${muted}`,
      async () => {
        const said = await desktop.asSomeone(`${mixer('volume')}; ${mixer('mute')}`);
        return said.includes(` ${percent}% `) && said.includes(`Mute: ${muted}`);
      },
      patienceMs,
    );
  await shown('100%');
  await volume.focus();
  for (let notch = 0; notch < 5; notch++) await page.keyboard.press('PageDown');
  await untilMixer(50, 'no');
  await mute.focus();
  await page.keyboard.press('Space');
  await untilMixer(50, 'yes');
  await page.getByText('The guest has muted itself.').waitFor({ timeout: patienceMs });
  await page.keyboard.press('Space');
  await untilMixer(50, 'no');

  // Muted and turned up in the guest, it says so here.
  await sink('set-sink-mute @DEFAULT_SINK@ 1');
  await page.getByText('The guest has muted itself.').waitFor({ timeout: patienceMs });
  await sink('set-sink-mute @DEFAULT_SINK@ 0');
  await sink('set-sink-volume @DEFAULT_SINK@ 100%');
  await page.getByText('The guest has muted itself.').waitFor({ state: 'detached', timeout: patienceMs });
  await shown('100%');
  await page.keyboard.press('Escape');
  await desktop.run('pkill pacat');
}

async function typing(desktop: Desktop): Promise<void> {
  const { page } = desktop.app;
  const run = (script: string) => desktop.run(script);
  await screenOf(desktop).click({ position: { x: 300, y: 250 } });
  await typeKeys(page, run, 'cat > /tmp/typed\n');
  await desktop.run('setxkbmap de');
  const press = (...keys: string[]) => untilKeysRead(run, 2 * keys.length, () => page.keyboard.press(keys.join('+'), { delay: 20 }));
  for (const key of ['KeyY', 'KeyZ', 'BracketLeft', 'Semicolon', 'Quote', 'Minus', 'Backslash']) await press(key);
  await press('Shift', 'BracketLeft');
  for (const key of ['KeyQ', 'KeyE', 'Minus', 'Digit7']) await press('AltRight', key);
  // Dead keys: an acute, a circumflex and a grave accent.
  for (const key of ['Equal', 'KeyE', 'Backquote', 'KeyA']) await press(key);
  await press('Shift', 'Equal');
  for (const key of ['KeyO', 'Enter']) await press(key);
  await press('Control', 'KeyD');
  await desktop.untilSays('cat /tmp/typed', 'zyüöäß#Ü@€\\{éâò');
  await desktop.run('setxkbmap us');
  const locks = (wanted: string) => desktop.untilSays('xset q | grep -o "Caps Lock: *o[nf]*" | tr -s " "', `Caps Lock: ${wanted}`);
  await press('CapsLock');
  await locks('on');
  await press('CapsLock');
  await locks('off');
}

async function pointing(desktop: Desktop): Promise<void> {
  const { page } = desktop.app;
  await desktop.run('(timeout 100 xev -event mouse -geometry 300x200+600+60 -name Events > /tmp/pointed 2>&1 &) > /dev/null 2>&1');
  await desktop.untilSays('xdotool search --onlyvisible --name Events > /dev/null && echo shown', 'shown');
  const box = await screenOf(desktop).boundingBox();
  if (!box) throw new Error('There is no console.');
  const [x, y] = [box.x + 750, box.y + 200];
  await page.mouse.click(x, y);
  await page.mouse.wheel(0, 120);
  await page.mouse.wheel(0, -120);
  await page.mouse.click(x, y, { button: 'middle' });
  await page.mouse.click(x, y, { button: 'right' });
  const devtools = await page.context().newCDPSession(page);
  for (const [button, buttons] of [
    ['back', 8],
    ['forward', 16],
  ] as const)
    for (const type of ['mousePressed', 'mouseReleased'] as const)
      await devtools.send('Input.dispatchMouseEvent', {
        type,
        x,
        y,
        button,
        buttons: type === 'mousePressed' ? buttons : 0,
        clickCount: 1,
      });
  await desktop.untilSays('grep -A2 ButtonPress /tmp/pointed | grep -o "button [0-9]*" | tr -dc "0-9\\n" | tr "\\n" " "', '1 5 4 2 3 8 9');
}

async function showing(desktop: Desktop): Promise<void> {
  const { app, guest } = desktop;
  const { page, electron } = app;
  const connected = 'xrandr | grep -o " connected [a-z ]*[0-9]*x[0-9]*" | grep -o "[0-9]*x[0-9]*" | tr "\\n" " "';
  const choose = async (item: string) => {
    await page.getByRole('button', { name: 'Monitors' }).click();
    await page.getByRole('menuitemradio', { name: item }).click();
    await page.keyboard.press('Escape');
  };
  await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setSize(1360, 860));
  const place = (head: number) =>
    page
      .locator(`.console:not([hidden]) [data-head="${head}"] .console-screen`)
      .evaluate(({ clientWidth, clientHeight }) => `${Math.max(640, clientWidth & ~7)}x${Math.max(480, clientHeight & ~1)}`);
  const fills = async (head: number) => {
    await until(
      'the monitor fills its place',
      async () => (await desktop.run(connected)).split(' ')[head] === (await place(head)),
      patienceMs,
    );
    await untilHeadEqual(app, page, guest, head, await place(head));
  };
  for (const head of [0, 1]) {
    await page.getByRole('radio', { name: String(head + 1), exact: true }).click();
    await fills(head);
  }
  await choose('Side by side');
  for (const head of [0, 1]) await fills(head);
  await choose('One at a time');
  await choose('1 monitor');
  await until('the second is off', async () => (await desktop.run(connected)).trim().split(' ').length === 1, patienceMs);
  await fills(0);
}

test('what the agents of a Debian desktop do, they do with the window', { timeout: 1_200_000 }, async () => {
  const app = await launchApp();
  await untilConnected(app);
  const made = await runGuesthouse(app.home, [
    'guest',
    'create',
    'Agents',
    '--disk',
    disk,
    '--memory-mib',
    '1024',
    '--cpus',
    '2',
    '--heads',
    '2',
  ]);
  expect(made.status, made.err).toBe(0);
  const [found] = await app.call('guest.list', {});
  if (!found) throw new Error('There is no guest.');
  expect(found.spec.os.id).toBe('debian12');
  const desktop = new Desktop(app, found.id);
  for (const folder of [desktop.papers, desktop.music]) mkdirSync(folder);
  writeFileSync(join(desktop.music, 'song'), 'la la');
  const shares = [
    { path: desktop.papers, via: 'webdav' as const },
    { path: desktop.music, readOnly: true, via: 'webdav' as const },
  ];
  await app.call('guest.edit', { guest: found.id, change: { shares } });
  await app.call('guest.start', { guest: found.id });
  await untilStatus(app.client, found.id, 'running');
  await goToConsole(app.page, found.id);
  await untilLive(app.page);
  const ready = () =>
    desktop.run('pgrep -x spice-vdagent && xdotool search --onlyvisible --name Terminal').then(
      () => true,
      () => false,
    );
  await until('the desktop is there', ready, 400_000);

  await showing(desktop);
  await copying(desktop);
  await sending(desktop);
  await hearing(desktop);
  await typing(desktop);
  await pointing(desktop);
  await sharing(desktop);
});
