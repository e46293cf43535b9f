/** What a person does to make guests of others. The dialog for it is drawn by `app/CloneDialog.tsx`. */
import { create } from 'zustand';
import type { CloneRequest } from '../../contract/guest-clone.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId, ImageId } from '../../contract/ids.ts';
import type { Image } from '../../contract/image.ts';
import { type Job, jobEnded } from '../../contract/job.ts';
import { cloneWords } from '../words/clone.ts';
import { words } from '../words/en.ts';
import { call } from './bridge.ts';
import { deleteGuests } from './guest-verbs.ts';
import { useEngineStore } from './store.ts';
import { showErrorToast, showToast } from './toasts.ts';

/** The guest whose clone dialog is open. */
export const useCloning = create<{ guest: GuestId | null }>()(() => ({ guest: null }));

export const openClone = (guest: Pick<Guest, 'id'>): void => useCloning.setState({ guest: guest.id });
export const closeClone = (): void => useCloning.setState({ guest: null });

/** Makes the clones; says so when they are there, with a way back. Answers what is wrong at once, or null. */
export async function makeClones(request: CloneRequest) {
  const answer = await call('guest.clone', request);
  if (!answer.ok) return answer.error;
  const { guests, job } = answer.value;
  void jobDone(job).then((ended) => {
    if (ended?.state !== 'succeeded') return;
    const known = useEngineStore.getState().guests;
    const made = guests.flatMap((guest) => known[guest.id] ?? []);
    showToast({
      tone: 'ok',
      title: cloneWords.done(made.length, guests[0]?.spec.name ?? ''),
      action: { label: words.common.undo, run: () => void deleteGuests(made.flatMap((guest) => known[guest.id] ?? [])) },
    });
  });
  return null;
}

/** Starts a disposable guest. Answers its id when it runs; what fails is told in a toast. */
export async function startDisposable(source: { guest: GuestId } | { image: ImageId }): Promise<GuestId | null> {
  const answer = await call('guest.disposable', source);
  if (!answer.ok) {
    showErrorToast(answer.error);
    return null;
  }
  const ended = await jobDone(answer.value.job);
  return ended?.state === 'succeeded' ? answer.value.guest.id : null;
}

export async function keepDisposable(guest: Pick<Guest, 'id' | 'spec'>): Promise<void> {
  const answer = await call('guest.keep', { guest: guest.id });
  if (answer.ok) showToast({ tone: 'ok', title: cloneWords.kept(guest.spec.name) });
  else showErrorToast(answer.error);
}

export async function setTemplate(guest: Pick<Guest, 'id' | 'spec'>, template: boolean): Promise<void> {
  const answer = await call(template ? 'guest.makeTemplate' : 'guest.makeGuest', { guest: guest.id });
  if (!answer.ok) return showErrorToast(answer.error);
  if (!template) return;
  showToast({
    tone: 'ok',
    title: cloneWords.madeTemplate(guest.spec.name),
    action: { label: words.common.undo, run: () => void setTemplate(guest, false) },
  });
}

/** Makes a template of a disk image. Answers its id when it is there; what fails is told in a toast. */
export async function makeTemplateOfImage(image: Pick<Image, 'id'>): Promise<GuestId | null> {
  const answer = await call('image.makeTemplate', { image: image.id });
  if (!answer.ok) {
    showErrorToast(answer.error);
    return null;
  }
  const ended = await jobDone(answer.value.job);
  if (ended?.state !== 'succeeded') return null;
  const { guest } = answer.value;
  const undo = () => {
    const made = useEngineStore.getState().guests[guest.id];
    if (made) void deleteGuests([made]);
  };
  showToast({ tone: 'ok', title: cloneWords.madeTemplate(guest.spec.name), action: { label: words.common.undo, run: undo } });
  return guest.id;
}

/** Copies into a guest's disks what they build upon. */
export async function makeIndependent(guest: Pick<Guest, 'id' | 'spec'>): Promise<void> {
  const answer = await call('guest.flatten', { guest: guest.id });
  if (!answer.ok) return showErrorToast(answer.error);
  const ended = await jobDone(answer.value);
  if (ended?.state === 'succeeded') showToast({ tone: 'ok', title: cloneWords.madeIndependent(guest.spec.name) });
}

/** Reads an image whole. What is wrong with it is told as every job that fails is. */
export async function verifyImage(image: Pick<Image, 'id' | 'name'>): Promise<void> {
  const answer = await call('image.verify', { image: image.id });
  if (!answer.ok) return showErrorToast(answer.error);
  const ended = await jobDone(answer.value);
  if (ended?.state === 'succeeded') showToast({ tone: 'ok', title: cloneWords.verified(image.name) });
}

/** Settles when the job has ended; with null when the engine went away meanwhile. */
export function jobDone(job: Job): Promise<Job | null> {
  const look = (): Job | null => {
    const now = useEngineStore.getState().jobs[job.id] ?? job;
    return jobEnded.has(now.state) ? now : null;
  };
  return new Promise((resolve) => {
    const done = look();
    if (done) return resolve(done);
    const stop = useEngineStore.subscribe((state) => {
      const ended = look();
      if (!ended && state.engine !== null) return;
      stop();
      resolve(ended);
    });
  });
}
