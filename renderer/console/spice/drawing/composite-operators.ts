/**
 * The operators of DRAW_COMPOSITE that whole numbers suffice for: Porter and Duff's and the simpler blend modes, each over a row of
 * premultiplied pixels. They are rounded as pixman's are.
 */
import { add, multiply, multiplyBytes, product } from './pixel-arithmetic.ts';

/** PIXMAN_OP_*: the numbers of the wire. */
export const compositeOperator = {
  clear: 0,
  src: 1,
  dst: 2,
  over: 3,
  overReverse: 4,
  in: 5,
  inReverse: 6,
  out: 7,
  outReverse: 8,
  atop: 9,
  atopReverse: 10,
  xor: 11,
  add: 12,
  saturate: 13,
  disjointClear: 0x10,
  disjointXor: 0x1b,
  conjointClear: 0x20,
  conjointXor: 0x2b,
  multiply: 0x30,
  screen: 0x31,
  overlay: 0x32,
  darken: 0x33,
  lighten: 0x34,
  colorDodge: 0x35,
  colorBurn: 0x36,
  hardLight: 0x37,
  softLight: 0x38,
  difference: 0x39,
  exclusion: 0x3a,
  hslHue: 0x3b,
  hslSaturation: 0x3c,
  hslColor: 0x3d,
  hslLuminosity: 0x3e,
} as const;

const operator = compositeOperator;

export function isOperator(code: number): boolean {
  return (
    code <= operator.saturate ||
    (code >= operator.disjointClear && code <= operator.disjointXor) ||
    (code >= operator.conjointClear && code <= operator.conjointXor) ||
    (code >= operator.multiply && code <= operator.hslLuminosity)
  );
}

/** Whether an operator divides, and is therefore computed with floating point. */
export function divides(code: number): boolean {
  return (
    (code >= operator.saturate && code <= operator.conjointXor) ||
    code === operator.colorDodge ||
    code === operator.colorBurn ||
    code === operator.softLight ||
    code >= operator.hslHue
  );
}

/** Multiplies a source by the alpha of its mask. */
export function maskRow(source: Uint32Array, mask: Uint32Array, count: number): void {
  for (let at = 0; at < count; at++) source[at] = multiply(source[at] as number, (mask[at] as number) >>> 24);
}

/** `there[start…]` becomes what the operator makes of it and `count` source pixels. */
export function combineRow(code: number, there: Uint32Array, start: number, source: Uint32Array, count: number): void {
  switch (code) {
    case operator.clear:
      there.fill(0, start, start + count);
      return;
    case operator.src:
      for (let at = 0; at < count; at++) there[start + at] = source[at] as number;
      return;
    case operator.dst:
      return;
    case operator.over:
      for (let at = 0; at < count; at++) {
        const s = source[at] as number;
        if (s >= 0xff000000) there[start + at] = s;
        else if (s !== 0) there[start + at] = add(multiply(there[start + at] as number, 255 - (s >>> 24)), s);
      }
      return;
    case operator.overReverse:
      for (let at = 0; at < count; at++) {
        const d = there[start + at] as number;
        there[start + at] = add(multiply(source[at] as number, 255 - (d >>> 24)), d);
      }
      return;
    case operator.in:
      for (let at = 0; at < count; at++) there[start + at] = multiply(source[at] as number, (there[start + at] as number) >>> 24);
      return;
    case operator.inReverse:
      for (let at = 0; at < count; at++) there[start + at] = multiply(there[start + at] as number, (source[at] as number) >>> 24);
      return;
    case operator.out:
      for (let at = 0; at < count; at++) there[start + at] = multiply(source[at] as number, 255 - ((there[start + at] as number) >>> 24));
      return;
    case operator.outReverse:
      for (let at = 0; at < count; at++) there[start + at] = multiply(there[start + at] as number, 255 - ((source[at] as number) >>> 24));
      return;
    case operator.atop:
      for (let at = 0; at < count; at++) {
        const s = source[at] as number;
        const d = there[start + at] as number;
        there[start + at] = add(multiply(s, d >>> 24), multiply(d, 255 - (s >>> 24)));
      }
      return;
    case operator.atopReverse:
      for (let at = 0; at < count; at++) {
        const s = source[at] as number;
        const d = there[start + at] as number;
        there[start + at] = add(multiply(s, 255 - (d >>> 24)), multiply(d, s >>> 24));
      }
      return;
    case operator.xor:
      for (let at = 0; at < count; at++) {
        const s = source[at] as number;
        const d = there[start + at] as number;
        there[start + at] = add(multiply(s, 255 - (d >>> 24)), multiply(d, 255 - (s >>> 24)));
      }
      return;
    case operator.add:
      for (let at = 0; at < count; at++) there[start + at] = add(there[start + at] as number, source[at] as number);
      return;
    case operator.multiply:
      for (let at = 0; at < count; at++) {
        const s = source[at] as number;
        const d = there[start + at] as number;
        there[start + at] = add(multiplyBytes(d, s), add(multiply(s, 255 - (d >>> 24)), multiply(d, 255 - (s >>> 24))));
      }
      return;
    default:
      for (let at = 0; at < count; at++) {
        const s = source[at] as number;
        const alpha = s >>> 24;
        there[start + at] = blended(code, there[start + at] as number, s, alpha, alpha, alpha);
      }
  }
}

/** The same with a mask that has an alpha for each colour. */
export function combineRowByComponent(
  code: number,
  there: Uint32Array,
  start: number,
  source: Uint32Array,
  mask: Uint32Array,
  count: number,
): void {
  for (let at = 0; at < count; at++) {
    const d = there[start + at] as number;
    const s = multiplyBytes(source[at] as number, mask[at] as number);
    const alphas = multiply(mask[at] as number, (source[at] as number) >>> 24);
    there[start + at] = combinedByComponent(code, d, s, alphas);
  }
}

function combinedByComponent(code: number, d: number, s: number, alphas: number): number {
  switch (code) {
    case operator.clear:
      return 0;
    case operator.src:
      return s;
    case operator.dst:
      return d;
    case operator.over:
      return add(multiplyBytes(d, ~alphas), s);
    case operator.overReverse:
      return add(multiply(s, 255 - (d >>> 24)), d);
    case operator.in:
      return multiply(s, d >>> 24);
    case operator.inReverse:
      return multiplyBytes(d, alphas);
    case operator.out:
      return multiply(s, 255 - (d >>> 24));
    case operator.outReverse:
      return multiplyBytes(d, ~alphas);
    case operator.atop:
      return add(multiplyBytes(d, ~alphas), multiply(s, d >>> 24));
    case operator.atopReverse:
      return add(multiplyBytes(d, alphas), multiply(s, 255 - (d >>> 24)));
    case operator.xor:
      return add(multiplyBytes(d, ~alphas), multiply(s, 255 - (d >>> 24)));
    case operator.add:
      return add(s, d);
    case operator.multiply:
      return add(add(multiplyBytes(d, ~alphas), multiply(s, 255 - (d >>> 24))), multiplyBytes(d, s));
    default:
      return blended(code, d, s, alphas & 0xff, (alphas >>> 8) & 0xff, (alphas >>> 16) & 0xff);
  }
}

/** A blend mode that works on each colour alone; the alphas are those of the source for its red, green and blue. */
function blended(code: number, d: number, s: number, redAlpha: number, greenAlpha: number, blueAlpha: number): number {
  const da = d >>> 24;
  const sa = s >>> 24;
  const alpha = da * 255 + sa * 255 - sa * da;
  const red = blendedColour(code, d & 0xff, da, s & 0xff, redAlpha);
  const green = blendedColour(code, (d >>> 8) & 0xff, da, (s >>> 8) & 0xff, greenAlpha);
  const blue = blendedColour(code, (d >>> 16) & 0xff, da, (s >>> 16) & 0xff, blueAlpha);
  return over255(alpha) * 0x1000000 + (red | (green << 8) | (blue << 16));
}

function blendedColour(code: number, d: number, da: number, s: number, sa: number): number {
  let mixed = (255 - sa) * d + (255 - da) * s;
  switch (code) {
    case operator.screen:
      mixed += s * da + d * sa - s * d;
      break;
    case operator.overlay:
      mixed += 2 * d < da ? 2 * s * d : sa * da - 2 * (da - d) * (sa - s);
      break;
    case operator.darken:
      mixed += Math.min(da * s, sa * d);
      break;
    case operator.lighten:
      mixed += Math.max(da * s, sa * d);
      break;
    case operator.hardLight:
      mixed += 2 * s < sa ? 2 * s * d : sa * da - 2 * (da - d) * (sa - s);
      break;
    case operator.difference:
      mixed += Math.abs(s * da - d * sa);
      break;
    default:
      mixed += s * da + d * sa - 2 * d * s;
  }
  return over255(mixed);
}

/** Divides by 255. A negative number, which only colours beyond their alpha lead to, counts as a huge one in pixman. */
function over255(value: number): number {
  return value < 0 || value > 255 * 255 ? 255 : product(value, 1);
}
