import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSpiceClient, pixelsOf } from '../../tests/support/spice-client.ts';
import { until } from '../../tests/support/until.ts';
import { patch, patchColours, startScene } from './scene-server.ts';

test('the scene is drawn on every monitor, and a key changes its patch and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'scene-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 's.sock');
  const scene = await startScene(path, { widthPx: 640, heightPx: 400, heads: 2 });
  const client = openSpiceClient(path);
  onTestFinished(async () => {
    client.close();
    await scene.close();
  });
  await scene.drawn;
  const colourAt = (x: number, y: number) => {
    const surface = client.screens[0];
    if (!surface) return null;
    const { rgb } = pixelsOf(surface, { xPx: x, yPx: y, widthPx: 1, heightPx: 1 });
    return ((rgb[0] ?? 0) << 16) | ((rgb[1] ?? 0) << 8) | (rgb[2] ?? 0);
  };
  const inPatch = () => colourAt(patch.xPx + 5, patch.yPx + 5);
  await until('the patch is there', () => inPatch() === patchColours[0]);
  const outside = colourAt(patch.xPx - 1, patch.yPx + 5);
  client.session.input({ kind: 'key', scancode: [0x2d], down: true });
  await until('the key is answered', () => inPatch() === patchColours[1]);
  expect(colourAt(patch.xPx - 1, patch.yPx + 5)).toBe(outside);
  for (let key = 0; key < 20; key++) {
    client.session.input({ kind: 'key', scancode: [0x2d], down: false });
    client.session.input({ kind: 'key', scancode: [0x2d], down: true });
    await until('the key is answered', () => inPatch() === patchColours[key % 2]);
  }
  await until('the other monitor is there', () => client.heads.length === 2);
  const before = client.damages;
  expect(await scene.redraw(50, 200)).toBeGreaterThan(2);
  expect(client.damages).toBeGreaterThan(before + 4);
  expect(client.end).toBeNull();
});
