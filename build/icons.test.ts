import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashDrawing, iconDirectory, iconSizes } from './icons.ts';

test('the icons were drawn from the drawing as it is', () => {
  expect(readFileSync(join(iconDirectory, 'drawn-from.txt'), 'utf8').trim(), 'run “npm run icons”').toBe(hashDrawing());
});

test.each(iconSizes)('the icon of %i pixels is a PNG of that size', (size) => {
  const picture = readFileSync(join(iconDirectory, `${size}x${size}.png`));
  expect(picture.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  // The first chunk, IHDR, begins with width and height.
  expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([size, size]);
});
