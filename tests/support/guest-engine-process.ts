/** An engine in a process of its own, which a test can kill at any instant. Run by `forkEngine`. */
import type { GuestId } from '../../contract/ids.ts';
import { openGuestEngine } from './guest-bench.ts';

export type EngineOrder = { verb: 'start' | 'pause' | 'resume' | 'forceOff' | 'suspend' | 'delete' | 'restore' | 'reset'; id: GuestId };

const home = process.argv[2];
if (!home) throw new Error('Which data root?');
const engine = await openGuestEngine(home);
process.on('message', async ({ verb, id }: EngineOrder) => {
  const { guests, jobs } = engine;
  try {
    if (verb === 'suspend') {
      const job = await jobs.ended((await guests.suspend(id, 'test')).id);
      if (job.state !== 'succeeded') throw new Error(job.error?.message ?? job.state);
    } else await guests[verb](id);
    process.send?.('done');
  } catch (thrown) {
    process.send?.(`failed: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
});
process.send?.('ready');
