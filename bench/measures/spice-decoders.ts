import { convert_spice_lz_to_web, type SpiceLz } from '@spice-project/spice-html5/src/lz.js';
import { convert_spice_quic_to_web, SpiceQuic } from '@spice-project/spice-html5/src/quic.js';
import { decodeGlz } from '../../renderer/console/spice/decoders/glz.ts';
import { GlzWindow } from '../../renderer/console/spice/decoders/glz-window.ts';
import { decodeLz, readLzHeader } from '../../renderer/console/spice/decoders/lz.ts';
import { Lz4Decoder } from '../../renderer/console/spice/decoders/lz4.ts';
import { QuicDecoder } from '../../renderer/console/spice/decoders/quic.ts';
import { ZlibGlzDecoder } from '../../renderer/console/spice/decoders/zlib-glz.ts';
import { readSpicePictures, type SpicePicture } from '../../tests/support/spice-pictures.ts';
import { type Figure, type Measure, median } from '../figures.ts';

const roundMs = 150;
const rounds = 7;
const lzHeaderBytes = 28;

/** What a canvas makes; there is none in Node. */
const context = {
  createImageData: (width: number, height: number) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) }) as ImageData,
};

export const spiceDecoders: Measure = {
  name: 'spice-decoders',
  about: 'pixels that the SPICE decoders make of the server’s own streams, beside those of spice-html5',
  run: async () => {
    const quic = new QuicDecoder();
    const figures: Figure[] = [];
    for (const name of ['screen', 'desktop', 'photo']) {
      const picture = find('quic', name);
      figures.push(...compare(`QUIC, ${name}`, picture, (into) => quic.decode(picture.data, into), decodeQuicThere(picture)));
    }
    for (const name of ['screen', 'desktop', 'photo']) {
      const picture = find('lz', name);
      figures.push(...compare(`LZ, ${name}`, picture, (into) => decodeLz(picture.data, null, into), decodeLzThere(picture)));
    }
    const lz4 = new Lz4Decoder();
    const packed = find('lz4', 'desktop');
    figures.push(...compare('LZ4, desktop', packed, (into) => lz4.decode(packed.data, packed.width, packed.height, into), null));
    figures.push(...measureGlz());
    return figures;
  },
};

function find(codec: SpicePicture['codec'], name: string): SpicePicture {
  const found = readSpicePictures(codec).find(({ form, picture }) => form === 'rgb32' && picture === name);
  if (!found) throw new Error(`There is no ${codec} of ${name}.`);
  return found;
}

/** Theirs and ours take turns, so that a busy moment of the machine hits both. */
function compare(
  what: string,
  { width, height, data }: SpicePicture,
  ours: (into: Uint32Array) => unknown,
  theirs: (() => unknown) | null,
): Figure[] {
  const into = new Uint32Array(width * height);
  const taken: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    taken.ours.push(msEach(() => ours(into)));
    if (theirs) taken.theirs.push(msEach(theirs));
  }
  const megapixels = (ms: number) => (width * height) / ms / 1000;
  const pixels = megapixels(median(taken.ours));
  return [
    {
      what: `${what}, ${width} × ${height}`,
      value: pixels,
      unit: 'Mpixel/s',
      beside: theirs ? { what: 'spice-html5', value: megapixels(median(taken.theirs)) } : null,
      aim: theirs ? { kind: 'ratio', limit: 3, atLeast: true } : null,
    },
    { what: 'the same, packed bytes', value: data.byteLength / median(taken.ours) / 1048.576, unit: 'MiB/s', beside: null, aim: null },
  ];
}

/** Of this thread's processor time, which other work on the machine does not change. */
function msEach(action: () => unknown): number {
  let count = 0;
  const usedMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const began = usedMs();
  let now = began;
  for (; now - began < roundMs; now = usedMs()) {
    for (let time = 0; time < 8; time++) action();
    count += 8;
  }
  return (now - began) / count;
}

/** With the size before it, as it is in a message. */
function decodeQuicThere({ data }: SpicePicture): () => unknown {
  const memory = new ArrayBuffer(4 + data.byteLength);
  const view = new DataView(memory);
  view.setUint32(0, data.byteLength, true);
  new Uint8Array(memory, 4).set(data);
  const quic = new SpiceQuic();
  return () => {
    quic.from_dv(view, 0, memory);
    return convert_spice_quic_to_web(context, quic);
  };
}

function decodeLzThere({ data }: SpicePicture): () => unknown {
  const { type, width, height, topDown } = readLzHeader(data);
  const lz: SpiceLz = { type, width, height, top_down: topDown, data: data.slice(lzHeaderBytes).buffer };
  return () => convert_spice_lz_to_web(context, lz);
}

/** All pictures of a session in turn, since they refer to each other; spice-html5 has no decoder for them. */
function measureGlz(): Figure[] {
  const zlib = new ZlibGlzDecoder();
  const glz = readSpicePictures('glz');
  const deflated = readSpicePictures('zlib-glz');
  const pixelsOf = (pictures: SpicePicture[]) => pictures.reduce((sum, { width, height }) => sum + width * height, 0);
  const bytesOf = (pictures: SpicePicture[]) => pictures.reduce((sum, { data }) => sum + data.byteLength, 0);
  const figuresOf = (what: string, pictures: SpicePicture[], decode: (picture: SpicePicture, window: GlzWindow) => unknown): Figure[] => {
    const times = Array.from({ length: rounds }, () =>
      msEach(() => {
        const window = new GlzWindow(1_000_000);
        for (const picture of pictures) decode(picture, window);
      }),
    );
    return [
      {
        what: `${what}, ${pictures.length} small pictures`,
        value: pixelsOf(pictures) / median(times) / 1000,
        unit: 'Mpixel/s',
        beside: null,
        aim: null,
      },
      { what: 'the same, packed bytes', value: bytesOf(pictures) / median(times) / 1048.576, unit: 'MiB/s', beside: null, aim: null },
    ];
  };
  return [
    ...figuresOf('GLZ', glz, ({ data }, window) => decodeGlz(data, window)),
    ...figuresOf('deflated GLZ', deflated, ({ data, glzBytes = 0, width, height }, window) =>
      zlib.decode(data, glzBytes, width, height, window),
    ),
  ];
}
