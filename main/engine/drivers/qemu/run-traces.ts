/** What a run leaves behind in its folders: how it ended, and what is to be removed after it. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { GuestFiles } from '../../files/layout.ts';
import type { RunEnd, RunFacts } from '../driver.ts';
import { dropCpuQuota } from './cpu-quota.ts';
import { leaveNetworks } from './isolated-networks.ts';
import { bootId, waitUntil } from './process-table.ts';
import { judgeEnd, readTail } from './run-end.ts';
import { stopShares } from './shares.ts';
import { stopTpm } from './tpm.ts';
import { readExit } from './wrapper.ts';

/** The shell that waits for QEMU writes the exit status within moments of its end. */
const exitFileTimeoutMs = 2_000;
const logTailBytes = 64 * 1024;

/** How the run ended, from what it left in its folders. Waits a moment for the exit status to be written. */
export async function readEnd(
  name: string,
  files: GuestFiles,
  facts: Pick<RunFacts, 'bootId' | 'process'>,
  shutdownReason: string | null,
  panicked: string | null,
): Promise<RunEnd> {
  const hostRestarted = facts.bootId !== bootId();
  let exit = readExit(files.exit);
  if (!exit && !hostRestarted) {
    await waitUntil(() => {
      exit = readExit(files.exit);
      return exit !== null;
    }, exitFileTimeoutMs);
  }
  return judgeEnd({
    name,
    exit,
    hasRun: facts.process !== null || existsSync(files.pid),
    log: readTail(files.qemuLog, logTailBytes).toString('utf8'),
    hostRestarted,
    shutdownReason,
    panicText: panicked,
    at: new Date().toISOString(),
  });
}

/** Removes what a run leaves behind outside the guest's own folder. Idempotent. */
export async function clearRun(files: GuestFiles): Promise<void> {
  await stopTpm(files);
  await leaveNetworks(files);
  await stopShares(files);
  await dropCpuQuota(files.run);
  await rm(files.run, { recursive: true, force: true });
}
