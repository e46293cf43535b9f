/** Measures one QEMU process: each call gives the rates since the call before. */
import type { Sample } from '../../../../contract/guest-state.ts';
import type { BlockStats } from '../../qmp/qmp-commands.ts';
import { type ProcessId, readStat, residentBytes, ticksPerSecond } from './process-table.ts';

export type Counters = {
  atMs: number;
  cpuTicks: number;
  memoryBytes: number;
  readBytes: number;
  writtenBytes: number;
  /** What the guest says of its own network cards; null when it does not. User-mode networking itself counts nothing. */
  receivedBytes: number | null;
  sentBytes: number | null;
};

/** Null when the process is gone. */
export function readCounters(
  process: ProcessId,
  blocks: readonly BlockStats[],
  network: { receivedBytes: number | null; sentBytes: number | null } | null,
): Counters | null {
  const stat = readStat(process.pid);
  const memoryBytes = residentBytes(process.pid);
  if (!stat || stat.startTicks !== process.startTicks || memoryBytes === null) return null;
  const disks = blocks.filter((block) => block.qdev);
  return {
    atMs: performance.now(),
    cpuTicks: stat.cpuTicks,
    memoryBytes,
    readBytes: disks.reduce((sum, { stats }) => sum + stats.rd_bytes, 0),
    writtenBytes: disks.reduce((sum, { stats }) => sum + stats.wr_bytes, 0),
    receivedBytes: network?.receivedBytes ?? null,
    sentBytes: network?.sentBytes ?? null,
  };
}

/** Counters that went backwards (a guest that restarted its network) give 0, never a negative rate. */
export function sampleBetween(before: Counters, now: Counters, at: string): Sample {
  const seconds = Math.max((now.atMs - before.atMs) / 1000, 0.001);
  const rate = (was: number, is: number) => Math.max(0, (is - was) / seconds);
  const maybeRate = (was: number | null, is: number | null) => (was === null || is === null ? null : rate(was, is));
  return {
    at,
    cpuCores: rate(before.cpuTicks, now.cpuTicks) / ticksPerSecond,
    memoryBytes: now.memoryBytes,
    diskReadBytesPerSecond: rate(before.readBytes, now.readBytes),
    diskWriteBytesPerSecond: rate(before.writtenBytes, now.writtenBytes),
    netReceiveBytesPerSecond: maybeRate(before.receivedBytes, now.receivedBytes),
    netSendBytesPerSecond: maybeRate(before.sentBytes, now.sentBytes),
  };
}
