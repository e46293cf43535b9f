import { expect, test } from 'vitest';
import { pictureUnder, type SeenPicture, seenPart, type WindowPlace } from './neighbours.ts';

/** Without a frame, its page from its corner on. */
const windowAt = (screenX: number, screenY: number, width = 800, height = 600): WindowPlace => ({
  screenX,
  screenY,
  outerWidth: width,
  outerHeight: height,
  innerWidth: width,
  innerHeight: height,
});

/** The pointer at that point of the desktop, heard of by the page of a window without a frame. */
const heldAt = (x: number, y: number, { screenX, screenY }: WindowPlace) => ({
  clientX: x - screenX,
  clientY: y - screenY,
  screenX: x,
  screenY: y,
});

const pictureIn = (window: WindowPlace, left: number, top: number, width: number, height: number): SeenPicture => ({
  window,
  picture: { left, top, width, height },
});

test('side by side in one window, the pointer means what it is over, and between the pictures the one that it was pressed on', () => {
  const window = windowAt(100, 50);
  const left = pictureIn(window, 0, 100, 390, 300);
  const right = pictureIn(window, 410, 100, 390, 300);
  const under = (clientX: number, clientY: number) => {
    const { over, at } = pictureUnder(heldAt(clientX + 100, clientY + 50, window), left, [right]);
    expect(at).toEqual({ x: clientX, y: clientY });
    return over;
  };
  expect(under(10, 110)).toBe(left);
  expect(under(409, 110)).toBe(left);
  expect(under(410, 110)).toBe(right);
  expect(under(799, 399)).toBe(right);
  expect(under(600, 400)).toBe(left);
  // Beyond the window is nothing, whatever the window says of itself.
  expect(under(900, 200)).toBe(left);
  expect(under(-900, -200)).toBe(left);
});

test('in another window the point is one of its page, without its frame and its menu bar', () => {
  const own = windowAt(0, 0);
  const pressed = pictureIn(own, 0, 0, 800, 600);
  const framed = { screenX: 800, screenY: 20, outerWidth: 808, outerHeight: 634, innerWidth: 800, innerHeight: 600 };
  const other = pictureIn(framed, 0, 40, 800, 560);
  const under = (x: number, y: number) => pictureUnder(heldAt(x, y, own), pressed, [other]);
  // Four pixels of frame at the sides and below, thirty above; and forty of a toolbar.
  expect(under(804, 90)).toEqual({ over: other, at: { x: 0, y: 40 } });
  expect(under(803, 90).over).toBe(pressed);
  expect(under(804, 89).over).toBe(pressed);
  expect(under(1603, 649)).toEqual({ over: other, at: { x: 799, y: 599 } });
  expect(under(1604, 649)).toEqual({ over: pressed, at: { x: 1604, y: 649 } });
});

test('a zoomed page has larger units than the desktop', () => {
  const own = windowAt(0, 0);
  const zoomed = { ...windowAt(800, 0, 900, 600), innerWidth: 600, innerHeight: 400 };
  const other = pictureIn(zoomed, 0, 0, 600, 400);
  const pressed = pictureIn(own, 0, 0, 800, 600);
  expect(pictureUnder(heldAt(950, 300, own), pressed, [other])).toEqual({ over: other, at: { x: 100, y: 200 } });
});

test('a window that covers another one keeps the pointer, and so does each where nobody is told where windows are', () => {
  const own = windowAt(100, 100);
  const pressed = pictureIn(own, 0, 100, 400, 300);
  const below = pictureIn(windowAt(300, 100, 1000, 600), 0, 0, 1000, 600);
  expect(pictureUnder(heldAt(700, 300, own), pressed, [below]).over).toBe(pressed);
  expect(pictureUnder(heldAt(950, 300, own), pressed, [below])).toEqual({ over: below, at: { x: 650, y: 200 } });
  const anywhere = pictureIn(windowAt(100, 100, 1920, 1080), 0, 0, 1920, 1080);
  expect(pictureUnder(heldAt(950, 300, own), pressed, [anywhere]).over).toBe(pressed);
});

test('of a picture that is larger than its box only that part counts', () => {
  const box = { left: 10, top: 20, width: 100, height: 50 };
  expect(seenPart({ left: -90, top: 30, width: 400, height: 300 }, box)).toEqual({ left: 10, top: 30, width: 100, height: 40 });
  expect(seenPart({ left: 500, top: 30, width: 40, height: 30 }, box)).toMatchObject({ width: 0 });
});
