import { useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import { call, shell } from '../../state/bridge.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { consoleWords } from '../../words/console.ts';
import { formatInteger } from '../../words/format.ts';

/** The most that `guest.type` takes at once. */
const mostCharacters = 10_000;

/** Types the clipboard's text on the guest's keyboard, through the engine: it works where the guest has no agent. */
export function useTypeClipboard(guest: Guest): { busy: boolean; type: () => void } {
  const [busy, setBusy] = useState(false);
  const type = async () => {
    setBusy(true);
    const read = await shell('shell.readText', {});
    if (!read.ok) showErrorToast(read.error);
    else if (read.value === '') showToast({ tone: 'info', title: consoleWords.typeClipboardEmpty });
    else if (read.value.length > mostCharacters)
      showToast({ tone: 'problem', title: consoleWords.typeClipboardTooLong(formatInteger(mostCharacters)) });
    else {
      const answer = await call('guest.type', { guest: guest.id, text: read.value });
      if (!answer.ok) showErrorToast(answer.error);
    }
    setBusy(false);
  };
  return { busy, type: () => void type() };
}
