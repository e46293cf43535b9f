/**
 * Writes the drawings that our renderer is tested with down for the server's to draw: `node tests/support/write-spice-drawings.ts FOLDER`.
 * What it is for, and what the files are, is in `renderer/console/spice/drawing/golden/README.md`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordsOf } from './spice-drawing-surfaces.ts';
import { type DrawingSet, drawingSets, fileOfDrawings, makeDrawing } from './spice-drawings.ts';

const folder = process.argv[2];
if (!folder) throw new Error('Name the folder to write the drawings to.');
await mkdir(folder, { recursive: true });
for (const [set, count] of Object.entries(drawingSets) as [DrawingSet, number][]) {
  const records = Array.from({ length: count }, (_, seed) => recordsOf(makeDrawing(set, seed))).flat();
  await writeFile(join(folder, `${fileOfDrawings(set)}.bin`), Buffer.concat(records));
}
