/** The work on guests that takes long enough to be a job. */
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { guestId } from '../../../contract/ids.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import type { GuestActor } from './guest-actor.ts';

const input = z.object({ guestId });
type Input = z.infer<typeof input>;

export type GuestJobParts = {
  actor(id: Input['guestId']): GuestActor;
  /** True once for a job that this engine was asked for; an earlier engine's job that goes on is not. */
  isOurs(id: Input['guestId']): boolean;
  /** Removes the guest in the trash, folder first. Idempotent. */
  removeTrashed(id: Input['guestId']): Promise<void>;
};

export type GuestJobs = { suspend: JobDefinition<Input>; purge: JobDefinition<Input> };

export function guestJobs({ actor, isOurs, removeTrashed }: GuestJobParts): GuestJobs {
  return {
    suspend: {
      kind: 'guest.suspend',
      parseInput: (value) => input.parse(value),
      // An engine that finds the guest half-saved lets it go on (guest-adoption.ts); then all that is left is to say so.
      afterCrash: 'resume',
      cancellable: true,
      steps: [
        {
          name: 'Save memory',
          weight: 1,
          async run({ input: { guestId: id }, signal, progress }) {
            const guest = actor(id);
            if (guest.state.status === 'suspended') return;
            if (!isOurs(id)) {
              throw new Failure('job/cancelled', `${guest.name} was not suspended, because the engine ended meanwhile.`, {
                hint: 'Suspend it again.',
              });
            }
            await guest.ask({ verb: 'suspend', signal, progress });
          },
        },
      ],
    },
    purge: {
      kind: 'trash.purge',
      parseInput: (value) => input.parse(value),
      afterCrash: 'resume',
      cancellable: false,
      steps: [{ name: 'Delete disks', weight: 1, run: ({ input: { guestId: id } }) => removeTrashed(id) }],
    },
  };
}
