/** An engine in a process of its own, which a test can kill at any instant. Run by `forkEngine`. */
import type { GuestId, SnapshotId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import { openGuestEngine } from './guest-bench.ts';

/** An order that needs nothing but the guest. */
export type PlainVerb = 'start' | 'pause' | 'resume' | 'forceOff' | 'suspend' | 'delete' | 'restore' | 'reset';
export type EngineOrder =
  | { verb: PlainVerb; id: GuestId }
  | { verb: 'flatten'; id: GuestId }
  | { verb: 'clone'; id: GuestId; name: string }
  | { verb: 'snapshot'; id: GuestId; memory: boolean }
  | { verb: 'revert'; id: GuestId; snapshot: SnapshotId; keepPresent: boolean };

const home = process.argv[2];
if (!home) throw new Error('Which data root?');
const engine = await openGuestEngine(home);
process.on('message', async (order: EngineOrder) => {
  const { guests, snapshots, clones, jobs } = engine;
  const { id } = order;
  const finish = async (begun: Job) => {
    const job = await jobs.ended(begun.id);
    if (job.state !== 'succeeded') throw new Error(job.error?.message ?? job.state);
  };
  try {
    if (order.verb === 'suspend') await finish(await guests.suspend(id, 'test'));
    else if (order.verb === 'flatten') await finish(await clones.flatten(id, 32 * 1024 ** 2, 'test'));
    else if (order.verb === 'clone') await finish((await clones.clone({ guest: id, name: order.name, newIdentity: false }, 'test')).job);
    else if (order.verb === 'snapshot') await finish((await snapshots.create(id, { memory: order.memory }, 'test')).job);
    else if (order.verb === 'revert')
      await finish(await snapshots.revert(order.snapshot, { keepPresent: order.keepPresent, forceOff: false }, 'test'));
    else await guests[order.verb](id);
    process.send?.('done');
  } catch (thrown) {
    process.send?.(`failed: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
});
process.send?.('ready');
