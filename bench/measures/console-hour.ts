import { setTimeout as pause } from 'node:timers/promises';
import { type Figure, type Measure, median } from '../figures.ts';
import { memoryMiB } from '../measured-app.ts';
import { withConsoleClient } from '../spice/console-clients.ts';
import { within, withReplayedGuest } from './console-replay.ts';
import { withScene } from './console-responses.ts';

const pictures = 3600 * 24;
const parts = 24;
/** What is counted as the beginning and the end: a part each, and some more, since memory breathes. */
const samples = 4;
const partDeadlineMs = 120_000;

/** The pictures and the bytes of an hour of video, without the pauses between them. */
export const consoleHour: Measure = {
  name: 'console-hour',
  about: 'memory of the whole app while its console shows an hour of video, as fast as it takes it',
  run: (log) =>
    withReplayedGuest((guest) =>
      withScene(guest, { widthPx: 1280, heightPx: 800 }, (scene) =>
        withConsoleClient('guesthouse', guest, async (client): Promise<Figure[]> => {
          await within(scene.drawn, 60_000, 'the console was not opened');
          await pause(2000);
          const memory: number[] = [];
          const began = performance.now();
          for (let part = 0; part < parts; part++) {
            await within(scene.play(pictures / parts), partDeadlineMs, 'the video was not taken');
            memory.push(await memoryMiB([client.pid]));
            log(`after ${((part + 1) * 60) / parts} minutes of video: ${memory.at(-1)?.toFixed(0)} MiB`);
          }
          // The first part fills what is kept for later: caches, and compiled code.
          const early = median(memory.slice(1, 1 + samples));
          const late = median(memory.slice(-samples));
          return [
            {
              what: 'memory of the whole app after an hour of video',
              value: late,
              unit: 'MiB',
              beside: { what: `in its first minutes`, value: early },
              aim: { kind: 'ratio', limit: 1.05 },
            },
            {
              what: 'pictures of 320 × 180 that it shows meanwhile',
              value: (pictures * 1000) / (performance.now() - began),
              unit: 'frames/s',
              beside: null,
              aim: null,
            },
          ];
        }),
      ),
    ),
};
