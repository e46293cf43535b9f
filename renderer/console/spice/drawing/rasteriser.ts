/**
 * Draws what messages say: the one entrance of this folder. What comes out equals, pixel by pixel, what the server's own renderer draws
 * (`rasteriser.test.ts`), which is what QEMU's screendump shows.
 */
import { SpiceError } from '../protocol/spice-error.ts';
import { drawAlphaBlend } from './alpha-blend.ts';
import { drawComposite } from './composite.ts';
import { copyRegion } from './copy.ts';
import { copyBits } from './copy-bits.ts';
import type { Brush, DrawMessage, ImageReference } from './draw-messages.ts';
import { fillRegion, tileRegion } from './fill.ts';
import { type Mask, maskInverse } from './mask.ts';
import { rasterOperation, rop, ropDescriptor } from './raster-operations.ts';
import { Region } from './region.ts';
import { drawRop3 } from './rop3.ts';
import { detached } from './rows.ts';
import { SpanPainter } from './spans.ts';
import { drawStroke } from './stroke.ts';
import { pixelOf, type Source, type Surface } from './surface.ts';
import { drawText, textPixel } from './text.ts';
import { drawTransparent } from './transparent.ts';

/** Where the images of a message come from. Each is asked for at most once a message. */
export interface Images {
  surface(id: number): Surface | undefined;
  /** The pixels of an image that is not a surface. */
  picture(image: ImageReference): Source;
  /** The bits of one that is used as a mask and is not a surface. */
  mask(image: ImageReference): Mask;
}

export class Rasteriser {
  readonly #images: Images;
  readonly #region = new Region();
  readonly #backRegion = new Region();
  #painter: SpanPainter | null = null;

  constructor(images: Images) {
    this.#images = images;
  }

  /** Throws `SpiceError` when the message names what is not there. */
  draw(message: DrawMessage): void {
    const { brush, mask, box, clip } = message;
    const target = this.#surface(message.surfaceId);
    // All of them are asked for before anything else, seen or not: a message may be the only one that brings an image.
    const source = message.source.offset === 0 ? null : this.#source(message.source);
    const tile = brush.kind === 'pattern' ? this.#source(brush.image) : null;
    const region = this.#region;
    region.setRect(box, target.width, target.height);
    if (clip.rects) region.intersectRects(clip.rects, clip.count);
    if (mask.image.offset !== 0 && message.name !== 'DRAW_COMPOSITE') {
      const bits = this.#mask(mask.image);
      region.intersectMask(bits, box.left - mask.x, box.top - mask.y, (mask.flags & maskInverse) !== 0);
    }
    switch (message.name) {
      case 'COPY_BITS':
        copyBits(target, region, message.sourceX - box.left, message.sourceY - box.top);
        return;
      case 'DRAW_FILL':
        paint(target, region, brush, tile, operationUnder(message, ropDescriptor.inversBrush, ropDescriptor.inversDest));
        return;
      case 'DRAW_OPAQUE': {
        const operation = operationUnder(message, ropDescriptor.inversBrush, ropDescriptor.inversSrc);
        if (operation === rop.noop) return;
        copyRegion(target, region, present(source), message.area, box, rop.copy, message.interpolate);
        paint(target, region, brush, tile, operation);
        return;
      }
      case 'DRAW_COPY':
      case 'DRAW_BLEND':
        copyRegion(
          target,
          region,
          present(source),
          message.area,
          box,
          operationUnder(message, ropDescriptor.inversSrc, ropDescriptor.inversDest),
          message.interpolate,
        );
        return;
      case 'DRAW_BLACKNESS':
        fillRegion(target, region, pixelOf(target, 0), rop.copy);
        return;
      case 'DRAW_WHITENESS':
        fillRegion(target, region, pixelOf(target, 0xffffffff), rop.copy);
        return;
      case 'DRAW_INVERS':
        fillRegion(target, region, 0, rop.invert);
        return;
      case 'DRAW_ROP3':
        drawRop3(
          target,
          region,
          present(source),
          message.area,
          box,
          message.rop3,
          message.interpolate,
          pixelOf(target, brush.kind === 'solid' ? brush.colour : 0),
          tile,
          brush.x,
          brush.y,
        );
        return;
      case 'DRAW_STROKE':
        this.#stroke(target, message, tile);
        return;
      case 'DRAW_TEXT':
        this.#text(target, message, tile);
        return;
      case 'DRAW_TRANSPARENT':
        drawTransparent(target, region, present(source), message.area, box, message.transparentColour);
        return;
      case 'DRAW_ALPHA_BLEND':
        drawAlphaBlend(target, region, present(source), message.area, box, message.alpha, message.alphaFlags);
        return;
      case 'DRAW_COMPOSITE':
        drawComposite(
          target,
          region,
          box,
          message.operator,
          present(source),
          message.sourceInput,
          message.sourceOpaque,
          mask.image.offset === 0 ? null : this.#source(mask.image),
          message.maskInput,
          message.byComponent,
        );
    }
  }

  #stroke(target: Surface, message: DrawMessage, tile: Source | null): void {
    const { brush } = message;
    if (this.#region.empty) return;
    this.#painter ??= new SpanPainter(target, this.#region);
    const painter = this.#painter;
    painter.target = target;
    painter.operation = operationUnder(message, ropDescriptor.inversBrush, ropDescriptor.inversDest);
    painter.pixel = pixelOf(target, brush.kind === 'solid' ? brush.colour : 0);
    painter.tile = tile ? detached(tile, target) : null;
    painter.tileX = brush.x;
    painter.tileY = brush.y;
    drawStroke(painter, message.path, message.dashes, message.dashOffset);
  }

  #text(target: Surface, message: DrawMessage, tile: Source | null): void {
    const { area, brush, backBrush } = message;
    const backTile = backBrush.kind === 'pattern' ? this.#source(backBrush.image) : null;
    if (area.left < area.right && area.top < area.bottom) {
      // The server draws no text over a background in any other mode.
      if (message.ropDescriptor !== ropDescriptor.put) return;
      const behind = this.#backRegion;
      behind.setRect(message.box, target.width, target.height);
      if (message.clip.rects) behind.intersectRects(message.clip.rects, message.clip.count);
      behind.intersectRect(area);
      paint(target, behind, backBrush, backTile, rop.copy);
    }
    if (brush.kind === 'none') return;
    drawText(target, this.#region, message.glyphs, textPixel(target, brush.colour), tile, brush.x, brush.y);
  }

  #surface(id: number): Surface {
    const surface = this.#images.surface(id);
    if (!surface) throw new SpiceError(`there is no surface ${id}`);
    return surface;
  }

  #source(image: ImageReference): Source {
    return image.surfaceId >= 0 ? this.#surface(image.surfaceId) : this.#images.picture(image);
  }

  #mask(image: ImageReference): Mask {
    return image.surfaceId >= 0 ? maskOf(this.#surface(image.surfaceId)) : this.#images.mask(image);
  }
}

/** A brush upon a region: no brush is black, since the operation may invert what is there. */
function paint(target: Surface, region: Region, brush: Brush, tile: Source | null, operation: number): void {
  if (operation === rop.noop) return;
  if (tile) tileRegion(target, region, tile, brush.x, brush.y, operation);
  else fillRegion(target, region, pixelOf(target, brush.kind === 'solid' ? brush.colour : 0), operation);
}

function operationUnder(message: DrawMessage, source: 1 | 2, destination: 1 | 4): number {
  return rasterOperation(message.ropDescriptor, source, destination);
}

function present(source: Source | null): Source {
  if (!source) throw new SpiceError('no image');
  return source;
}

/** A surface of one bit a pixel as a mask. */
function maskOf({ width, height, pixels }: Surface): Mask {
  const bits = new Uint8Array(width * height);
  for (let at = 0; at < bits.length; at++) bits[at] = (pixels[at] as number) >>> 31;
  return { width, height, bits };
}
