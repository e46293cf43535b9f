/** Which of a guest's monitors is on which of this computer's displays, and where they lie to each other. Pure. */
import type { PhysicalDisplay } from '../../../contract/shell.ts';
import { guestSizeFor } from '../../console/pointer/geometry.ts';

/** What is remembered of a display: one that was plugged in again may have another id, and stands where it stood. */
export type DisplayMark = Pick<PhysicalDisplay, 'id' | 'label' | 'x' | 'y'>;

/** By the ids of the heads. */
export type Assignment = ReadonlyMap<number, PhysicalDisplay>;

/** From the left to the right, and of those at the same place from top to bottom. */
export function inOrder(displays: readonly PhysicalDisplay[]): PhysicalDisplay[] {
  return [...displays].sort((one, other) => one.x - other.x || one.y - other.y);
}

/**
 * Each head has a display of its own as long as there are any: the one that was chosen for it, if that is there; the first of the others is on
 * `first`, and the rest from the left to the right.
 */
export function assignDisplays(
  heads: readonly number[],
  displays: readonly PhysicalDisplay[],
  chosen: Readonly<Record<number, DisplayMark>>,
  first: string | null,
): Assignment {
  const free = new Set(inOrder(displays));
  const assignment = new Map<number, PhysicalDisplay>();
  const assign = (head: number, display: PhysicalDisplay | undefined) => {
    if (!display || assignment.has(head)) return;
    free.delete(display);
    assignment.set(head, display);
  };
  const find = (is: (display: PhysicalDisplay) => boolean) => [...free].find(is);
  for (const head of heads) {
    const mark = chosen[head];
    if (mark)
      assign(
        head,
        find(({ id }) => id === mark.id),
      );
  }
  for (const head of heads) {
    const mark = chosen[head];
    if (mark)
      assign(
        head,
        find(({ label, x, y }) => label === mark.label && x === mark.x && y === mark.y),
      );
  }
  const [next] = heads.filter((head) => !assignment.has(head));
  if (next !== undefined)
    assign(
      next,
      find(({ id }) => id === first),
    );
  for (const head of heads)
    assign(
      head,
      find(() => true),
    );
  return new Map(heads.flatMap((head) => (assignment.has(head) ? [[head, assignment.get(head) as PhysicalDisplay]] : [])));
}

/**
 * Where each head lies, in the guest's pixels: what stands beside another display lies beside it, and above or below likewise. Displays have scales
 * of their own, so their places in the desktop's units are no places in pixels.
 */
export function placesOf(assignment: Assignment): { head: number; xPx: number; yPx: number }[] {
  const all = [...assignment].map(([head, display]) => ({ head, display, size: guestSizeFor(display, display.scale) }));
  const placed = new Map<number, { xPx: number; yPx: number }>();
  const least = { x: Math.min(...all.map(({ display }) => display.x)), y: Math.min(...all.map(({ display }) => display.y)) };
  const ofHead = (head: number) => placed.get(head) ?? { xPx: 0, yPx: 0 };
  // Whatever stands wholly to the left, or above, comes first.
  for (const { head, display } of [...all].sort((one, other) => one.display.x - other.display.x)) {
    const left = all.filter((each) => each.display.x + each.display.width <= display.x);
    const overlap = (display.x - least.x) * display.scale;
    const xPx = left.length > 0 ? Math.max(...left.map((each) => ofHead(each.head).xPx + each.size.widthPx)) : Math.round(overlap);
    placed.set(head, { xPx, yPx: 0 });
  }
  for (const { head, display } of [...all].sort((one, other) => one.display.y - other.display.y)) {
    const above = all.filter((each) => each.display.y + each.display.height <= display.y);
    const overlap = (display.y - least.y) * display.scale;
    const yPx = above.length > 0 ? Math.max(...above.map((each) => ofHead(each.head).yPx + each.size.heightPx)) : Math.round(overlap);
    placed.set(head, { xPx: ofHead(head).xPx, yPx });
  }
  return all.map(({ head }) => ({ head, ...ofHead(head) }));
}
