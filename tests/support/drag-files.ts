/** Files that are dragged over a window, as its desktop would. */
import type { Page } from 'playwright-core';

/** Drags these over the middle of the console that is shown; the answer lets go of them, or takes them away. */
export async function dragOver(page: Page, paths: readonly string[]) {
  const box = await page.locator('.console:not([hidden]) .console-screen').boundingBox();
  if (!box) throw new Error('There is no console.');
  const devtools = await page.context().newCDPSession(page);
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2, data: { items: [], files: [...paths], dragOperationsMask: 1 } };
  await devtools.send('Input.dispatchDragEvent', { type: 'dragEnter', ...place });
  await devtools.send('Input.dispatchDragEvent', { type: 'dragOver', ...place });
  return async (how: 'drop' | 'dragCancel') => {
    await devtools.send('Input.dispatchDragEvent', { type: how, ...place });
    await devtools.detach();
  };
}
