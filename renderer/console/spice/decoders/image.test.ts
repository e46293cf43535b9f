import { expect, test } from 'vitest';
import { bitmapImage, imageHead, packedImage } from '../../../../tests/support/spice-image.ts';
import { hashOf, readSpicePictures, type SpicePicture } from '../../../../tests/support/spice-pictures.ts';
import { Reader } from '../protocol/reader.ts';
import { GlzWindow } from './glz-window.ts';
import { ImageDecoder, imageType, maskBits, type SharedImages } from './image.ts';
import { ImageCache } from './image-cache.ts';
import type { Picture } from './picture.ts';

const options = { sixteenBit: false, transient: false };
const noSurface = () => {
  throw new Error('There are no surfaces.');
};

function session(mayWait = false) {
  const jpegs: { resolve(picture: Picture): void; reject(error: Error): void }[] = [];
  const shared: SharedImages = {
    glzWindow: new GlzWindow(1_000_000),
    cache: new ImageCache(1_000_000),
    jpeg: () => new Promise((resolve, reject) => jpegs.push({ resolve, reject })),
    mayWait: () => mayWait,
  };
  return { shared, jpegs, decoder: new ImageDecoder(shared, noSurface) };
}

const first = (codec: SpicePicture['codec'], form = 'rgb32') => {
  const found = readSpicePictures(codec).find((each) => each.form === form);
  if (!found) throw new Error(`The fixtures have no ${codec} of ${form}.`);
  return found;
};
const decode = (decoder: ImageDecoder, message: Uint8Array) => decoder.decode(new Reader(message), 0, options);
const synchronous = (picture: Picture | Promise<Picture>): Picture => {
  if (picture instanceof Promise) throw new Error('It is not there at once.');
  return picture;
};
const cacheMe = 1;
const cacheReplaceMe = 4;
/** One red pixel. */
const redBitmap = (head: { id?: bigint; flags?: number } = {}) =>
  bitmapImage({ ...head, width: 1, height: 1 }, { format: 8, stride: 4, data: [0, 0, 255, 0] });
const fromCache = (id: bigint, type: number = imageType.fromCache) => imageHead({ id, type, width: 1, height: 1 }).done();

test('each kind of packed picture is found in its message and unpacked, and the reader is left where it was', () => {
  const { decoder } = session();
  for (const [codec, type] of [
    ['quic', imageType.quic],
    ['lz', imageType.lzRgb],
    ['lz4', imageType.lz4],
    ['glz', imageType.glzRgb],
  ] as const) {
    const { data, width, height, sha256 } = first(codec);
    const message = new Uint8Array([1, 2, 3, 4, 5, ...packedImage({ type, width, height }, data)]);
    const reader = new Reader(message);
    reader.skip(3);
    for (const transient of codec === 'glz' ? [false] : [false, true])
      expect(hashOf(synchronous(decoder.decode(reader, 5, { ...options, transient })).pixels)).toBe(sha256);
    expect(reader.offset).toBe(3);
    expect(() => decode(decoder, packedImage({ type, width: width + 1, height }, data))).toThrow();
    expect(() => decode(decoder, packedImage({ type, width, height }, data).subarray(0, -1))).toThrow('bytes of a picture do not fit');
  }
});

test('a deflated GLZ picture and an LZ picture with a palette are read with what stands before their bytes', () => {
  const { decoder } = session();
  const deflated = first('zlib-glz', readSpicePictures('zlib-glz')[0]?.form);
  const { width, height } = deflated;
  const message = imageHead({ type: imageType.zlibGlzRgb, width, height })
    .u32(deflated.glzBytes ?? 0)
    .u32(deflated.data.byteLength)
    .raw(deflated.data)
    .done();
  expect(hashOf(synchronous(decode(decoder, message)).pixels)).toBe(deflated.sha256);

  const indexed = first('lz', 'plt8');
  const colours = indexed.colours ?? [];
  const head = imageHead({ type: imageType.lzPlt, width: indexed.width, height: indexed.height });
  const withPalette = head
    .u8(1)
    .u32(indexed.data.byteLength)
    .u32(head.length + 4 + indexed.data.byteLength)
    .raw(indexed.data)
    .u64(9n)
    .u16(colours.length);
  for (const colour of colours) withPalette.u32(colour);
  expect(hashOf(synchronous(decode(decoder, withPalette.done())).pixels)).toBe(indexed.sha256);
  const again = imageHead({ type: imageType.lzPlt, width: indexed.width, height: indexed.height })
    .u8(2)
    .u32(indexed.data.byteLength)
    .u64(9n)
    .raw(indexed.data)
    .done();
  expect(hashOf(synchronous(decode(decoder, again)).pixels)).toBe(indexed.sha256);
  decoder.reset();
  expect(() => decode(decoder, again)).toThrow('palette 9 is used but was never sent');
});

test('bitmaps bring, keep and reuse palettes, and a mask needs none', () => {
  const { decoder } = session();
  const indexed = { format: 5, stride: 2, data: [1, 0] };
  const size = { width: 2, height: 1 };
  const pixels = (message: Uint8Array, sixteenBit = false) =>
    [...synchronous(decoder.decode(new Reader(message), 0, { ...options, sixteenBit })).pixels].map((pixel) => pixel.toString(16));
  const colours = [0x112233, 0x7c1f];
  expect(pixels(bitmapImage(size, { ...indexed, flags: 4 | 1, colours, paletteId: 3n }))).toEqual(['ff1f7c00', 'ff332211']);
  expect(pixels(bitmapImage(size, { ...indexed, flags: 4 | 2, paletteId: 3n }))).toEqual(['ff1f7c00', 'ff332211']);
  expect(pixels(bitmapImage(size, { ...indexed, colours }), true)[0]).toBe('ffff00ff');
  expect(() => pixels(bitmapImage(size, indexed))).toThrow('a bitmap has no palette');
  const mask = synchronous(decode(decoder, bitmapImage({ width: 9, height: 1 }, { format: 2, stride: 2, data: [0b1001_0000, 0x80] })));
  expect([...maskBits(mask)]).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 1]);
});

test('pictures are kept, found, replaced and thrown away as the server says', async () => {
  const { decoder, shared, jpegs } = session();
  decode(decoder, redBitmap({ id: 5n, flags: cacheMe }));
  expect([...synchronous(decode(decoder, fromCache(5n))).pixels]).toEqual([0xff0000ff]);
  expect(() => decode(decoder, fromCache(6n))).toThrow('image 6 is used but was never sent');
  shared.cache.remove(5n);
  expect(() => decode(decoder, fromCache(5n))).toThrow('image 5 is used but was never sent');

  const jpeg = first('jpeg', 'rgb24');
  const { width, height } = jpeg;
  const coming = decode(decoder, packedImage({ id: 7n, type: imageType.jpeg, flags: cacheMe, width, height }, jpeg.data));
  expect(shared.cache.find(7n, false)).toBeNull();
  jpegs[0]?.resolve({ width, height, pixels: new Uint32Array(width * height).fill(0xff00ff00), opaque: true });
  expect((await coming).pixels[0]).toBe(0xff00ff00);
  expect(synchronous(decode(decoder, fromCache(7n))).pixels[0]).toBe(0xff00ff00);
  expect(() => decode(decoder, fromCache(7n, imageType.fromCacheLossless))).toThrow('never sent without loss');
  decode(decoder, redBitmap({ id: 7n, flags: cacheReplaceMe }));
  expect(synchronous(decode(decoder, fromCache(7n, imageType.fromCacheLossless))).pixels[0]).toBe(0xff0000ff);
});

test('what another channel is to bring is waited for, without loss where that is asked for', async () => {
  const { shared, decoder } = session(true);
  const other = new ImageDecoder(shared, noSurface);
  const coming = decode(decoder, fromCache(5n, imageType.fromCacheLossless));
  shared.cache.put(5n, { width: 1, height: 1, pixels: new Uint32Array(1), opaque: true }, true);
  decode(other, redBitmap({ id: 5n, flags: cacheReplaceMe }));
  expect([...(await coming).pixels]).toEqual([0xff0000ff]);
  const never = decode(decoder, fromCache(6n));
  shared.cache.close();
  await expect(never).rejects.toThrow('will not come');

  const glz = readSpicePictures('glz');
  const message = ({ data, width, height }: SpicePicture) => packedImage({ type: imageType.glzRgb, width, height }, data);
  const results = glz.map((each, index) => ({ index, picture: decode(index % 2 ? decoder : other, message(each)) }));
  for (const { index, picture } of results) expect(hashOf((await picture).pixels)).toBe(glz[index]?.sha256);
});

test('a GLZ picture that refers to one that nobody can bring is refused', () => {
  const { decoder } = session();
  const glz = readSpicePictures('glz');
  const alone = glz.slice(1).find(({ data, width, height }) => {
    try {
      decode(
        new ImageDecoder({ ...session().shared, mayWait: () => false }, noSurface),
        packedImage({ type: imageType.glzRgb, width, height }, data),
      );
      return false;
    } catch {
      return true;
    }
  });
  if (!alone) throw new Error('No picture refers to another.');
  expect(() => decode(decoder, packedImage({ type: imageType.glzRgb, width: alone.width, height: alone.height }, alone.data))).toThrow(
    'is referred to but was never sent',
  );
});

test('a surface is looked at, and copied where it is kept', () => {
  const pixels = Uint32Array.of(1, 2);
  const { shared } = session();
  const decoder = new ImageDecoder(shared, () => ({ width: 2, height: 1, pixels, opaque: true }));
  const message = (flags: number) => imageHead({ id: 4n, type: imageType.surface, flags, width: 2, height: 1 }).u32(3).done();
  expect(synchronous(decode(decoder, message(cacheMe))).pixels).toBe(pixels);
  pixels[0] = 9;
  expect([...(shared.cache.find(4n, true)?.pixels ?? [])]).toEqual([1, 2]);
});

test('a kind that does not exist is refused', () => {
  expect(() => decode(session().decoder, imageHead({ type: 2, width: 1, height: 1 }).done())).toThrow('there is no image type 2');
  expect(() => decode(session().decoder, new Uint8Array(10))).toThrow('cut short');
});
