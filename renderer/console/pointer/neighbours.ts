/**
 * Which monitor's picture a held pointer is over. The element that a button was pressed on hears of the pointer wherever it goes, also over other
 * windows; what it means there is decided by what is seen there.
 */
import type { Box } from './geometry.ts';

type Point = { x: number; y: number };

/** Of a `Window`: all but the inner size in the desktop's units, that one in CSS pixels. */
export type WindowPlace = Pick<Window, 'screenX' | 'screenY' | 'outerWidth' | 'outerHeight' | 'innerWidth' | 'innerHeight'>;

/** A monitor's picture as far as it is seen, in CSS pixels of its window's page. */
export type SeenPicture = { window: WindowPlace; picture: Box };

/** Where the pointer is: in the page that hears of it, and on the desktop. */
export type HeldPointer = Pick<PointerEvent, 'clientX' | 'clientY' | 'screenX' | 'screenY'>;

/** What a frame may add to a window's width; a page that is zoomed differs by a tenth at least. */
const mostFrame = 0.05;

/** `pressed`, or the one of `others` that the pointer is over, and where on its page. */
export function pictureUnder<Picture extends SeenPicture>(
  pointer: HeldPointer,
  pressed: Picture,
  others: readonly Picture[],
): { over: Picture; at: Point } {
  const here = { x: pointer.clientX, y: pointer.clientY };
  const own = pressed.window;
  const inThisWindow = [pressed, ...others].find(({ window, picture }) => window === own && isIn(here, picture));
  if (inThisWindow) return { over: inThisWindow, at: here };
  // What lies below this window is not seen.
  if (isIn(here, pageOf(own))) return { over: pressed, at: here };
  for (const over of others) {
    const { window, picture } = over;
    // Where the system tells nobody where windows are, as Wayland does, all of them say that they are at the same place.
    if (window === own || (window.screenX === own.screenX && window.screenY === own.screenY)) continue;
    const at = pagePoint({ x: pointer.screenX, y: pointer.screenY }, window);
    if (isIn(at, picture)) return { over, at };
  }
  return { over: pressed, at: here };
}

/** The part of a picture that its box leaves to be seen. */
export function seenPart(picture: Box, box: Box): Box {
  const left = Math.max(picture.left, box.left);
  const top = Math.max(picture.top, box.top);
  return {
    left,
    top,
    width: Math.max(0, Math.min(picture.left + picture.width, box.left + box.width) - left),
    height: Math.max(0, Math.min(picture.top + picture.height, box.top + box.height) - top),
  };
}

/** A point of the desktop in a window's page. */
function pagePoint(desktop: Point, { screenX, screenY, outerWidth, outerHeight, innerWidth, innerHeight }: WindowPlace): Point {
  const ratio = outerWidth / innerWidth;
  const zoom = Math.abs(ratio - 1) < mostFrame ? 1 : ratio;
  const side = (outerWidth - innerWidth * zoom) / 2;
  // A frame is as wide below as at the sides; the rest of it, and a menu bar, is above.
  const above = outerHeight - innerHeight * zoom - side;
  return { x: (desktop.x - screenX - side) / zoom, y: (desktop.y - screenY - above) / zoom };
}

function pageOf({ innerWidth, innerHeight }: WindowPlace): Box {
  return { left: 0, top: 0, width: innerWidth, height: innerHeight };
}

function isIn({ x, y }: Point, { left, top, width, height }: Box): boolean {
  return x >= left && x < left + width && y >= top && y < top + height;
}
