/** An engine of another version that holds the data folder, left behind by an app that was updated meanwhile. */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../contract/errors.ts';
import { jobEnded } from '../../contract/job.ts';
import { createEngineClient } from '../client/engine-client.ts';

const leaveDeadlineMs = 10_000;

/**
 * Asks an older engine to make room for ours. Its guests run on and are adopted; jobs are not interrupted for the sake of an update.
 * @throws Failure `engine/version-mismatch` when it is newer, or busy, or does not leave
 */
export async function stopForeignEngine(socketPath: string, ownVersion: string): Promise<void> {
  const ours = createEngineClient({ socketPath, version: ownVersion, client: 'app' });
  const version = await ours.call('engine.info', {}).then((info) => info.version);
  ours.close();
  if (compareVersions(version, ownVersion) > 0) {
    throw new Failure('engine/version-mismatch', `The engine that runs is newer (${version}) than this app (${ownVersion}).`, {
      hint: 'Update Guesthouse, or use the app that started this engine.',
    });
  }
  // Spoken to in its own version, it does not refuse.
  const client = createEngineClient({ socketPath, version, client: 'app' });
  try {
    const underWay = (await client.call('job.list', {})).filter((job) => !jobEnded.has(job.state));
    if (underWay.length > 0) {
      throw new Failure(
        'engine/version-mismatch',
        `An older engine (${version}) is still at work: ${underWay.map((job) => job.title).join(', ')}.`,
        {
          hint: 'Wait until it is done, then try again.',
        },
      );
    }
    await client.call('engine.stop', {});
    const deadline = Date.now() + leaveDeadlineMs;
    while (Date.now() < deadline) {
      const gone = await client.call('engine.info', {}, { timeoutMs: 1000 }).then(
        () => false,
        (thrown) => thrown instanceof Failure && thrown.error.code === 'engine/unreachable',
      );
      if (gone) return;
      await pause(100);
    }
  } finally {
    client.close();
  }
  throw new Failure('engine/version-mismatch', `The older engine (${version}) was asked to stop and has not.`, {
    hint: 'Stop it with “guesthouse engine stop” of that version.',
  });
}

/** Negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0));
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
