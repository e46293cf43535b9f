/** How a guest's QEMU ended, in a few words, as far as that is known and the engine's sentence does not say it already. Pure. */
import type { Crash } from '../../../contract/guest-state.ts';
import { words } from '../../words/en.ts';

export function howItEnded({ text, signal, exitStatus }: Pick<Crash, 'text' | 'signal' | 'exitStatus'>): string | null {
  if (signal !== null) return text.includes(signal) ? null : words.guest.signal(signal);
  if (exitStatus === null) return null;
  return new RegExp(`exit status ${exitStatus}\\b`).test(text) ? null : words.guest.exitStatus(exitStatus);
}
