/** Saving a guest's memory and devices to disk and loading them again: QEMU's migration, to and from a Unix socket of ours. */
import { statfs } from 'node:fs/promises';
import { Failure } from '../../../../contract/errors.ts';
import type { GuestSpec } from '../../../../contract/guest-spec.ts';
import type { GuestFiles } from '../../files/layout.ts';
import type { QmpClient } from '../../qmp/qmp-client.ts';
import type { MigrationInfo } from '../../qmp/qmp-commands.ts';
import type { ByteProgress } from '../driver.ts';
import { readPidFile } from './find-qemu.ts';
import { residentBytes } from './process-table.ts';
import { StateReceiver, sendState } from './saved-state.ts';

/** As fast as the disk takes it: the guest stands still meanwhile. */
const bandwidthBytes = 2 ** 40;
const lookEveryMs = 50;
/** Screens and firmware come on top of the guest's memory. */
const besidesMemoryBytes = 1024 * 1024 * 1024;
const settleTimeoutMs = 20_000;

const memoryBytes = (spec: GuestSpec): number => spec.memoryMiB * 1024 * 1024;

/**
 * Stops the guest and writes its state to `path`. On return the state is durable; on a failure nothing of it is left and the guest stands still.
 * @throws Failure `store/full`, `job/cancelled`; QmpError
 */
export async function saveState(
  qmp: QmpClient,
  spec: GuestSpec,
  files: GuestFiles,
  path: string,
  signal: AbortSignal,
  progress: ByteProgress,
): Promise<void> {
  signal.throwIfAborted();
  await checkRoom(spec, files);
  await qmp.execute('stop', {});
  const receiver = await StateReceiver.listen(files, path, memoryBytes(spec) * 1.1 + besidesMemoryBytes);
  let failed: unknown = null;
  receiver.written.catch((thrown: unknown) => {
    failed = thrown;
  });
  try {
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': bandwidthBytes });
    await qmp.execute('migrate', { uri: `unix:${files.transfer}` });
    await watchMigration(qmp, (info) => {
      if (failed) throw writeFailure(spec, failed);
      signal.throwIfAborted();
      progress(receiver.bytes, info.ram ? receiver.bytes + info.ram.remaining : null);
    });
    await receiver.keep();
    progress(receiver.bytes, receiver.bytes);
  } catch (thrown) {
    await stopMigration(qmp);
    await receiver.abandon();
    throw failed ? writeFailure(spec, failed) : thrown;
  }
}

/** Loads the saved state into a QEMU that was started to wait for it; the guest stands still afterwards. */
export async function loadState(
  qmp: QmpClient,
  spec: GuestSpec,
  files: GuestFiles,
  signal: AbortSignal,
  progress: ByteProgress,
): Promise<void> {
  await qmp.execute('migrate-incoming', { uri: `unix:${files.transfer}` });
  let failed: unknown = null;
  const sent = sendState(files, signal, progress).catch((thrown: unknown) => {
    failed = thrown;
  });
  await watchMigration(qmp, () => {
    signal.throwIfAborted();
    if (failed) throw new Failure('guest/start-failed', `The saved state of ${spec.name} cannot be read.`, { detail: String(failed) });
  });
  await sent;
}

async function checkRoom(spec: GuestSpec, files: GuestFiles): Promise<void> {
  const { bavail, bsize } = await statfs(files.folder);
  const free = bavail * bsize;
  // Pages that the guest never touched take no room; what is resident is the closest that is known beforehand.
  const pid = readPidFile(files.pid);
  const needed = Math.min(memoryBytes(spec), (pid === null ? null : residentBytes(pid)) ?? memoryBytes(spec));
  if (free < needed) {
    const mib = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
    throw new Failure(
      'store/full',
      `The memory of ${spec.name} cannot be saved: it needs up to ${mib(needed)} MiB on disk and ${mib(free)} MiB are free.`,
      {
        hint: 'Free some space, or do without the memory.',
      },
    );
  }
}

function writeFailure(spec: GuestSpec, thrown: unknown): Failure {
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (detail.includes('ENOSPC'))
    return new Failure('store/full', `There is no room left for the memory of ${spec.name}.`, { detail, hint: 'Free some space.' });
  return new Failure('guest/qemu-refused', `The state of ${spec.name} could not be written.`, { detail });
}

/** Looks until the migration is completed; `look` may throw to give up. */
async function watchMigration(qmp: QmpClient, look: (info: MigrationInfo) => void): Promise<void> {
  for (;;) {
    const info = await qmp.execute('query-migrate', {});
    if (info.status === 'completed') return;
    if (info.status === 'failed' || info.status === 'cancelled') {
      throw new Failure(
        'guest/qemu-refused',
        'QEMU could not move the state of the guest.',
        info['error-desc'] ? { detail: info['error-desc'] } : {},
      );
    }
    look(info);
    await new Promise((done) => setTimeout(done, lookEveryMs));
  }
}

async function stopMigration(qmp: QmpClient): Promise<void> {
  const deadline = Date.now() + settleTimeoutMs;
  try {
    await qmp.execute('migrate_cancel', {});
    for (;;) {
      const { status } = await qmp.execute('query-migrate', {});
      if (status !== 'active' && status !== 'setup' && status !== 'cancelling' && status !== 'device') return;
      if (Date.now() > deadline) return;
      await new Promise((done) => setTimeout(done, lookEveryMs));
    }
  } catch {
    // QEMU ended; there is nothing left to stop.
  }
}
