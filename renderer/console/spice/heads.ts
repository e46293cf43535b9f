/**
 * Which monitors a session has. A display channel is one graphics card: virtio-gpu and cards for Windows have a channel for each of their
 * monitors; a QXL card under Linux has one picture for all, of which MONITORS_CONFIG says what belongs to which.
 */
import type { PixelSize } from '../console.ts';
import type { MonitorConfig } from './channels/display-channel.ts';

export type Head = PixelSize & {
  /** As the agent counts them: 0 is the first. */
  id: number;
  /** Its display channel. */
  display: number;
  /** Where it lies in that channel's picture. */
  xPx: number;
  yPx: number;
};

/** As many as a guest's display device may have. */
export const maxHeads = 16;

type Display = { size: PixelSize | null; monitors: readonly MonitorConfig[] };

/** INVARIANT: a head lies within the picture of its channel, whatever the server says (`heads.test.ts`). */
export class Heads {
  readonly #displays = new Map<number, Display>();
  #list: readonly Head[] = [];
  #most = 1;

  /** By their ids. */
  get list(): readonly Head[] {
    return this.#list;
  }

  /** The most that there have been at once. */
  get most(): number {
    return this.#most;
  }

  /** The channel has a new picture, or none any more, which leaves what there was. Tells whether anything is different now. */
  picture(display: number, size: PixelSize | null): boolean {
    if (!size) return false;
    const before = this.#displays.get(display)?.monitors ?? [];
    // Where monitors lay in another picture is no use; those that make up just this one were told early.
    this.#displays.set(display, { size, monitors: makeUp(before, size) ? before : [] });
    return this.#arrange();
  }

  /** MONITORS_CONFIG of a channel. */
  monitors(display: number, monitors: readonly MonitorConfig[]): boolean {
    this.#displays.set(display, { size: this.#displays.get(display)?.size ?? null, monitors });
    return this.#arrange();
  }

  /** There are these display channels and no others. Tells whether anything is different now. */
  keepOnly(displays: readonly number[]): boolean {
    for (const display of [...this.#displays.keys()]) if (!displays.includes(display)) this.#displays.delete(display);
    return this.#arrange();
  }

  #arrange(): boolean {
    const heads = new Map<number, Head>();
    for (const [display, { size, monitors }] of this.#displays) {
      if (!size) continue;
      const within = monitors.map((monitor) => clip(monitor, size)).filter(({ widthPx, heightPx }) => widthPx > 0 && heightPx > 0);
      for (const monitor of within.length > 0 ? within : [{ id: 0, xPx: 0, yPx: 0, ...size }]) {
        // Cards have either several channels or several monitors: the sum is the number that the agent has for it.
        const id = display + monitor.id;
        if (id < maxHeads && !heads.has(id)) heads.set(id, { ...monitor, id, display });
      }
    }
    const list = [...heads.values()].sort((one, other) => one.id - other.id);
    this.#most = Math.max(this.#most, list.length);
    if (JSON.stringify(list) === JSON.stringify(this.#list)) return false;
    this.#list = list;
    return true;
  }
}

function clip({ id, xPx, yPx, widthPx, heightPx }: MonitorConfig, size: PixelSize): MonitorConfig {
  const left = Math.min(xPx, size.widthPx);
  const top = Math.min(yPx, size.heightPx);
  return { id, xPx: left, yPx: top, widthPx: Math.min(widthPx, size.widthPx - left), heightPx: Math.min(heightPx, size.heightPx - top) };
}

function makeUp(monitors: readonly MonitorConfig[], size: PixelSize): boolean {
  const right = Math.max(...monitors.map(({ xPx, widthPx }) => xPx + widthPx));
  return right === size.widthPx && Math.max(...monitors.map(({ yPx, heightPx }) => yPx + heightPx)) === size.heightPx;
}
