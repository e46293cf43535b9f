/** What a person can do to guests from the window: asks where something is lost, does it, offers to undo it, keeps what went wrong. */
import { create } from 'zustand';
import type { GuesthouseError, Result } from '../../contract/errors.ts';
import { guestCan } from '../../contract/guest-can.ts';
import type { GuestKeyboard } from '../../contract/guest-keyboard.ts';
import type { ClipboardPolicy, FilesPolicy } from '../../contract/guest-spec.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { words } from '../words/en.ts';
import { formatCount } from '../words/format.ts';
import { ask } from './ask.ts';
import { call } from './bridge.ts';
import type { PowerVerb } from './power-verbs.ts';
import { showErrorToast, showToast } from './toasts.ts';

type Troubles = Record<string, { verb: PowerVerb | 'delete' | 'rename'; error: GuesthouseError }>;

/** What went wrong last with each guest, shown on its card and page until it is dismissed or something works. */
export const useTroubles = create<Troubles>()(() => ({}));

/** Guests that were just asked for something and have not answered yet: their buttons wait. */
export const useBusyGuests = create<Record<string, PowerVerb>>()(() => ({}));

export function dismissTrouble(id: string): void {
  useTroubles.setState((troubles) => without(troubles, id), true);
}

/** Does `verb` to one guest. Questions first where work is lost. True when the engine took it on. */
export async function doVerb(guest: Guest, verb: PowerVerb): Promise<boolean> {
  if (!(await mayLose([guest], verb))) return false;
  return request(guest, verb);
}

/** Does `verb` to those of `guests` that can; one question for all. */
export async function doVerbToAll(guests: readonly Guest[], verb: PowerVerb): Promise<void> {
  const able = guests.filter((guest) => guestCan(guest.state, verb).kind === 'allowed');
  if (able.length === 0 || !(await mayLose(able, verb))) return;
  await Promise.all(able.map((guest) => request(guest, verb)));
}

async function mayLose(guests: readonly Guest[], verb: PowerVerb): Promise<boolean> {
  const first = guests[0];
  if (!first || (verb !== 'forceOff' && verb !== 'reset')) return true;
  // A guest that is suspended or stands still for good has nothing unsaved that a question could save.
  if (verb === 'forceOff' && first.state.status === 'stopping' && guests.length === 1 && first.state.shutdown?.unanswered) return true;
  const name = guests.length === 1 ? first.spec.name : formatCount(guests.length, words.guest.one, words.guest.other);
  return ask({
    title: words.verbs.askTitle[verb](name),
    text: first.state.status === 'suspended' ? words.verbs.askTextSuspended : words.verbs.askText[verb],
    confirmLabel: words.verbs.labels[verb],
  });
}

async function request(guest: Guest, verb: PowerVerb): Promise<boolean> {
  useBusyGuests.setState({ [guest.id]: verb });
  const answer: Result<unknown> = await call(`guest.${verb}`, { guest: guest.id });
  useBusyGuests.setState((busy) => without(busy, guest.id), true);
  settle(guest.id, verb, answer);
  return answer.ok;
}

function settle(id: string, verb: Troubles[string]['verb'], answer: Result<unknown>): void {
  if (answer.ok) dismissTrouble(id);
  else useTroubles.setState({ [id]: { verb, error: answer.error } });
}

/** Moves guests to the trash at once and offers to bring them back. */
export async function deleteGuests(guests: readonly Guest[]): Promise<void> {
  const able = guests.filter((guest) => guestCan(guest.state, 'delete').kind === 'allowed');
  const outcomes = await Promise.all(
    able.map(async (guest) => {
      const answer = await call('guest.delete', { guest: guest.id });
      settle(guest.id, 'delete', answer);
      return answer.ok ? [guest] : [];
    }),
  );
  const gone = outcomes.flat();
  const first = gone[0];
  if (!first) return;
  showToast({
    tone: 'ok',
    title: words.trash.moved(gone.length === 1 ? first.spec.name : formatCount(gone.length, words.guest.one, words.guest.other)),
    action: { label: words.common.undo, run: () => void restoreGuests(gone) },
  });
}

export async function restoreGuests(guests: readonly Pick<Guest, 'id'>[]): Promise<void> {
  for (const guest of guests) {
    const answer = await call('guest.restore', { guest: guest.id });
    if (!answer.ok) showErrorToast(answer.error);
  }
}

/** Gives a guest another name. The reason when it cannot have it. */
export async function renameGuest(guest: Guest, name: string): Promise<string | null> {
  if (name === guest.spec.name) return null;
  const answer = await call('guest.rename', { guest: guest.id, name });
  return answer.ok ? null : answer.error.message;
}

/** Changes what a guest says of itself; what fails is told in a toast, since the field already shows what is true. */
export async function annotateGuest(
  guest: Guest,
  change: {
    notes?: string;
    tags?: string[];
    favourite?: boolean;
    autostart?: boolean;
    clipboard?: ClipboardPolicy;
    files?: FilesPolicy;
    keyboard?: GuestKeyboard;
  },
): Promise<boolean> {
  const answer = await call('guest.annotate', { guest: guest.id, ...change });
  if (!answer.ok) showErrorToast(answer.error);
  return answer.ok;
}

function without<T>(record: Record<string, T>, id: string): Record<string, T> {
  const { [id]: _gone, ...rest } = record;
  return rest;
}
