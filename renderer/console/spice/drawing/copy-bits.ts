/** COPY_BITS: a part of a surface moved within it, the two places overlapping as they like. */
import type { Region } from './region.ts';
import { Row } from './rows.ts';
import type { Surface } from './surface.ts';

const moved = new Row();

/** `aheadX` and `aheadY` are what is added to where a pixel goes to have where it comes from. */
export function copyBits(target: Surface, region: Region, aheadX: number, aheadY: number): void {
  if (aheadX === 0 && aheadY === 0) return;
  if (region.count === 1) moveBox(target, region.boxes, aheadX, aheadY);
  else if (region.count > 1) moveBoxes(target, region, aheadX, aheadY);
}

function moveBox(target: Surface, boxes: Int32Array, aheadX: number, aheadY: number): void {
  const { pixels, width, height } = target;
  const left = Math.max(boxes[0] as number, -aheadX);
  const top = Math.max(boxes[1] as number, -aheadY);
  const right = Math.min(boxes[2] as number, width - aheadX);
  const bottom = Math.min(boxes[3] as number, height - aheadY);
  if (left >= right || top >= bottom) return;
  const ahead = aheadY * width + aheadX;
  if (right - left === width) {
    pixels.copyWithin(top * width, top * width + ahead, bottom * width + ahead);
    return;
  }
  // From where a row is written before it is read on towards where it comes from.
  const step = aheadY < 0 ? -1 : 1;
  for (let row = step < 0 ? bottom - 1 : top, rows = bottom - top; rows > 0; row += step, rows--) {
    const at = row * width + left;
    pixels.copyWithin(at, at + ahead, at + ahead + right - left);
  }
}

/** Several boxes can lie on each other's sources in any order: all of it is taken before any of it is put down. */
function moveBoxes(target: Surface, region: Region, aheadX: number, aheadY: number): void {
  const { pixels, width, height } = target;
  const { boxes } = region;
  let total = 0;
  for (let box = 0; box < region.count * 4; box += 4)
    total += ((boxes[box + 2] as number) - (boxes[box] as number)) * ((boxes[box + 3] as number) - (boxes[box + 1] as number));
  const taken = moved.of(total);
  for (const put of [false, true]) {
    let held = 0;
    for (let box = 0; box < region.count * 4; box += 4) {
      const left = Math.max(boxes[box] as number, -aheadX);
      const right = Math.min(boxes[box + 2] as number, width - aheadX);
      const bottom = Math.min(boxes[box + 3] as number, height - aheadY);
      for (let row = Math.max(boxes[box + 1] as number, -aheadY); row < bottom; row++) {
        const at = row * width + left;
        const ahead = aheadY * width + aheadX;
        for (let x = 0; x < right - left; x++, held++)
          if (put) pixels[at + x] = taken[held] as number;
          else taken[held] = pixels[at + ahead + x] as number;
      }
    }
  }
}
