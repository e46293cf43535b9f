/** DRAW_COMPOSITE: X's Render upon a surface. Operators, masks, transforms, repetition and filters are pixman's. */
import { combineRow, combineRowByComponent, compositeOperator, divides, maskRow } from './composite-operators.ts';
import { combineRowInFloat } from './composite-operators-float.ts';
import type { Region } from './region.ts';
import { fittedSource, isSurface, Row } from './rows.ts';
import { Sampler, type Transform } from './scale.ts';
import { fitPixels, needsFitting, type Rect, type Source, type Surface, surfaceFormat } from './surface.ts';

/** What is composed, and how it is looked at. */
export interface CompositeInput {
  transform: Transform | null;
  interpolate: boolean;
  /** PIXMAN_REPEAT_* */
  repeat: number;
  /** Added to a place in the destination's box before the transform. */
  originX: number;
  originY: number;
}

const sourceSampler = new Sampler();
const maskSampler = new Sampler();
const sourceRow = new Row();
const maskedRow = new Row();

/** `sourceOpaque` takes a surface's alpha as 1 everywhere. */
export function drawComposite(
  target: Surface,
  region: Region,
  box: Rect,
  operator: number,
  source: Source,
  sourceInput: CompositeInput,
  sourceOpaque: boolean,
  mask: Source | null,
  maskInput: CompositeInput,
  byComponent: boolean,
): void {
  if (region.empty) return;
  const from = fittedSource(source, target);
  const opaque = from.opaque || (sourceOpaque && isSurface(source));
  if (!begin(sourceSampler, from, opaque, sourceInput, region, box)) return;
  const through = mask ? fittedSource(mask, target) : null;
  if (through && !begin(maskSampler, through, through.opaque, maskInput, region, box)) return;
  const wholly = opaque && sourceSampler.covers && (!through || (through.opaque && maskSampler.covers));
  const code = reduced(operator, wholly, target.opaque);
  const { boxes } = region;
  for (let at = 0; at < region.count * 4; at += 4) {
    const left = boxes[at] as number;
    const count = (boxes[at + 2] as number) - left;
    const pixels = sourceRow.of(count);
    const masks = maskedRow.of(count);
    for (let row = boxes[at + 1] as number; row < (boxes[at + 3] as number); row++) {
      const x = left - box.left;
      const y = row - box.top;
      sourceSampler.row(x + sourceInput.originX, y + sourceInput.originY, count, pixels);
      if (through) maskSampler.row(x + maskInput.originX, y + maskInput.originY, count, masks);
      const start = row * target.width + left;
      if (target.opaque && target.opaqueBits === 0)
        for (let index = start; index < start + count; index++) target.pixels[index] = (target.pixels[index] as number) | 0xff000000;
      if (divides(code))
        combineRowInFloat(
          code,
          target.pixels,
          start,
          target.format,
          pixels,
          formatOf(from, target),
          through ? masks : null,
          through ? formatOf(through, target) : surfaceFormat.argb,
          byComponent,
          count,
        );
      else if (through && byComponent) combineRowByComponent(code, target.pixels, start, pixels, masks, count);
      else {
        if (through) maskRow(pixels, masks, count);
        combineRow(code, target.pixels, start, pixels, count);
      }
      finishRow(target, start, count);
    }
  }
}

function begin(sampler: Sampler, source: Source, opaque: boolean, input: CompositeInput, region: Region, box: Rect): boolean {
  const { interpolate, repeat, transform, originX, originY } = input;
  return sampler.transformed(source, opaque, interpolate, repeat, transform, region, box.left - originX, box.top - originY);
}

/** Gives the pixels of a row the alpha and the precision that the surface has. */
function finishRow(target: Surface, start: number, count: number): void {
  const { pixels, format, opaqueBits } = target;
  if (needsFitting(format)) fitPixels(format, pixels, start, start + count);
  else if (opaqueBits !== 0) for (let at = start; at < start + count; at++) pixels[at] = (pixels[at] as number) | opaqueBits;
  else if (target.opaque) for (let at = start; at < start + count; at++) pixels[at] = (pixels[at] as number) & 0x00ffffff;
}

function formatOf(source: Source, target: Surface): number {
  return (source as Partial<Surface>).format ?? (needsFitting(target.format) ? target.format : surfaceFormat.argb);
}

/**
 * What pixman makes of an operator before it starts: some are others under another name, and saturating is something simpler where one side
 * is opaque everywhere. It matters because whole numbers and fractions are rounded in different ways.
 */
function reduced(operator: number, sourceOpaque: boolean, targetOpaque: boolean): number {
  const { clear, dst, overReverse, saturate, disjointClear, conjointClear } = compositeOperator;
  if (operator >= disjointClear && operator <= disjointClear + dst) return clear + operator - disjointClear;
  if (operator >= conjointClear && operator <= conjointClear + dst) return clear + operator - conjointClear;
  if (operator !== saturate) return operator;
  if (targetOpaque) return dst;
  return sourceOpaque ? overReverse : operator;
}
