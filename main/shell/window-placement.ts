/** Where windows were, kept in a file of the app's own, and brought back onto a display that is there. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

export const minWindowSize = { width: 800, height: 600 } as const;

const rectangle = z.object({ x: z.number().int(), y: z.number().int(), width: z.number().int().min(1), height: z.number().int().min(1) });
export type Rectangle = z.infer<typeof rectangle>;

const placement = z.object({
  /** Of the window when it is neither maximised nor full screen. */
  bounds: rectangle,
  maximised: z.boolean(),
  fullScreen: z.boolean(),
});
export type Placement = z.infer<typeof placement>;

const placements = z.record(z.string().max(40), placement);

/** More guests than these have had no console window lately; the oldest are forgotten. */
const rememberedMax = 200;

/** Reads and writes the file. What cannot be read is as good as absent: a window must open in any case. */
export class WindowPlacements {
  readonly #path: string;
  #known: Record<string, Placement>;

  constructor(path: string) {
    this.#path = path;
    this.#known = readPlacements(path);
  }

  get(window: string): Placement | null {
    return this.#known[window] ?? null;
  }

  set(window: string, value: Placement): void {
    const { [window]: _old, ...others } = this.#known;
    const kept = Object.entries(others).slice(-(rememberedMax - 1));
    this.#known = { ...Object.fromEntries(kept), [window]: value };
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, JSON.stringify(this.#known), { mode: 0o600 });
    renameSync(temporary, this.#path);
  }
}

function readPlacements(path: string): Record<string, Placement> {
  try {
    const parsed = placements.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}

/**
 * Bounds that lie wholly on one of the displays: the one that shows most of the window, else the first. A window is moved rather than made
 * smaller, and never smaller than the minimum even on a display that has less.
 */
export function clampToDisplays(bounds: Rectangle, workAreas: readonly Rectangle[]): Rectangle {
  const area = workAreas.reduce<Rectangle | undefined>(
    (best, candidate) => (best === undefined || overlap(bounds, candidate) > overlap(bounds, best) ? candidate : best),
    undefined,
  );
  if (!area) return bounds;
  const width = Math.max(minWindowSize.width, Math.min(bounds.width, area.width));
  const height = Math.max(minWindowSize.height, Math.min(bounds.height, area.height));
  return {
    width,
    height,
    x: between(bounds.x, area.x, area.x + area.width - width),
    y: between(bounds.y, area.y, area.y + area.height - height),
  };
}

function overlap(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

function between(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
