import type { Guest } from '../../../contract/guest-state.ts';
import { consoleWords } from '../../words/console.ts';

/** Why there can be no SSH to a guest, or null. */
export function sshReason({ spec, state }: Pick<Guest, 'spec' | 'state'>): string | null {
  if (!state.run) return consoleWords.terminal.notRunning(spec.name);
  const forwarded = spec.nics.some((nic) => nic.forwards.some((forward) => forward.protocol === 'tcp' && forward.guestPort === 22));
  return forwarded || state.run.addresses.length > 0 ? null : consoleWords.terminal.noSsh;
}
