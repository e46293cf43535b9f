/**
 * The operators of DRAW_COMPOSITE that divide: saturate, the disjoint and conjoint ones, and the blend modes with a quotient, a root or a hue.
 * pixman computes them in single precision, so every result here is rounded to it.
 */
import { compositeOperator as operator } from './composite-operators.ts';
import { surfaceFormat } from './surface.ts';

const single = Math.fround;
const leastNormal = 1.1754943508222875e-38;
const luminance = [single(0.3), single(0.59), single(0.11)] as const;

/** A pixel as parts of one. */
type Colour = { a: number; r: number; g: number; b: number };

const makeColour = (): Colour => ({ a: 0, r: 0, g: 0, b: 0 });
const source = makeColour();
const mask = makeColour();
const there = makeColour();
const result = makeColour();

/** What of its operands an operator takes, for the source and for what is there. */
const factor = {
  zero: 0,
  one: 1,
  /** min(1, other ÷ own) */
  otherOverOwn: 2,
  /** min(1, (1 − other) ÷ own) */
  invertedOtherOverOwn: 3,
  /** 1 − other ÷ own, not below 0 */
  restOverOwn: 4,
  /** 1 − (1 − other) ÷ own, not below 0 */
  restInvertedOverOwn: 5,
} as const;

/** For clear, src, dst, over, overReverse, in, inReverse, out, outReverse, atop, atopReverse and xor: of the source, of what is there. */
const disjointFactors: readonly (readonly [number, number])[] = [
  [factor.zero, factor.zero],
  [factor.one, factor.zero],
  [factor.zero, factor.one],
  [factor.one, factor.invertedOtherOverOwn],
  [factor.invertedOtherOverOwn, factor.one],
  [factor.restInvertedOverOwn, factor.zero],
  [factor.zero, factor.restInvertedOverOwn],
  [factor.invertedOtherOverOwn, factor.zero],
  [factor.zero, factor.invertedOtherOverOwn],
  [factor.restInvertedOverOwn, factor.invertedOtherOverOwn],
  [factor.invertedOtherOverOwn, factor.restInvertedOverOwn],
  [factor.invertedOtherOverOwn, factor.invertedOtherOverOwn],
];
const conjointFactors: readonly (readonly [number, number])[] = [
  [factor.zero, factor.zero],
  [factor.one, factor.zero],
  [factor.zero, factor.one],
  [factor.one, factor.restOverOwn],
  [factor.restOverOwn, factor.one],
  [factor.otherOverOwn, factor.zero],
  [factor.zero, factor.otherOverOwn],
  [factor.restOverOwn, factor.zero],
  [factor.zero, factor.restOverOwn],
  [factor.otherOverOwn, factor.restOverOwn],
  [factor.restOverOwn, factor.otherOverOwn],
  [factor.restOverOwn, factor.restOverOwn],
];
const saturateFactors = [factor.invertedOtherOverOwn, factor.one] as const;

/**
 * `pixels[start…]` becomes what the operator makes of it and `count` source pixels, with a mask or none. `sourceFormat` and `thereFormat`
 * are those of surfaces: of 16-bit ones the bits that are there count, not those that were repeated.
 */
export function combineRowInFloat(
  code: number,
  pixels: Uint32Array,
  start: number,
  thereFormat: number,
  sources: Uint32Array,
  sourceFormat: number,
  masks: Uint32Array | null,
  maskFormat: number,
  byComponent: boolean,
  count: number,
): void {
  const hsl = code >= operator.hslHue;
  // What pixman does with a mask for each colour and a hue for all of them: nothing.
  if (hsl && byComponent) return;
  const factors = factorsOf(code);
  for (let at = 0; at < count; at++) {
    toColour(sources[at] as number, sourceFormat, source);
    toColour(pixels[start + at] as number, thereFormat, there);
    if (masks) toColour(masks[at] as number, maskFormat, mask);
    if (hsl) {
      if (masks) maskForHue();
      blendHue(code);
      pixels[start + at] = toPixel(result);
      continue;
    }
    const { a, r, g, b } = source;
    let alpha = a;
    let [sr, sg, sb] = [r, g, b];
    let [alphaR, alphaG, alphaB] = [a, a, a];
    if (masks && byComponent) {
      [sr, sg, sb] = [single(r * mask.r), single(g * mask.g), single(b * mask.b)];
      alpha = single(a * mask.a);
      [alphaR, alphaG, alphaB] = [single(mask.r * a), single(mask.g * a), single(mask.b * a)];
    } else if (masks) {
      alpha = single(a * mask.a);
      [sr, sg, sb] = [single(r * mask.a), single(g * mask.a), single(b * mask.a)];
      [alphaR, alphaG, alphaB] = [alpha, alpha, alpha];
    }
    if (factors) {
      result.a = weighed(factors, alpha, alpha, there.a, there.a);
      result.r = weighed(factors, alphaR, sr, there.a, there.r);
      result.g = weighed(factors, alphaG, sg, there.a, there.g);
      result.b = weighed(factors, alphaB, sb, there.a, there.b);
    } else {
      result.a = unitedAlpha(alpha, there.a);
      result.r = blendedColour(code, alphaR, sr, there.a, there.r);
      result.g = blendedColour(code, alphaG, sg, there.a, there.g);
      result.b = blendedColour(code, alphaB, sb, there.a, there.b);
    }
    pixels[start + at] = toPixel(result);
  }
}

function factorsOf(code: number): readonly [number, number] | null {
  if (code === operator.saturate) return saturateFactors;
  if (code >= operator.disjointClear && code <= operator.disjointXor) return disjointFactors[code - operator.disjointClear] ?? null;
  if (code >= operator.conjointClear && code <= operator.conjointXor) return conjointFactors[code - operator.conjointClear] ?? null;
  return null;
}

function weighed(factors: readonly [number, number], sa: number, s: number, da: number, d: number): number {
  const sum = single(single(s * factorOf(factors[0], sa, da)) + single(d * factorOf(factors[1], da, sa)));
  return Math.min(1, sum);
}

function factorOf(kind: number, own: number, other: number): number {
  switch (kind) {
    case factor.zero:
      return 0;
    case factor.one:
      return 1;
    case factor.otherOverOwn:
      return isZero(own) ? 1 : clamped(single(other / own));
    case factor.invertedOtherOverOwn:
      return isZero(own) ? 1 : clamped(single(single(1 - other) / own));
    case factor.restOverOwn:
      return isZero(own) ? 0 : clamped(single(1 - single(other / own)));
    default:
      return isZero(own) ? 0 : clamped(single(1 - single(single(1 - other) / own)));
  }
}

function unitedAlpha(sa: number, da: number): number {
  return single(single(da + sa) - single(da * sa));
}

function blendedColour(code: number, sa: number, s: number, da: number, d: number): number {
  const apart = single(single(single(1 - sa) * d) + single(single(1 - da) * s));
  const blend =
    code === operator.colorDodge ? dodged(sa, s, da, d) : code === operator.colorBurn ? burnt(sa, s, da, d) : softened(sa, s, da, d);
  return single(apart + blend);
}

function dodged(sa: number, s: number, da: number, d: number): number {
  if (isZero(d)) return 0;
  const both = single(sa * da);
  if (single(d * sa) >= single(both - single(s * da)) || isZero(single(sa - s))) return both;
  return single(single(single(sa * sa) * d) / single(sa - s));
}

function burnt(sa: number, s: number, da: number, d: number): number {
  if (d >= da) return single(sa * da);
  if (single(sa * single(da - d)) >= single(s * da) || isZero(s)) return 0;
  return single(sa * single(da - single(single(sa * single(da - d)) / s)));
}

function softened(sa: number, s: number, da: number, d: number): number {
  const plain = single(d * sa);
  if (isZero(da)) return plain;
  const twice = single(2 * s);
  if (twice <= sa) return single(plain - single(single(single(d * single(da - d)) * single(sa - twice)) / da));
  const more = single(twice - sa);
  if (single(4 * d) <= da) {
    const share = single(single(single(single(single(16 * d) / da) - 12) * d) / da);
    return single(plain + single(single(more * d) * single(share + 3)));
  }
  return single(plain + single(single(single(Math.sqrt(single(d * da))) - d) * more));
}

/** The blue of the source stays unmasked and the green is masked twice: so pixman has it. */
function maskForHue(): void {
  source.a = single(source.a * mask.a);
  source.r = single(source.r * mask.a);
  source.g = single(single(source.g * mask.a) * mask.a);
}

const hue = makeColour();

function blendHue(code: number): void {
  const sa = source.a;
  const da = there.a;
  const both = single(sa * da);
  const [base, by] = code === operator.hslHue || code === operator.hslColor ? [source, da] : [there, sa];
  hue.r = single(base.r * by);
  hue.g = single(base.g * by);
  hue.b = single(base.b * by);
  if (code === operator.hslHue) setSaturation(hue, single(saturationOf(there) * sa));
  else if (code === operator.hslSaturation) setSaturation(hue, single(saturationOf(source) * da));
  const light = code === operator.hslLuminosity ? single(luminanceOf(source) * da) : single(luminanceOf(there) * sa);
  setLuminance(hue, both, light);
  result.a = single(single(sa + da) - both);
  for (const part of ['r', 'g', 'b'] as const)
    result[part] = single(single(single(single(1 - sa) * there[part]) + single(single(1 - da) * source[part])) + hue[part]);
}

function luminanceOf(colour: Colour): number {
  return single(single(single(colour.r * luminance[0]) + single(colour.g * luminance[1])) + single(colour.b * luminance[2]));
}

function saturationOf({ r, g, b }: Colour): number {
  return single(Math.max(r, g, b) - Math.min(r, g, b));
}

function setLuminance(colour: Colour, alpha: number, light: number): void {
  const difference = single(light - luminanceOf(colour));
  for (const part of ['r', 'g', 'b'] as const) colour[part] = single(colour[part] + difference);
  const l = luminanceOf(colour);
  const least = Math.min(colour.r, colour.g, colour.b);
  const most = Math.max(colour.r, colour.g, colour.b);
  if (least < 0) {
    const span = single(l - least);
    for (const part of ['r', 'g', 'b'] as const)
      colour[part] = isZero(span) ? 0 : single(l + single(single(single(colour[part] - l) * l) / span));
  }
  if (most > alpha) {
    const span = single(most - l);
    for (const part of ['r', 'g', 'b'] as const)
      colour[part] = isZero(span) ? alpha : single(l + single(single(single(colour[part] - l) * single(alpha - l)) / span));
  }
}

function setSaturation(colour: Colour, saturation: number): void {
  // Which of equals counts as the middle one is pixman's choice.
  let order: ['r' | 'g' | 'b', 'r' | 'g' | 'b', 'r' | 'g' | 'b'];
  if (colour.r > colour.g) {
    if (colour.r > colour.b) order = colour.g > colour.b ? ['r', 'g', 'b'] : ['r', 'b', 'g'];
    else order = ['b', 'r', 'g'];
  } else if (colour.r > colour.b) order = ['g', 'r', 'b'];
  else order = colour.g > colour.b ? ['g', 'b', 'r'] : ['b', 'g', 'r'];
  const [most, middle, least] = order;
  const span = single(colour[most] - colour[least]);
  if (isZero(span)) {
    colour[middle] = 0;
    colour[most] = 0;
  } else {
    colour[middle] = single(single(single(colour[middle] - colour[least]) * saturation) / span);
    colour[most] = saturation;
  }
  colour[least] = 0;
}

function toColour(pixel: number, format: number, into: Colour): void {
  into.a = scaled(pixel >>> 24, 8);
  if (format === surfaceFormat.rgb555 || format === surfaceFormat.rgb565) {
    into.r = scaled((pixel >>> 3) & 0x1f, 5);
    into.g = format === surfaceFormat.rgb565 ? scaled((pixel >>> 10) & 0x3f, 6) : scaled((pixel >>> 11) & 0x1f, 5);
    into.b = scaled((pixel >>> 19) & 0x1f, 5);
    return;
  }
  into.r = scaled(pixel & 0xff, 8);
  into.g = scaled((pixel >>> 8) & 0xff, 8);
  into.b = scaled((pixel >>> 16) & 0xff, 8);
}

function toPixel({ a, r, g, b }: Colour): number {
  return (byteOf(r) | (byteOf(g) << 8) | (byteOf(b) << 16) | (byteOf(a) << 24)) >>> 0;
}

function scaled(value: number, bits: number): number {
  return single(value * single(1 / ((1 << bits) - 1)));
}

function byteOf(part: number): number {
  const scaledUp = Math.trunc(Math.min(1, Math.max(0, part)) * 256);
  return scaledUp - (scaledUp >> 8);
}

function clamped(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function isZero(value: number): boolean {
  return -leastNormal < value && value < leastNormal;
}
