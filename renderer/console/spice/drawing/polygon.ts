/**
 * Small convex polygons around a line, filled row by row as X's wide lines are: a pixel belongs to a polygon when its centre does, and edges
 * are walked in whole numbers. Vertices count from the line's end (`originX`, `originY`), which is a whole pixel.
 */

export type Vertex = { x: number; y: number };
/** The direction from a vertex to the next, and where its line lies: `constant` is x·dy − y·dx of any of its points. */
export type Slope = { dx: number; dy: number; constant: number };

type Edge = { height: number; x: number; step: number; sign: number; error: number; dy: number; dx: number };

const makeEdge = (): Edge => ({ height: 0, x: 0, step: 0, sign: 1, error: 0, dy: 1, dx: 0 });
const lefts: readonly Edge[] = Array.from({ length: 4 }, makeEdge);
const rights: readonly Edge[] = Array.from({ length: 4 }, makeEdge);

/** Gives the rows of a polygon of `count` vertices to `paint`. */
export function fillPolygon(
  vertices: readonly Vertex[],
  slopes: readonly Slope[],
  count: number,
  originX: number,
  originY: number,
  paint: (x: number, y: number, width: number) => void,
): void {
  let top = 0;
  let bottom = 0;
  let least = (vertices[0] as Vertex).y;
  let most = least;
  for (let at = 1; at < count; at++) {
    const { y } = vertices[at] as Vertex;
    if (y < least) {
      top = at;
      least = y;
    }
    if (y >= most) {
      bottom = at;
      most = y;
    }
  }
  const before = slopes[(top + count - 1) % count] as Slope;
  const after = slopes[top] as Slope;
  const clockwise = before.dy * after.dx <= after.dy * before.dx;
  const lowest = Math.ceil(most) + originY;
  const rightCount = walk(vertices, slopes, count, top, bottom, clockwise ? 1 : -1, originX, originY, lowest, 0, rights);
  const leftCount = walk(vertices, slopes, count, top, bottom, clockwise ? -1 : 1, originX, originY, lowest, 1, lefts);
  if (rightCount > 0 && leftCount > 0) fillBetween(rightStart, leftCount, rightCount, paint);
}

/** The first row of the right side's edges. */
let rightStart = 0;

/** Makes the edges of one side from the top vertex to the bottom one. Answers how many there are. */
function walk(
  vertices: readonly Vertex[],
  slopes: readonly Slope[],
  count: number,
  top: number,
  bottom: number,
  direction: 1 | -1,
  originX: number,
  originY: number,
  lowest: number,
  inset: 0 | 1,
  edges: readonly Edge[],
): number {
  let made = 0;
  let lastY = 0;
  let at = top;
  // Going on, a vertex's own slope leads to the next one; going back, the one before does.
  let slopeAt = direction > 0 ? top : (top + count - 1) % count;
  while (at !== bottom) {
    const slope = slopes[slopeAt] as Slope;
    if (slope.dy !== 0) {
      const y = buildEdge((vertices[at] as Vertex).y, slope, originX, originY, inset, edges[made] as Edge);
      if (made > 0) (edges[made - 1] as Edge).height = y - lastY;
      else if (inset === 0) rightStart = y;
      made++;
      lastY = y;
    }
    at = (at + direction + count) % count;
    slopeAt = (slopeAt + direction + count) % count;
  }
  if (made > 0) (edges[made - 1] as Edge).height = lowest - lastY;
  return made;
}

/** Answers the first row of the edge. `inset` moves it by one pixel: a left side begins where a right one would end. */
function buildEdge(y0: number, slope: Slope, originX: number, originY: number, inset: 0 | 1, edge: Edge): number {
  let { dx, dy, constant } = slope;
  if (dy < 0) {
    dy = -dy;
    dx = -dx;
    constant = -constant;
  }
  const y = Math.ceil(y0);
  const scaled = Math.ceil(constant) + y * dx;
  const x = scaled <= 0 ? -Math.floor(-scaled / dy) - 1 : Math.floor((scaled - 1) / dy);
  let error = scaled - x * dy;
  if (dx >= 0) {
    edge.sign = 1;
    edge.step = Math.floor(dx / dy);
    edge.dx = dx % dy;
  } else {
    edge.sign = -1;
    edge.step = -Math.floor(-dx / dy);
    edge.dx = -dx % dy;
    error = dy - error + 1;
  }
  edge.dy = dy;
  edge.x = x + inset + originX;
  edge.error = error - dy;
  return y + originY;
}

function fillBetween(firstRow: number, leftCount: number, rightCount: number, paint: (x: number, y: number, width: number) => void): void {
  let y = firstRow;
  let left = 0;
  let right = 0;
  let leftEdge = lefts[0] as Edge;
  let rightEdge = rights[0] as Edge;
  let leftHeight = leftEdge.height;
  let rightHeight = rightEdge.height;
  while (true) {
    if (leftHeight === 0) {
      if (++left >= leftCount) return;
      leftEdge = lefts[left] as Edge;
      leftHeight = leftEdge.height;
    }
    if (rightHeight === 0) {
      if (++right >= rightCount) return;
      rightEdge = rights[right] as Edge;
      rightHeight = rightEdge.height;
    }
    const height = Math.min(leftHeight, rightHeight);
    leftHeight -= height;
    rightHeight -= height;
    for (let row = 0; row < height; row++) {
      if (rightEdge.x >= leftEdge.x) paint(leftEdge.x, y, rightEdge.x - leftEdge.x + 1);
      y++;
      stepDown(leftEdge);
      stepDown(rightEdge);
    }
  }
}

function stepDown(edge: Edge): void {
  edge.x += edge.step;
  edge.error += edge.dx;
  if (edge.error > 0) {
    edge.x += edge.sign;
    edge.error -= edge.dy;
  }
}
