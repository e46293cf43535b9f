/** DRAW_ALPHA_BLEND: a picture laid over what is there, by its own alpha and one for all of it. */
import { multiply, over } from './pixel-arithmetic.ts';
import type { Region } from './region.ts';
import { detached, Row } from './rows.ts';
import { Sampler } from './scale.ts';
import { fitPixels, isOpaque, needsFitting, type Rect, type Source, type Surface, surfaceFormat } from './surface.ts';

/** SPICE_ALPHA_FLAGS_* */
export const alphaFlag = { destHasAlpha: 1, srcSurfaceHasAlpha: 2 } as const;

const sampled = new Row();
const sampler = new Sampler();

/** `alpha` of 0 to 255 is applied to all of the source. `flags` are those of the message. */
export function drawAlphaBlend(target: Surface, region: Region, source: Source, area: Rect, box: Rect, alpha: number, flags: number): void {
  if (alpha === 0) return;
  const from = detached(source, target);
  const format = (source as Partial<Surface>).format;
  const opaque = from.opaque && !(format === surfaceFormat.xrgb && (flags & alphaFlag.srcSurfaceHasAlpha) !== 0);
  const scaled = area.right - area.left !== box.right - box.left || area.bottom - area.top !== box.bottom - box.top;
  if (scaled) {
    if (!sampler.scale(from, opaque, area, box, region, false)) return;
  } else if (!sampler.transformed(from, opaque, false, 0, null, region, box.left - area.left, box.top - area.top)) return;
  const { boxes } = region;
  for (let at = 0; at < region.count * 4; at += 4) {
    const left = boxes[at] as number;
    const count = (boxes[at + 2] as number) - left;
    const pixels = sampled.of(count);
    for (let row = boxes[at + 1] as number; row < (boxes[at + 3] as number); row++) {
      if (scaled) sampler.row(left - box.left, row - box.top, count, pixels);
      else sampler.row(left - box.left + area.left, row - box.top + area.top, count, pixels);
      if (alpha !== 255) for (let index = 0; index < count; index++) pixels[index] = multiply(pixels[index] as number, alpha);
      overRow(target, row * target.width + left, count, pixels, (flags & alphaFlag.destHasAlpha) !== 0);
    }
  }
}

/** Lays `count` premultiplied pixels over those of a surface from `start` on. */
export function overRow(target: Surface, start: number, count: number, source: Uint32Array, keepAlpha: boolean): void {
  const { pixels, format } = target;
  // The byte without a meaning is zero after blending off-screen, as the server leaves it, unless the message calls it alpha.
  const cleared = isOpaque(format) && target.opaqueBits === 0 && !keepAlpha ? 0x00ffffff : -1;
  const set = target.opaqueBits | 0;
  for (let index = 0; index < count; index++) {
    const from = source[index] as number;
    if (from >= 0xff000000) pixels[start + index] = (from & cleared) | set;
    else if (from !== 0) pixels[start + index] = (over(from, pixels[start + index] as number) & cleared) | set;
  }
  if (needsFitting(format)) fitPixels(format, pixels, start, start + count);
}
