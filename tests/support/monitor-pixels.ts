/** One of a guest's monitors as the window shows it, and as QEMU says that it is. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { GuestId } from '../../contract/ids.ts';
import type { TestApp } from './app.ts';
import { canvasPixels, liveCanvas } from './console-page.ts';
import { decodePng, differingPixels, type Pixels } from './png.ts';
import { until } from './until.ts';

/** Selects the canvas of a monitor of the guest that is shown. */
export const canvasOf = (head: number) => `.console:not([hidden]) [data-head="${head}"] ${liveCanvas}`;

async function screendumpOf(app: TestApp, guest: GuestId, head: number): Promise<Pixels> {
  const filename = join(app.home, `head-${head}.png`);
  const input = { filename, format: 'png', device: 'video0', head };
  await app.client.call('guest.qmpCommand', { guest, command: 'screendump', arguments: input });
  const pixels = decodePng(readFileSync(filename));
  rmSync(filename);
  return pixels;
}

/** Settles with the pixels when they equal QEMU's, and have that size (`1280x800`) where one is wanted. */
export async function untilHeadEqual(app: TestApp, page: Page, guest: GuestId, head: number, size?: string): Promise<Pixels> {
  let told = '';
  await page.locator(canvasOf(head)).waitFor();
  return await until('the monitor equals its screendump', async () => {
    const seen = await canvasPixels(page, canvasOf(head));
    const differing = differingPixels(seen, await screendumpOf(app, guest, head));
    const shown = `${seen.widthPx}x${seen.heightPx}`;
    told = `${shown}, ${differing} pixels differ`;
    return differing === 0 && shown === (size ?? shown) ? seen : null;
  }).catch((error: unknown) => {
    throw new Error(`monitor ${head}: ${told}`, { cause: error });
  });
}
