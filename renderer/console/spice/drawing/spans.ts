/** Pieces of rows that make up a line, painted where a region allows. */
import { fillBox, tileBox } from './fill.ts';
import type { Region } from './region.ts';
import type { Source, Surface } from './surface.ts';

/** What a line is painted with. Set up once for a command. */
export class SpanPainter {
  target: Surface;
  region: Region;
  operation = 0;
  pixel = 0;
  /** Instead of `pixel`, with the place where one tile begins. It must not be the surface itself. */
  tile: Source | null = null;
  tileX = 0;
  tileY = 0;

  constructor(target: Surface, region: Region) {
    this.target = target;
    this.region = region;
  }

  span(x: number, y: number, width: number): void {
    const { boxes, count } = this.region;
    for (let box = 0; box < count * 4; box += 4) {
      if (y < (boxes[box + 1] as number) || y >= (boxes[box + 3] as number)) continue;
      const left = Math.max(x, boxes[box] as number);
      const right = Math.min(x + width, boxes[box + 2] as number);
      if (left >= right) continue;
      if (this.tile) tileBox(this.target, left, y, right, y + 1, this.tile, this.tileX, this.tileY, this.operation);
      else fillBox(this.target, left, y, right, y + 1, this.pixel, this.operation);
    }
  }
}

/** Spans that wait until all of a line is known, and are then painted so that no pixel is painted twice. */
export class HeldSpans {
  #spans: { x: number; y: number; right: number }[] = [];

  add(x: number, y: number, width: number): void {
    this.#spans.push({ x, y, right: x + width });
  }

  paint(painter: SpanPainter): void {
    const spans = this.#spans.sort((one, other) => one.y - other.y || one.x - other.x);
    for (let at = 0; at < spans.length; ) {
      const { x, y } = spans[at] as { x: number; y: number };
      let right = (spans[at] as { right: number }).right;
      for (at++; at < spans.length; at++) {
        const next = spans[at] as { x: number; y: number; right: number };
        if (next.y !== y || next.x > right) break;
        right = Math.max(right, next.right);
      }
      painter.span(x, y, right - x);
    }
    this.#spans = [];
  }
}
