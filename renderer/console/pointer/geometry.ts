/**
 * Where a guest's picture stands in its box, in CSS pixels, and which of its pixels lies under the pointer. All of it is computed in the
 * display's physical pixels, so that one guest pixel is exactly one physical pixel (or two, or three) at 125 % and 150 % as well.
 */
import type { PixelSize } from '../console.ts';

export type ScaleMode = 'fit' | 'exact';

/** All in CSS pixels and relative to the top left of the box. */
export type Placement = {
  left: number;
  top: number;
  width: number;
  height: number;
  /** Physical pixels for each guest pixel. */
  scale: number;
  /** A whole number of physical pixels for each guest pixel: the picture must not be smoothed. */
  sharp: boolean;
};

/** The box that a picture may fill, in CSS pixels, and where it begins in the page. */
export type Box = { left: number; top: number; width: number; height: number };

/** An integer scale is preferred as long as it fills this share of what a fractional one would. */
const integerWorthwhile = 0.75;

/** The scale of `guest` in a box of this many physical pixels. */
export function chooseScale(guest: PixelSize, boxPx: PixelSize, mode: ScaleMode): number {
  if (mode === 'exact' || guest.widthPx === 0 || guest.heightPx === 0) return 1;
  const largest = Math.min(boxPx.widthPx / guest.widthPx, boxPx.heightPx / guest.heightPx);
  const whole = Math.floor(largest);
  if (whole >= 1 && whole / largest >= integerWorthwhile) return whole;
  return largest;
}

/**
 * Where the picture goes: centred, with its corners on physical pixels. In the `exact` mode a picture larger than the box begins at its
 * corner, and the box scrolls.
 */
export function place(guest: PixelSize, box: Box, devicePixelRatio: number, mode: ScaleMode): Placement {
  // A box may begin at a fraction of a physical pixel; the picture inside it must not.
  const firstX = Math.ceil(box.left * devicePixelRatio - 1e-6);
  const firstY = Math.ceil(box.top * devicePixelRatio - 1e-6);
  const boxPx = {
    widthPx: Math.max(0, Math.floor((box.left + box.width) * devicePixelRatio + 1e-6) - firstX),
    heightPx: Math.max(0, Math.floor((box.top + box.height) * devicePixelRatio + 1e-6) - firstY),
  };
  const scale = chooseScale(guest, boxPx, mode);
  const widthPx = Math.max(1, Math.round(guest.widthPx * scale));
  const heightPx = Math.max(1, Math.round(guest.heightPx * scale));
  const leftPx = firstX + Math.max(0, Math.floor((boxPx.widthPx - widthPx) / 2));
  const topPx = firstY + Math.max(0, Math.floor((boxPx.heightPx - heightPx) / 2));
  return {
    left: leftPx / devicePixelRatio - box.left,
    top: topPx / devicePixelRatio - box.top,
    width: widthPx / devicePixelRatio,
    height: heightPx / devicePixelRatio,
    scale,
    sharp: Number.isInteger(scale),
  };
}

/** The guest pixel under a point of the page; points beside the picture count as its nearest edge. */
export function guestPixelAt(point: { x: number; y: number }, picture: Box, guest: PixelSize): { xPx: number; yPx: number } {
  const at = (value: number, start: number, length: number, pixels: number) =>
    length <= 0 || pixels <= 0 ? 0 : Math.max(0, Math.min(pixels - 1, Math.floor(((value - start) * pixels) / length + 1e-6)));
  return {
    xPx: at(point.x, picture.left, picture.width, guest.widthPx),
    yPx: at(point.y, picture.top, picture.height, guest.heightPx),
  };
}

/** The size a guest should take on to fill a box exactly: X servers want widths in steps of eight. Never smaller than VGA's 640×480. */
export function guestSizeFor(box: Pick<Box, 'width' | 'height'>, devicePixelRatio: number): PixelSize {
  const limit = (value: number, least: number) => Math.max(least, Math.min(16_384, value));
  return {
    widthPx: limit(Math.floor((box.width * devicePixelRatio) / 8) * 8, 640),
    heightPx: limit(Math.floor((box.height * devicePixelRatio) / 2) * 2, 480),
  };
}
