/** What a person does to have guests build upon another version of their image. The dialog for it is drawn by `app/RebaseDialog.tsx`. */
import { create } from 'zustand';
import type { CallInput } from '../../contract/calls.ts';
import type { GuesthouseError } from '../../contract/errors.ts';
import type { RebaseMove } from '../../contract/guest-clone.ts';
import type { GuestId, ImageId, JobId } from '../../contract/ids.ts';
import { cloneWords } from '../words/clone.ts';
import { words } from '../words/en.ts';
import { call } from './bridge.ts';
import { jobDone } from './cloning.ts';
import { showToast } from './toasts.ts';

/** Which guests the open dialog is about; null when it is closed. */
export const useRebasing = create<{ about: CallInput<'guest.planRebase'> | null }>()(() => ({ about: null }));

/** Without guests and an image: all that is out of date. */
export const openRebase = (about: CallInput<'guest.planRebase'>): void => useRebasing.setState({ about });
export const closeRebase = (): void => useRebasing.setState({ about: null });

/** What became of the wish to move a guest: the job that does it, or why it was refused. */
export type Moving = { job: JobId } | { error: GuesthouseError };

/** Begins to move the guests, each by a job of its own, and says when all are done, with a way back. */
export async function rebaseGuests(moves: readonly RebaseMove[], tell: (guest: GuestId, moving: Moving) => void): Promise<void> {
  const moved = await rebaseAll(
    moves.map(({ guest, to }) => ({ guest, image: to.imageId })),
    tell,
  );
  const back = moves.filter(({ guest, from }) => moved.has(guest) && from.present);
  if (moved.size === 0) return;
  const undo = () => void rebaseAll(back.map(({ guest, from }) => ({ guest, image: from.imageId })));
  showToast({
    tone: 'ok',
    title: cloneWords.rebased(moved.size),
    ...(back.length > 0 ? { action: { label: words.common.undo, run: undo } } : {}),
  });
}

/** The guests that were moved. Jobs that fail are told of as every job is. */
async function rebaseAll(
  moves: readonly { guest: GuestId; image: ImageId }[],
  tell: (guest: GuestId, moving: Moving) => void = () => undefined,
): Promise<ReadonlySet<GuestId>> {
  const moved = await Promise.all(
    moves.map(async (move) => {
      const answer = await call('guest.rebase', move);
      tell(move.guest, answer.ok ? { job: answer.value.id } : { error: answer.error });
      return answer.ok && (await jobDone(answer.value))?.state === 'succeeded' ? [move.guest] : [];
    }),
  );
  return new Set(moved.flat());
}
