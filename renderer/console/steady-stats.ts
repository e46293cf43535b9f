/**
 * Which figures of a console a page shows. A guest whose cursor blinks sends about the same every second; showing each second's exact figure
 * would say no more, and would lay out and paint a line of the window every second for as long as nothing happens.
 */
import type { ConsoleStats } from './console.ts';

/** Rates of bytes and times that are off by less stay as they are shown. */
const tolerance = 0.1;
/** Whether a second saw one picture more depends on when it began. And a second is never exactly one: rates differ in the last digits. */
const onePicture = 1.1;
/** Acknowledgements and pings come to less: the protocol talking to itself. */
const chatterBytesPerSecond = 256;
/** Nobody feels it, and every second's round trip is off by as much. */
const latencySlackMs = 1;

/**
 * What to show after `shown` when the last second was `measured`; the same object when that is nothing new. A figure moves when it is off
 * by more than one picture and what came with it, by more than a millisecond, or by more than a tenth. When pictures began or ended to come, all figures move.
 */
export function steadyStats(shown: ConsoleStats, measured: ConsoleStats): ConsoleStats {
  if ((shown.framesPerSecond === 0) !== (measured.framesPerSecond === 0)) return measured;
  const pictureBytes = shown.framesPerSecond > 0 ? (shown.bytesInPerSecond / shown.framesPerSecond) * onePicture : 0;
  const steady: ConsoleStats = {
    framesPerSecond: steadyFigure(shown.framesPerSecond, measured.framesPerSecond, onePicture),
    bytesInPerSecond: steadyRate(shown.bytesInPerSecond, measured.bytesInPerSecond, Math.max(pictureBytes, chatterBytesPerSecond)),
    bytesOutPerSecond: steadyRate(shown.bytesOutPerSecond, measured.bytesOutPerSecond, chatterBytesPerSecond),
    latencyMs:
      shown.latencyMs === null || measured.latencyMs === null
        ? measured.latencyMs
        : steadyRate(shown.latencyMs, measured.latencyMs, latencySlackMs),
  };
  const names = Object.keys(steady) as (keyof ConsoleStats)[];
  return names.every((name) => steady[name] === shown[name]) ? shown : steady;
}

function steadyRate(shown: number, measured: number, slack: number): number {
  return steadyFigure(shown, measured, Math.max(shown * tolerance, slack));
}

function steadyFigure(shown: number, measured: number, slack: number): number {
  return Math.abs(measured - shown) <= slack ? shown : measured;
}
