/**
 * Arithmetic on the four bytes of a pixel, rounded as pixman rounds: a product of two bytes is `a·b/255` to the nearest. The order of the
 * colours does not matter to any of it. Results are 32-bit numbers of either sign.
 */

/** Every byte times one of 0 to 255. */
export function multiply(pixel: number, by: number): number {
  // All of it stays within 32 bits, which engines keep in a register.
  const even = (Math.imul(pixel & 0xff00ff, by) + 0x800080) | 0;
  const odd = (Math.imul((pixel >>> 8) & 0xff00ff, by) + 0x800080) | 0;
  return ((((even + ((even >>> 8) & 0xff00ff)) | 0) >>> 8) & 0xff00ff) | ((odd + ((odd >>> 8) & 0xff00ff)) & 0xff00ff00);
}

/** Every byte times the other pixel's. */
export function multiplyBytes(pixel: number, by: number): number {
  return (
    product(pixel & 0xff, by & 0xff) |
    (product((pixel >>> 8) & 0xff, (by >>> 8) & 0xff) << 8) |
    (product((pixel >>> 16) & 0xff, (by >>> 16) & 0xff) << 16) |
    (product(pixel >>> 24, by >>> 24) << 24)
  );
}

/** The sum of every two bytes, 255 at most. */
export function add(one: number, other: number): number {
  let even = (one & 0xff00ff) + (other & 0xff00ff);
  let odd = ((one >>> 8) & 0xff00ff) + ((other >>> 8) & 0xff00ff);
  even |= 0x1000100 - ((even >>> 8) & 0xff00ff);
  odd |= 0x1000100 - ((odd >>> 8) & 0xff00ff);
  return (even & 0xff00ff) | ((odd & 0xff00ff) << 8);
}

/** A premultiplied pixel laid over another. */
export function over(source: number, destination: number): number {
  return add(multiply(destination, 255 - (source >>> 24)), source);
}

export function product(one: number, other: number): number {
  const exact = one * other + 0x80;
  return (exact + (exact >>> 8)) >>> 8;
}
