/** From measurements to what a chart draws. Pure. */
import type { Sample } from '../../../contract/guest-state.ts';

export type ChartData = {
  /** Seconds since 1970, rising. */
  times: number[];
  cpu: (number | null)[];
  memory: (number | null)[];
  read: (number | null)[];
  write: (number | null)[];
  receive: (number | null)[];
  send: (number | null)[];
};

export const ranges = ['10m', '1d', '30d'] as const;
export type Range = (typeof ranges)[number];
export const rangeSeconds: Record<Range, number> = { '10m': 600, '1d': 86_400, '30d': 30 * 86_400 };

/** `stored` with those of `live` behind it that are newer. Both oldest first. */
export function mergeSamples(stored: readonly Sample[], live: readonly Sample[]): Sample[] {
  const last = stored.at(-1)?.at ?? '';
  return [...stored, ...live.filter((sample) => sample.at > last)];
}

/** A guest that nobody looks at is measured once a minute; two and a half of those without a measurement are a gap. */
const shortestGapSeconds = 150;

/**
 * The columns of the charts. Where more than three intervals lie between two measurements the guest was off: the line breaks there
 * instead of inventing values.
 */
export function chartData(samples: readonly Sample[], intervalSeconds: number, from: number): ChartData {
  const data: ChartData = { times: [], cpu: [], memory: [], read: [], write: [], receive: [], send: [] };
  const gap = Math.max(shortestGapSeconds, intervalSeconds * 3);
  let before: number | undefined;
  for (const sample of samples) {
    const time = Date.parse(sample.at) / 1000;
    if (time < from || (before !== undefined && time <= before)) continue;
    if (before !== undefined && time - before > gap) push(data, before + 1, null);
    push(data, time, sample);
    before = time;
  }
  return data;
}

function push(data: ChartData, time: number, sample: Sample | null): void {
  data.times.push(time);
  data.cpu.push(sample?.cpuCores ?? null);
  data.memory.push(sample?.memoryBytes ?? null);
  data.read.push(sample?.diskReadBytesPerSecond ?? null);
  data.write.push(sample?.diskWriteBytesPerSecond ?? null);
  data.receive.push(sample?.netReceiveBytesPerSecond ?? null);
  data.send.push(sample?.netSendBytesPerSecond ?? null);
}
