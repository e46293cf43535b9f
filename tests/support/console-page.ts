/** A guest's console in a window of the app, as a test sees and uses it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { decodePng, differingPixels, type Pixels } from './png.ts';
import { type RunInGuest, untilKeysRead } from './typed-keys.ts';
import { until } from './until.ts';

export const liveCanvas = 'canvas[data-console-canvas]';
const typingDelayMs = 60;

/** Shows the console of a guest in the main window. */
export async function goToConsole(page: Page, guest: GuestId): Promise<void> {
  await goTo(page, `/guests/${guest}/console`);
}

export async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);
}

export async function untilLive(page: Page, deadlineMs = 60_000): Promise<void> {
  await page.locator(`.console:not([hidden]) ${liveCanvas}`).waitFor({ state: 'visible', timeout: deadlineMs });
  await page.locator('.console:not([hidden]) .console-absence').waitFor({ state: 'detached', timeout: deadlineMs });
}

/** The card over the picture that says why it does not move. */
export function absence(page: Page): Locator {
  return page.locator('.console:not([hidden]) .console-absence-card');
}

/** The pixels of the visible console's canvas; `selector` for another one. */
export async function canvasPixels(page: Page, selector = `.console:not([hidden]) ${liveCanvas}`): Promise<Pixels> {
  const base64 = await page.evaluate(async (wanted) => {
    const canvas = document.querySelector<HTMLCanvasElement>(wanted);
    if (!canvas) throw new Error('There is no canvas.');
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    copy.getContext('2d')?.drawImage(canvas, 0, 0);
    const bytes = new Uint8Array(await (await copy.convertToBlob()).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  }, selector);
  return decodePng(Buffer.from(base64, 'base64'));
}

/** What QEMU itself says that the screen shows. */
export async function screendump(client: EngineClient, guest: GuestId): Promise<Pixels> {
  const { pngBase64 } = await client.call('guest.screenshot', { guest });
  return decodePng(Buffer.from(pngBase64, 'base64'));
}

/** Settles when canvas and screendump are equal, pixel by pixel; the guest may draw between the two, so there are a few tries. */
export async function untilEqual(page: Page, client: EngineClient, guest: GuestId, deadlineMs = 60_000): Promise<void> {
  let differing = 0;
  await until(
    'the canvas equals the screendump',
    async () => {
      differing = differingPixels(await canvasPixels(page), await screendump(client, guest));
      return differing === 0;
    },
    deadlineMs,
  ).catch((error: unknown) => {
    throw new Error(`${differing} pixels differ`, { cause: error });
  });
}

/** On a US keyboard: the key of a character, and whether Shift is held. */
function keyOf(character: string): { code: string; shift: boolean } {
  const shifted = '~!@#$%^&*()_+{}|:"<>?';
  const plain = "`1234567890-=[]\\;',./";
  const names: Record<string, string> = {
    '`': 'Backquote',
    '-': 'Minus',
    '=': 'Equal',
    '[': 'BracketLeft',
    ']': 'BracketRight',
    '\\': 'Backslash',
    ';': 'Semicolon',
    "'": 'Quote',
    ',': 'Comma',
    '.': 'Period',
    '/': 'Slash',
    ' ': 'Space',
    '\n': 'Enter',
  };
  const at = shifted.indexOf(character);
  const base = at >= 0 ? (plain[at] ?? '') : character.toLowerCase();
  const shift = at >= 0 || /[A-Z]/.test(character);
  if (/[a-z]/.test(base)) return { code: `Key${base.toUpperCase()}`, shift };
  if (/[0-9]/.test(base)) return { code: `Digit${base}`, shift };
  const code = names[base];
  if (!code) throw new Error(`No key for ${JSON.stringify(character)}`);
  return { code, shift };
}

async function pressKeyOf(page: Page, character: string): Promise<void> {
  const { code, shift } = keyOf(character);
  await page.keyboard.press(shift ? `Shift+${code}` : code, { delay: 5 });
}

/** Presses the keys that a person would, Shift included, no faster than the guest reads them. */
export async function typeKeys(page: Page, run: RunInGuest, text: string): Promise<void> {
  let read: number | undefined;
  for (let at = 0; at < text.length; ) {
    let end = at;
    let bytes = 0;
    for (; end < text.length; end++) {
      // A press and a release, and those of Shift.
      const more = keyOf(text.charAt(end)).shift ? 4 : 2;
      if (bytes + more > 8) break;
      bytes += more;
    }
    const few = text.slice(at, end);
    const pressFew = async () => {
      for (const character of few) await pressKeyOf(page, character);
    };
    read = await untilKeysRead(run, bytes, pressFew, read);
    at = end;
  }
}

/** The same, as fast as a hand can, whether or not there is a guest that reads them. */
export async function typeBlindly(page: Page, text: string): Promise<void> {
  for (const character of text) {
    await pressKeyOf(page, character);
    await pause(typingDelayMs);
  }
}

/** Output of a shell command in the guest, through its agent. */
export async function runInGuest(client: EngineClient, guest: GuestId, script: string): Promise<string> {
  const { stdoutBase64 } = await client.call('guest.exec', { guest, command: ['/bin/sh', '-c', script], timeoutSeconds: 120 });
  return Buffer.from(stdoutBase64, 'base64').toString();
}
