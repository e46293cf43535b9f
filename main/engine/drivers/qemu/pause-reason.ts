/** Why a guest stands still, in plain words, from what QEMU says. */
import type { PauseReason } from '../../../../contract/guest-state.ts';
import type { BlockInfo, RunState } from '../../qmp/qmp-commands.ts';
import { isRecord } from '../../qmp/qmp-message.ts';
import type { Observed } from '../driver.ts';
import { deviceOfNode } from './arguments/storage.ts';

/** Paths of the guest's disks and CDs by device id. */
export type DiskPaths = ReadonlyMap<string, string>;

export const userPause: PauseReason = { kind: 'user', text: 'The guest was paused.' };

export const movedAway: PauseReason = {
  kind: 'moved',
  text: 'The guest was moved to another QEMU, which Guesthouse did not start. What is left of it here can be forced off.',
};

export function diskFull(deviceId: string | null, paths: DiskPaths): PauseReason {
  const file = deviceId === null ? undefined : paths.get(deviceId);
  const where = file ? `the file system of ${file}` : 'the file system of a disk';
  return {
    kind: 'disk-full',
    text: `There is no room left on ${where}. The guest goes on by itself when there is.`,
    ...(deviceId === null ? {} : { deviceId }),
    ...(file ? { file } : {}),
  };
}

/** @param why what the operating system said, "Input/output error", or null */
export function ioError(deviceId: string | null, operation: 'read' | 'write' | null, why: string | null, paths: DiskPaths): PauseReason {
  const file = deviceId === null ? undefined : paths.get(deviceId);
  const what = operation === null ? 'used' : operation === 'read' ? 'read' : 'written';
  return {
    kind: 'io-error',
    text: `${deviceId === null ? 'A disk' : `The disk ${deviceId}`}${file ? ` (${file})` : ''} cannot be ${what}${why ? `: ${why}` : ''}. Resume tries again.`,
    ...(deviceId === null ? {} : { deviceId }),
    ...(file ? { file } : {}),
  };
}

/** The data of BLOCK_IO_ERROR; null when the guest is told of the error instead of being stopped. */
export function pauseOfIoError(data: Record<string, unknown>, paths: DiskPaths): PauseReason | null {
  if (data.action !== 'stop') return null;
  const node = typeof data['node-name'] === 'string' ? data['node-name'] : '';
  const deviceId = deviceOfNode(node);
  if (data.nospace === true) return diskFull(deviceId, paths);
  const operation = data.operation === 'read' || data.operation === 'write' ? data.operation : null;
  return ioError(deviceId, operation, typeof data.reason === 'string' ? data.reason : null, paths);
}

/** What the guest told of its own panic: Windows gives the five numbers of its blue screen. */
export function panicText(info: unknown): string {
  if (isRecord(info) && info.type === 'hyper-v' && typeof info.arg1 === 'number') {
    return `Windows stopped with a blue screen (code 0x${info.arg1.toString(16).toUpperCase().padStart(8, '0')}).`;
  }
  return "The guest's operating system crashed (kernel panic).";
}

const panicked: PauseReason = { kind: 'guest-panicked', text: panicText(null) };
const watchdog: PauseReason = { kind: 'watchdog', text: "The guest's watchdog ran out: the guest no longer answers to itself." };
const internalError: PauseReason = {
  kind: 'internal-error',
  text: 'The accelerator could not go on with the guest (KVM internal error).',
};

/**
 * What the run state means. `told` is what an event before it said, which knows more than the state does; `blocks` is asked for
 * only when there was no such event, and `elsewhere`, whether the guest is in another QEMU, only of one whose state was handed on.
 */
export async function observedOf(
  status: RunState,
  told: PauseReason | null,
  paths: DiskPaths,
  blocks: () => Promise<BlockInfo[]>,
  elsewhere: () => Promise<boolean>,
): Promise<Observed> {
  const paused = (reason: PauseReason): Observed => ({ kind: 'paused', reason });
  switch (status) {
    case 'running':
    case 'suspended':
    case 'colo':
      return { kind: 'running' };
    case 'prelaunch':
    case 'inmigrate':
      return { kind: 'waiting' };
    case 'io-error':
      return paused(told ?? (await pauseOfBlocks(await blocks(), paths)));
    case 'guest-panicked':
      return paused(told?.kind === 'guest-panicked' ? told : panicked);
    case 'watchdog':
      return paused(watchdog);
    case 'internal-error':
      return paused(internalError);
    case 'postmigrate':
      // It is so after a suspend that was cut short, too.
      return paused((await elsewhere()) ? movedAway : userPause);
    case 'paused':
    case 'finish-migrate':
      return paused(userPause);
    case 'debug':
    case 'restore-vm':
    case 'save-vm':
    case 'shutdown':
      return paused({ kind: 'other', text: `QEMU holds the guest in its state "${status}".` });
  }
}

async function pauseOfBlocks(blocks: readonly BlockInfo[], paths: DiskPaths): Promise<PauseReason> {
  const failed = blocks.find((block) => block['io-status'] === 'nospace') ?? blocks.find((block) => block['io-status'] === 'failed');
  // A device without an id is known by its path, "/machine/peripheral/disk0/virtio-backend".
  const deviceId = failed?.qdev ? (/^\/machine\/peripheral\/([^/]+)/.exec(failed.qdev)?.[1] ?? failed.qdev) : null;
  return failed?.['io-status'] === 'nospace' ? diskFull(deviceId, paths) : ioError(deviceId, null, null, paths);
}
