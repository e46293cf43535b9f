import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeRawCopy } from './raw-copy.ts';

type Change = { imageAt?: number; width?: number; height?: number; write?: (view: DataView, imageAt: number) => void };

/** The message for a picture at 5, 7 whose pixels count up. */
function message({ imageAt = 57, width = 2, height = 3, write }: Change = {}): ArrayBuffer {
  const body = new ArrayBuffer(imageAt + 36 + width * height * 4);
  const view = new DataView(body);
  const rect = (at: number, top: number, left: number) =>
    [top, left, top + height, left + width].forEach((value, index) => void view.setInt32(at + 4 * index, value, true));
  rect(4, 7, 5);
  view.setUint32(21, imageAt, true);
  rect(25, 0, 0);
  view.setUint16(41, 8, true);
  view.setUint8(imageAt + 18, 8);
  view.setUint8(imageAt + 19, 4);
  view.setUint32(imageAt + 20, width, true);
  view.setUint32(imageAt + 24, height, true);
  view.setUint32(imageAt + 28, width * 4, true);
  for (let index = 0; index < width * height * 4; index++) view.setUint8(imageAt + 36 + index, index);
  write?.(view, imageAt);
  return body;
}

test('blue, green, red, nothing becomes red, green, blue, opaque, wherever the pixels begin', () => {
  for (const imageAt of [57, 58, 59, 60]) {
    const drawn = takeRawCopy(message({ imageAt }));
    expect(drawn).toMatchObject({ surfaceId: 0, leftPx: 5, topPx: 7, widthPx: 2, heightPx: 3 });
    expect([...(drawn?.rgba ?? [])].slice(0, 12)).toEqual([2, 1, 0, 255, 6, 5, 4, 255, 10, 9, 8, 255]);
    expect(drawn?.rgba).toHaveLength(24);
  }
});

test('whatever is not plain is left to the package', () => {
  const changes: Record<string, NonNullable<Change['write']>> = {
    clipped: (view) => view.setUint8(20, 1),
    'another operation': (view) => view.setUint16(41, 1, true),
    masked: (view) => view.setUint32(53, 60, true),
    compressed: (view, at) => view.setUint8(at + 8, 101),
    'to be kept': (view, at) => view.setUint8(at + 9, 1),
    '16 bits': (view, at) => view.setUint8(at + 18, 6),
    'bottom up': (view, at) => view.setUint8(at + 19, 0),
    'a wider stride': (view, at) => view.setUint32(at + 28, 12, true),
    'a part of the image': (view) => view.setInt32(29, 1, true),
    scaled: (view) => view.setInt32(12, 99, true),
    'cut short': (view, at) => view.setUint32(at + 24, 4, true),
    huge: (view, at) => view.setUint32(at + 20, 0xffffffff, true),
    'beyond the end': (view) => view.setUint32(21, 0xfffffff0, true),
  };
  for (const [name, write] of Object.entries(changes)) expect(takeRawCopy(message({ write })), name).toBeNull();
});

test('no bytes whatever make it fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      takeRawCopy(bytes.slice().buffer);
    }),
  );
});
