/**
 * Where a guest's picture stands in its box, in CSS pixels, and which of its pixels lies under the pointer. All of it is computed in the
 * display's physical pixels, so that one guest pixel is exactly one physical pixel (or two, or three) at 125 % and 150 % as well.
 */
import type { PixelSize } from '../console.ts';

/** `exact`: one physical pixel for each of the guest's. `whole`: as many as fit, but always a whole number. `fit`: what fills the box. */
export type ScaleMode = 'fit' | 'whole' | 'exact';

/** Degrees clockwise. */
export type Rotation = 0 | 90 | 180 | 270;

/** How somebody wants to look at a guest. */
export type ViewChoice = {
  mode: ScaleMode;
  rotation: Rotation;
  /** On top of what the mode gives; 1 to {@link largestZoom}. */
  zoom: number;
};

export const largestZoom = 8;
/** One notch of the wheel, or one choice of the menu. */
const zoomStep = 1.25;

/** `zoom` larger or smaller by so many notches. */
export function zoomBy(zoom: number, notches: number): number {
  const next = Math.min(largestZoom, Math.max(1, zoom * zoomStep ** notches));
  // Steps there and back must come back to none at all.
  return Math.abs(next - 1) < 0.01 ? 1 : next;
}

/** Which part of a picture that is larger than its box is seen: 0 is the left or upper end, 1 the other. */
export type Pan = { x: number; y: number };

/** All in CSS pixels and relative to the top left of the box; width and height are those of the picture as it is seen, turned. */
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
  if (mode === 'whole') return Math.max(1, whole);
  if (whole >= 1 && whole / largest >= integerWorthwhile) return whole;
  return largest;
}

/** The size of a guest as it is seen. */
export function turned(size: PixelSize, rotation: Rotation): PixelSize {
  return rotation % 180 === 0 ? size : { widthPx: size.heightPx, heightPx: size.widthPx };
}

/**
 * Where the picture goes: centred, with its corners on physical pixels. One that is larger than the box though nobody zoomed begins at its
 * corner, and the box scrolls; of one that was zoomed `pan` says which part is seen.
 */
export function place(guest: PixelSize, box: Box, devicePixelRatio: number, { mode, rotation, zoom }: ViewChoice, pan: Pan): Placement {
  // A box may begin at a fraction of a physical pixel; the picture inside it must not.
  const firstX = Math.ceil(box.left * devicePixelRatio - 1e-6);
  const firstY = Math.ceil(box.top * devicePixelRatio - 1e-6);
  const boxPx = {
    widthPx: Math.max(0, Math.floor((box.left + box.width) * devicePixelRatio + 1e-6) - firstX),
    heightPx: Math.max(0, Math.floor((box.top + box.height) * devicePixelRatio + 1e-6) - firstY),
  };
  const seen = turned(guest, rotation);
  const scale = chooseScale(seen, boxPx, mode) * zoom;
  const widthPx = Math.max(1, Math.round(seen.widthPx * scale));
  const heightPx = Math.max(1, Math.round(seen.heightPx * scale));
  const start = (room: number, length: number, share: number) =>
    room >= length ? Math.floor((room - length) / 2) : zoom === 1 ? 0 : -Math.round((length - room) * share);
  const leftPx = firstX + start(boxPx.widthPx, widthPx, pan.x);
  const topPx = firstY + start(boxPx.heightPx, heightPx, pan.y);
  return {
    left: leftPx / devicePixelRatio - box.left,
    top: topPx / devicePixelRatio - box.top,
    width: widthPx / devicePixelRatio,
    height: heightPx / devicePixelRatio,
    scale,
    sharp: Number.isInteger(scale),
  };
}

/**
 * The part to be seen of a zoomed picture when somebody points at `point` of the box. What lies at a third of the picture is under the pointer
 * when that is at a third of the box: so moving the pointer across the box shows all of the picture, and zooming keeps what is pointed at.
 */
export function panAt(point: { x: number; y: number }, box: Box): Pan {
  const share = (value: number, start: number, length: number) => (length <= 0 ? 0 : Math.max(0, Math.min(1, (value - start) / length)));
  return { x: share(point.x, box.left, box.width), y: share(point.y, box.top, box.height) };
}

/**
 * CSS that turns an element of the guest's shape so that it covers a placement: to be put at the placement's corner, `width` and `height`
 * being those of the placement.
 */
export function turnStyle(rotation: Rotation, { width, height }: Pick<Placement, 'width' | 'height'>): string {
  // By matrices of whole numbers: a sine of 90° that is not quite 1 would smooth the picture.
  switch (rotation) {
    case 0:
      return '';
    case 90:
      return `matrix(0, 1, -1, 0, ${width}, 0)`;
    case 180:
      return `matrix(-1, 0, 0, -1, ${width}, ${height})`;
    case 270:
      return `matrix(0, -1, 1, 0, 0, ${height})`;
  }
}

/** A movement of the pointer, or of the wheel, in the directions that the guest knows. */
export function turnBack(by: { x: number; y: number }, rotation: Rotation): { x: number; y: number } {
  switch (rotation) {
    case 0:
      return by;
    case 90:
      return { x: by.y, y: 0 - by.x };
    case 180:
      return { x: 0 - by.x, y: 0 - by.y };
    case 270:
      return { x: 0 - by.y, y: by.x };
  }
}

/** The guest pixel under a point of the page; points beside the picture, which is turned, count as its nearest edge. */
export function guestPixelAt(
  point: { x: number; y: number },
  picture: Box,
  guest: PixelSize,
  rotation: Rotation = 0,
): { xPx: number; yPx: number } {
  const seen = turned(guest, rotation);
  const at = (value: number, start: number, length: number, pixels: number) =>
    length <= 0 || pixels <= 0 ? 0 : Math.max(0, Math.min(pixels - 1, Math.floor(((value - start) * pixels) / length + 1e-6)));
  const x = at(point.x, picture.left, picture.width, seen.widthPx);
  const y = at(point.y, picture.top, picture.height, seen.heightPx);
  switch (rotation) {
    case 0:
      return { xPx: x, yPx: y };
    case 90:
      return { xPx: y, yPx: Math.max(0, guest.heightPx - 1 - x) };
    case 180:
      return { xPx: Math.max(0, guest.widthPx - 1 - x), yPx: Math.max(0, guest.heightPx - 1 - y) };
    case 270:
      return { xPx: Math.max(0, guest.widthPx - 1 - y), yPx: x };
  }
}

/** Where a point of the guest is seen, from the corner of its turned picture and in the guest's pixels. */
export function seenAt({ xPx, yPx }: { xPx: number; yPx: number }, guest: PixelSize, rotation: Rotation): { x: number; y: number } {
  switch (rotation) {
    case 0:
      return { x: xPx, y: yPx };
    case 90:
      return { x: guest.heightPx - yPx, y: xPx };
    case 180:
      return { x: guest.widthPx - xPx, y: guest.heightPx - yPx };
    case 270:
      return { x: yPx, y: guest.widthPx - xPx };
  }
}

/** The size a guest should take on to fill a box exactly: X servers want widths in steps of eight. Never smaller than VGA's 640×480. */
export function guestSizeFor(box: Pick<Box, 'width' | 'height'>, devicePixelRatio: number): PixelSize {
  const limit = (value: number, least: number) => Math.max(least, Math.min(16_384, value));
  return {
    widthPx: limit(Math.floor((box.width * devicePixelRatio) / 8) * 8, 640),
    heightPx: limit(Math.floor((box.height * devicePixelRatio) / 2) * 2, 480),
  };
}
