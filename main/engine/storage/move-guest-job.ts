/** The job that moves a guest to another storage location, or back. It can be run again from the start at any time (`move-guest.ts`). */
import { z } from 'zod';
import { guestId } from '../../../contract/ids.ts';
import type { Feed } from '../feed/feed.ts';
import { mustBeReachable } from '../files/moved-folder.ts';
import type { Guests } from '../guests/guests.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { type MoveParts, moveGuest, settleMove } from './move-guest.ts';

const moveGuestInput = z.object({
  guestId,
  /** Id of the location, or null for the data folder. */
  location: z.string().nullable(),
  toName: z.string(),
});
export type MoveGuestInput = z.infer<typeof moveGuestInput>;

type Deps = MoveParts & {
  guests: Pick<Guests, 'hold' | 'show'>;
  /** Folder of a location. @throws Failure `storage/location-unknown`, `storage/location-away` */
  folderOf(location: string | null): string | null;
  /** Says that others may build upon files that lie elsewhere now. */
  moved(): void;
  feed: Feed;
};

export function defineMoveGuest(deps: Deps): JobDefinition<MoveGuestInput> {
  const { guests, feed } = deps;
  return {
    kind: 'guest.move',
    parseInput: (value) => moveGuestInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Copy it, compare and use it from there',
        weight: 1,
        async run({ input, jobId, signal, progress }) {
          const { guestId: id, location, toName } = input;
          await guests.hold(id, 'move', async (held) => {
            held.sayBusy('The guest is being moved to another disk. It can be used when that has ended.');
            const { name } = held.stored.spec;
            mustBeReachable(held.files.folder, name);
            await moveGuest(deps, id, deps.folderOf(location), AbortSignal.any([signal, held.cutShort]), progress);
            feed.record({ severity: 'info', kind: 'guest.moved', text: `${name} lies in ${toName} now.`, guestId: id, jobId });
          });
          deps.moved();
        },
        undo: ({ guestId: id }) => settleMove(deps, id),
      },
    ],
  };
}
