/** What is fuzzed of SPICE: each target reads bytes as a hostile server would send them, and says what must hold whatever they are. */
import { bitmapFormat } from '../../renderer/console/spice/decoders/bitmap.ts';
import { decodeGlz } from '../../renderer/console/spice/decoders/glz.ts';
import { GlzWindow } from '../../renderer/console/spice/decoders/glz-window.ts';
import { ImageDecoder, imageType } from '../../renderer/console/spice/decoders/image.ts';
import { ImageCache } from '../../renderer/console/spice/decoders/image-cache.ts';
import { Inflater } from '../../renderer/console/spice/decoders/inflate.ts';
import { readJpegSize } from '../../renderer/console/spice/decoders/jpeg.ts';
import { decodeLz } from '../../renderer/console/spice/decoders/lz.ts';
import { Lz4Decoder } from '../../renderer/console/spice/decoders/lz4.ts';
import { maxPixels, type Picture } from '../../renderer/console/spice/decoders/picture.ts';
import { QuicDecoder } from '../../renderer/console/spice/decoders/quic.ts';
import { Reader } from '../../renderer/console/spice/protocol/reader.ts';
import { bitmapImage, imageHead, packedImage } from '../support/spice-image.ts';
import { readSpicePictures, type SpicePicture } from '../support/spice-pictures.ts';
import { joinPieces, piecesOf } from './pieces.ts';

export interface FuzzTarget {
  readonly name: string;
  /** Inputs that are right, to begin with. */
  seeds(): Uint8Array[];
  /** A server's bytes. Whatever it throws but a SpiceError is a fault of ours. */
  run(input: Uint8Array): void;
}

const shortSeed = 900;
/** More is possible and tried by the tests of each decoder; here it would only take time. */
const mostPixelsHere = 1 << 20;
const canary = 0xdecafbad;
const palette = { id: 1n, colours: new Int32Array(256).fill(-1) };
const shortOnes = (codec: SpicePicture['codec']) => readSpicePictures(codec).filter(({ data }) => data.byteLength <= shortSeed);

/** Memory to decode into, of which nothing beyond the picture may be touched. */
const memory = new Uint32Array((1 << 15) + 64).fill(canary);

function check(picture: Picture): void {
  const { width, height, pixels } = picture;
  if (width * height !== pixels.length || pixels.length > maxPixels)
    throw new Error(`A picture of ${width} × ${height} has ${pixels.length} pixels.`);
}

function checkedInto(decode: (into: Uint32Array) => Picture): void {
  let { length } = memory;
  try {
    const picture = decode(memory);
    check(picture);
    if (picture.pixels.buffer === memory.buffer) length = picture.pixels.length;
    for (let at = length; at < length + 64 && at < memory.length; at++)
      if (memory[at] !== canary) throw new Error(`Pixel ${at} beyond a picture of ${length} was written.`);
  } finally {
    memory.fill(canary, 0, Math.min(length, memory.length));
  }
}

const bigEndian = (bytes: Uint8Array, at: number) =>
  bytes.length < at + 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
const littleEndian = (bytes: Uint8Array, at: number) =>
  bytes.length < at + 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
/** Whether trying this would only take long: sizes that are refused anyway are tried. */
const isLarge = (width: number, height: number) => width * height > mostPixelsHere && width <= 16_384 && height <= 16_384;

function images(): Uint8Array[] {
  const packed = ([codec, type]: readonly [SpicePicture['codec'], number]) =>
    shortOnes(codec)
      .slice(0, 3)
      .map(({ data, width, height }) => packedImage({ id: 5n, type, flags: 1, width, height }, data));
  const kinds = [
    ['quic', imageType.quic],
    ['lz', imageType.lzRgb],
    ['lz4', imageType.lz4],
    ['glz', imageType.glzRgb],
    ['jpeg', imageType.jpeg],
  ] as const;
  const size = { id: 6n, width: 9, height: 2 };
  const indexed = { flags: 1, stride: 9, data: Array(18).fill(1), colours: [1, 2], paletteId: 3n };
  return [
    ...kinds.flatMap(packed),
    bitmapImage(size, { ...indexed, format: bitmapFormat.indexed8 }),
    bitmapImage(size, { ...indexed, format: bitmapFormat.indexed4Be, flags: 2 }),
    bitmapImage({ ...size, flags: 4 }, { format: bitmapFormat.rgb32, stride: 36, data: Array(72).fill(7) }),
    imageHead({ ...size, type: imageType.fromCache }).done(),
    imageHead({ ...size, type: imageType.surface })
      .u32(1)
      .done(),
    imageHead({ ...size, type: imageType.jpegAlpha })
      .u8(1)
      .u32(4)
      .u32(6)
      .raw([1, 2, 3, 4, 5, 6])
      .done(),
  ];
}

function readImages(input: Uint8Array): void {
  const glzWindow = new GlzWindow(mostPixelsHere);
  const cache = new ImageCache(mostPixelsHere);
  const jpeg = () => Promise.reject(new Error('not here'));
  const surface = { width: 9, height: 2, pixels: new Uint32Array(18), opaque: true };
  const decoder = new ImageDecoder({ glzWindow, cache, jpeg, mayWait: () => false }, () => surface);
  for (const piece of piecesOf(input)) {
    if (isLarge(littleEndian(piece, 10), littleEndian(piece, 14)) || isLarge(littleEndian(piece, 20), littleEndian(piece, 24))) continue;
    const result = decoder.decode(new Reader(piece), 0, { sixteenBit: piece.length % 2 === 0, transient: piece.length % 3 === 0 });
    if (result instanceof Promise) result.catch(() => undefined);
    else check(result);
    if (glzWindow.pixels > mostPixelsHere || cache.pixels > mostPixelsHere) throw new Error('More is kept than may be.');
  }
}

const quic = new QuicDecoder();
const lz4 = new Lz4Decoder();
const inflater = new Inflater();

export const spiceTargets: readonly FuzzTarget[] = [
  {
    name: 'quic',
    seeds: () => shortOnes('quic').map(({ data }) => data),
    run: (input) => {
      if (!isLarge(littleEndian(input, 12), littleEndian(input, 16))) checkedInto((into) => quic.decode(input, into));
    },
  },
  {
    name: 'lz',
    seeds: () => shortOnes('lz').map(({ data }) => data),
    run: (input) => {
      if (!isLarge(bigEndian(input, 12), bigEndian(input, 16))) checkedInto((into) => decodeLz(input, palette, into));
    },
  },
  {
    name: 'lz4',
    // Width and height before it, a byte each.
    seeds: () => shortOnes('lz4').map(({ data, width, height }) => Uint8Array.of(width, height, ...data)),
    run: (input) => checkedInto((into) => lz4.decode(input.subarray(2), input[0] ?? 0, input[1] ?? 0, into)),
  },
  {
    name: 'glz',
    seeds: () => {
      const all = shortOnes('glz').map(({ data }) => data);
      return [
        joinPieces(all.slice(0, 1)),
        ...all.map((_, index) => joinPieces(all.slice(0, index + 1))).filter((joined) => joined.length < 4000),
      ];
    },
    run: (input) => {
      const window = new GlzWindow(mostPixelsHere);
      for (const piece of piecesOf(input)) {
        if (isLarge(bigEndian(piece, 9), bigEndian(piece, 13))) continue;
        const result = decodeGlz(piece, window);
        if ('missingPicture' in result) {
          if (result.missingPicture < 0 || window.find(result.missingPicture)) throw new Error('A picture is missed that is there.');
        } else check(result);
        if (window.pixels > mostPixelsHere) throw new Error('The window is larger than it may be.');
      }
    },
  },
  {
    name: 'inflate',
    seeds: () =>
      readSpicePictures('zlib-glz')
        .filter(({ data }) => data.byteLength < 2000)
        .map(({ data }) => data),
    run: (input) => inflater.inflate(input, new Uint8Array(Math.min(4000, input.length * 2))),
  },
  {
    name: 'jpeg-size',
    seeds: () => readSpicePictures('jpeg').map(({ data }) => data.slice(0, 700)),
    run: (input) => {
      readJpegSize(input);
    },
  },
  { name: 'image', seeds: () => [joinPieces(images()), ...images().map((image) => joinPieces([image]))], run: readImages },
];
