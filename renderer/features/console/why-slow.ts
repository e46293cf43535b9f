/** Why a console is slow, as far as its figures tell. */
import type { ConsoleDetails, ConsoleStats } from '../../console/console.ts';

/** What is known of a console at one moment. */
export type ConsoleFigures = {
  /** The guest's processor is emulated. */
  emulated: boolean;
  /** Nobody can see the console, so it is drawn seldom. */
  hidden: boolean;
  stats: ConsoleStats;
  details: ConsoleDetails;
  /** What came in the last seconds. */
  recent: Recent;
};

export type Recent = Pick<ConsoleDetails, 'pictures' | 'droppedFrames'>;

export type SlowReason = 'emulated' | 'dropped' | 'hidden' | 'decoding' | 'latency' | 'unpacked';

/** Share of a second that unpacking and drawing may take before pictures wait. */
const busyShare = 0.6;
/** A hand notices from here on. */
const lateMs = 80;
/** Within one computer an answer takes less, unless the guest or the computer is busy. */
const remoteMs = 20;
/** What a slow network carries: 10 Mbit/s. */
const muchBytesPerSecond = 1_250_000;
const mostlyUnpacked = 0.5;

/** What slows a console down, the worst first. Empty when nothing does. */
export function whySlow({ emulated, hidden, stats, details, recent }: ConsoleFigures): SlowReason[] {
  const reasons: SlowReason[] = [];
  if (hidden) reasons.push('hidden');
  if (details.busy >= busyShare) reasons.push('decoding');
  if (recent.droppedFrames > 0) reasons.push('dropped');
  const bytes = recent.pictures.reduce((sum, picture) => sum + picture.bytes, 0);
  const unpacked = recent.pictures.reduce((sum, picture) => sum + (picture.packing === 'bitmap' ? picture.bytes : 0), 0);
  const isFar = stats.latencyMs !== null && stats.latencyMs >= remoteMs;
  if (isFar && stats.bytesInPerSecond >= muchBytesPerSecond && unpacked > bytes * mostlyUnpacked) reasons.push('unpacked');
  if (stats.latencyMs !== null && stats.latencyMs >= lateMs) reasons.push('latency');
  if (emulated) reasons.push('emulated');
  return reasons;
}

/** What came between two looks at the same connection. */
export function between(then: Recent, now: Recent): Recent {
  const before = (packing: string) => then.pictures.find((picture) => picture.packing === packing) ?? { count: 0, bytes: 0 };
  const pictures = now.pictures.map(({ packing, count, bytes }) => ({
    packing,
    count: count - before(packing).count,
    bytes: bytes - before(packing).bytes,
  }));
  return { pictures: pictures.filter(({ count }) => count > 0), droppedFrames: now.droppedFrames - then.droppedFrames };
}
