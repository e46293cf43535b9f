/** Processors, memory and the watchdog of a guest that runs. */
import { Failure } from '../../../../../contract/errors.ts';
import { cpusOnline } from '../../../../../contract/guest-spec.ts';
import { lastLines, runTool } from '../../../host/bounded-process.ts';
import { memoryBackend } from '../arguments/machine.ts';
import { setCpuQuota } from '../cpu-quota.ts';
import { type Ensure, hasObject, type LiveGuest, plug, unplug } from './live-guest.ts';

const mib = 1024 * 1024;

export const ensureProcessors: Ensure = async (guest, _id, to) => {
  const wanted = cpusOnline(to.cpu);
  const cpus = await guest.execute('query-hotpluggable-cpus', {});
  const there = cpus.filter((cpu) => cpu['qom-path'] !== undefined);
  // QEMU lists them from the last to the first.
  const free = cpus.filter((cpu) => cpu['qom-path'] === undefined).reverse();
  for (let count = there.length; count < wanted; count++) {
    const next = free.shift();
    if (!next)
      throw new Failure('guest/denied', `${guest.name} has room for ${cpus.length} processors.`, { hint: 'Start it again first.' });
    await plug(guest, { driver: next.type, properties: { id: cpuId(count), ...next.props } }, null);
    guest.plugged.set(cpuId(count), 'cpu');
  }
  for (let count = there.length - 1; count >= wanted; count--) if (guest.plugged.has(cpuId(count))) await unplug(guest, cpuId(count));
  if (to.cpu.pins.length > 0) await ensurePins(guest, '', to);
};

const cpuId = (place: number): string => `cpu-added${place}`;

/** Adds what is missing as one piece. A piece that is too much (an edit that is taken back) is taken out if the guest lets go of it. */
export const ensureMemory: Ensure = async (guest, _id, to) => {
  const { 'base-memory': base, 'plugged-memory': plugged = 0 } = await guest.execute('query-memory-size-summary', {});
  const moreMiB = to.memoryMiB - (base + plugged) / mib;
  const pieces = [...guest.plugged].flatMap(([id, place]) =>
    place.startsWith('memory:') ? [{ id, sizeMiB: Number(place.slice(7)) }] : [],
  );
  if (moreMiB < 0) {
    const piece = pieces.find(({ sizeMiB }) => sizeMiB === -moreMiB);
    if (!piece) return;
    await unplug(guest, piece.id);
    await guest.execute('object-del', { id: `${piece.id}-memory` });
    return;
  }
  if (moreMiB === 0) return;
  let place = pieces.length;
  while (await hasObject(guest, `memory-added${place}-memory`)) place++;
  const id = `memory-added${place}`;
  const { type, properties } = memoryBackend(to, guest);
  await guest.execute('object-add', { 'qom-type': type, id: `${id}-memory`, size: moreMiB * mib, ...properties });
  try {
    await plug(guest, { driver: 'pc-dimm', properties: { id, memdev: `${id}-memory` } }, null);
  } catch (thrown) {
    await guest.execute('object-del', { id: `${id}-memory` }).catch(() => {});
    throw thrown;
  }
  guest.plugged.set(id, `memory:${moreMiB}`);
};

export const ensureBalloon: Ensure = async (guest, _id, to) => {
  const { 'base-memory': base, 'plugged-memory': plugged = 0 } = await guest.execute('query-memory-size-summary', {});
  const all = base + plugged;
  await guest.execute('balloon', { value: to.balloonTargetMiB === null ? all : Math.min(all, to.balloonTargetMiB * mib) });
};

export const ensureWatchdogAction: Ensure = async (guest, _id, to) => {
  await guest.execute('set-action', { watchdog: to.watchdog.action });
};

/** Binds each virtual processor's thread to a processor of this computer; no pins free them again. */
export const ensurePins: Ensure = async (guest, _id, to) => {
  const { pins } = to.cpu;
  const cpus = await guest.execute('query-cpus-fast', {});
  for (const { 'cpu-index': index, 'thread-id': thread } of cpus) {
    const pin = pins.length === 0 ? null : pins[index % pins.length];
    await bindThread(guest, thread, pin === null || pin === undefined ? '0-4095' : String(pin));
  }
};

async function bindThread(guest: LiveGuest, thread: number, hostCpus: string): Promise<void> {
  const end = await runTool('taskset', ['-cp', hostCpus, String(thread)], { timeoutMs: 5_000 });
  if (end.status === 0) return;
  throw new Failure('host/too-many-cpus', `${guest.name} cannot run on processor ${hostCpus} of this computer.`, {
    hint: end.startError ? 'taskset is missing; it is part of util-linux.' : 'Choose processors that this computer has.',
    detail: lastLines(end.stderr),
  });
}

export const ensureQuota: Ensure = async (guest, _id, to) => {
  const problem = await setCpuQuota(guest.pid, guest.files.run, to.cpuQuotaPercent);
  if (problem) throw new Failure('host/no-cpu-quota', problem, { hint: 'The Health page says more.' });
};
