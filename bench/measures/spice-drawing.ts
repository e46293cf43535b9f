import { drawAlphaBlend } from '../../renderer/console/spice/drawing/alpha-blend.ts';
import { drawComposite } from '../../renderer/console/spice/drawing/composite.ts';
import { copyRegion } from '../../renderer/console/spice/drawing/copy.ts';
import { copyBits } from '../../renderer/console/spice/drawing/copy-bits.ts';
import { fillRegion, tileRegion } from '../../renderer/console/spice/drawing/fill.ts';
import { rop } from '../../renderer/console/spice/drawing/raster-operations.ts';
import { Region } from '../../renderer/console/spice/drawing/region.ts';
import { drawRop3 } from '../../renderer/console/spice/drawing/rop3.ts';
import { createSurface, type Rect, type Source, surfaceFormat } from '../../renderer/console/spice/drawing/surface.ts';
import { drawText, type GlyphRun } from '../../renderer/console/spice/drawing/text.ts';
import { type Figure, type Measure, median } from '../figures.ts';

const roundMs = 120;
const rounds = 7;
const width = 1920;
const height = 1080;
const whole: Rect = { left: 0, top: 0, right: width, bottom: height };

export const spiceDrawing: Measure = {
  name: 'spice-drawing',
  about: 'pixels that the SPICE drawing code fills, copies, blends and writes text upon, beside what memory takes for as many',
  run: async () => {
    const target = createSurface(0, width, height, surfaceFormat.xrgb);
    const picture = makePicture(true);
    const translucent = makePicture(false);
    const tile: Source = { width: 8, height: 8, pixels: picture.pixels.slice(0, 64), opaque: true };
    const region = new Region();
    region.setRect(whole, width, height);
    const half = { left: 0, top: 0, right: width / 2, bottom: height / 2 };
    const plain = { transform: null, interpolate: false, repeat: 0, originX: 0, originY: 0 };
    const glyphs = makeGlyphs();
    const filled = rate(() => target.pixels.fill(0xff123456));
    const copied = rate(() => target.pixels.set(picture.pixels));
    const beside = (ms: number, what: string) => ({ what, value: ms });
    const figure = (what: string, draw: () => void, than: Figure['beside'], limit: number): Figure => {
      const value = rate(draw);
      return { what, value, unit: 'Mpixel/s', beside: than, aim: { kind: 'ratio', limit, atLeast: true } };
    };
    const byFill = beside(filled, 'TypedArray.fill');
    const byCopy = beside(copied, 'TypedArray.set');
    return [
      figure('fill', () => fillRegion(target, region, 0xff204060, rop.copy), byFill, 0.8),
      figure('fill with XOR', () => fillRegion(target, region, 0x00204060, rop.xor), byFill, 0.05),
      figure('tiles of 8 × 8', () => tileRegion(target, region, tile, 3, 5, rop.copy), byFill, 0.3),
      figure('copy', () => copyRegion(target, region, picture, whole, whole, rop.copy, false), byCopy, 0.8),
      figure('copy with AND', () => copyRegion(target, region, picture, whole, whole, rop.and, false), byCopy, 0.05),
      figure('move by a row', () => copyBits(target, region, 0, 1), byCopy, 0.8),
      figure('scale, nearest', () => copyRegion(target, region, picture, half, whole, rop.copy, false), byCopy, 0.02),
      figure('scale, interpolated', () => copyRegion(target, region, picture, half, whole, rop.copy, true), byCopy, 0.005),
      figure('three operands', () => drawRop3(target, region, picture, whole, whole, 0xb8, false, 0xff804020, null, 0, 0), byCopy, 0.02),
      figure('alpha blend', () => drawAlphaBlend(target, region, translucent, whole, whole, 255, 0), byCopy, 0.01),
      figure('composite, over', () => drawComposite(target, region, whole, 3, translucent, plain, false, null, plain, false), byCopy, 0.01),
      figure('text', () => drawText(target, region, glyphs, 0xffffffff, null, 0, 0), byFill, 0.01),
    ];
  },
};

/** Megapixels of a whole screen in a second of the processor: what else the machine does in the meantime does not count. */
function rate(draw: () => void): number {
  const processorMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const times = Array.from({ length: rounds }, () => {
    let count = 0;
    const began = processorMs();
    let now = began;
    for (; now - began < roundMs; now = processorMs()) {
      draw();
      count++;
    }
    return (now - began) / count;
  });
  return (width * height) / median(times) / 1000;
}

function makePicture(opaque: boolean): Source {
  const pixels = new Uint32Array(width * height);
  for (let at = 0; at < pixels.length; at++) {
    const alpha = opaque ? 255 : at & 0xff;
    const colour = (at * 7) % (alpha + 1);
    pixels[at] = alpha * 0x1000000 + colour * 0x10101;
  }
  return { width, height, pixels, opaque };
}

/** A screen full of glyphs of 8 × 16 with sixteen degrees of coverage. */
function makeGlyphs(): GlyphRun {
  const [glyphWidth, glyphHeight] = [8, 16];
  const [columns, lines] = [width / glyphWidth, Math.floor(height / glyphHeight)];
  const places = new Int32Array(columns * lines * 5);
  const glyphBytes = (glyphWidth / 2) * glyphHeight;
  const bytes = Uint8Array.from({ length: glyphBytes * 96 }, (_, at) => ((at * 37) % 11 < 4 ? (at * 73) & 0xff : 0));
  for (let glyph = 0; glyph < columns * lines; glyph++) {
    const left = (glyph % columns) * glyphWidth;
    places.set([left, Math.floor(glyph / columns) * glyphHeight, glyphWidth, glyphHeight, (glyph % 96) * glyphBytes], glyph * 5);
  }
  return { bits: 4, count: columns * lines, places, bytes };
}
