/** Every measure, in the order in which they run. */
import type { Measure } from '../figures.ts';
import { callLatency } from './call-latency.ts';
import { cataloguePage } from './catalogue-page.ts';
import { commandLineList } from './command-line-list.ts';
import { console } from './console.ts';
import { consoleHour } from './console-hour.ts';
import { consoleReplays } from './console-replay.ts';
import { consoleResponses } from './console-responses.ts';
import { guestMemory } from './guest-memory.ts';
import { guestStart } from './guest-start.ts';
import { idleCpu } from './idle-cpu.ts';
import { imageImport } from './image-import.ts';
import { imageSearch } from './image-search.ts';
import { linkedClone } from './linked-clone.ts';
import { manyGuests } from './many-guests.ts';
import { snapshots } from './snapshots.ts';
import { sound } from './sound.ts';
import { spiceDecoders } from './spice-decoders.ts';
import { spiceDrawing } from './spice-drawing.ts';
import { startStages } from './start-stages.ts';
import { watchedGuests } from './watched-guests.ts';

export const measures: readonly Measure[] = [
  guestStart,
  guestMemory,
  callLatency,
  manyGuests,
  watchedGuests,
  imageImport,
  imageSearch,
  cataloguePage,
  linkedClone,
  snapshots,
  commandLineList,
  idleCpu,
  console,
  ...consoleReplays,
  consoleResponses,
  sound,
  consoleHour,
  spiceDecoders,
  spiceDrawing,
  startStages,
];
