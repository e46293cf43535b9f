/** Comparing two pictures pixel by pixel. Pure. */

/** Four bytes a pixel, rows without gaps; the fourth (alpha) is not compared, since a screen has none. */
export type Picture = { widthPx: number; heightPx: number; bytes: Uint8Array };

export type Difference = { differing: number /** The smallest rectangle around all that differs. */; text: string };

/** Null when the pictures are equal. */
export function compare(a: Picture, b: Picture): Difference | null {
  if (a.widthPx !== b.widthPx || a.heightPx !== b.heightPx) {
    return {
      differing: Math.max(a.widthPx * a.heightPx, b.widthPx * b.heightPx),
      text: `the sizes differ: ${a.widthPx}×${a.heightPx} and ${b.widthPx}×${b.heightPx}`,
    };
  }
  let differing = 0;
  let [left, top, right, bottom] = [a.widthPx, a.heightPx, -1, -1];
  for (let y = 0; y < a.heightPx; y++) {
    for (let x = 0; x < a.widthPx; x++) {
      const at = (y * a.widthPx + x) * 4;
      if (a.bytes[at] === b.bytes[at] && a.bytes[at + 1] === b.bytes[at + 1] && a.bytes[at + 2] === b.bytes[at + 2]) continue;
      differing++;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (differing === 0) return null;
  return { differing, text: `${differing} pixels differ, all between (${left}, ${top}) and (${right}, ${bottom})` };
}

/** Whether a picture shows anything: a console that was never drawn has one colour. */
export function isBlank({ bytes }: Picture): boolean {
  for (let at = 4; at + 2 < bytes.length; at += 4)
    if (bytes[at] !== bytes[0] || bytes[at + 1] !== bytes[1] || bytes[at + 2] !== bytes[2]) return false;
  return true;
}
