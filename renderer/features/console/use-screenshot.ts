import type { Guest } from '../../../contract/guest-state.ts';
import { pngOf, type SessionView } from '../../console/session.ts';
import { shell } from '../../state/bridge.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { consoleWords } from '../../words/console.ts';
import { fileNameFor } from './file-name.ts';

/** Pictures of what the console shows, in the guest's own pixels, live or last. */
export function useScreenshot(guest: Guest, view: SessionView | null): { reason: string | null; save: () => void; copy: () => void } {
  const canvas = view?.phase === 'connected' ? (view.console?.canvas ?? null) : (view?.frame ?? null);
  const save = async () => {
    if (!canvas) return;
    const answer = await shell('shell.savePng', { suggestedName: fileNameFor(guest.spec.name, 'png'), png: await pngOf(canvas) });
    if (!answer.ok) showErrorToast(answer.error);
    else if (answer.value !== null) showToast({ tone: 'ok', title: consoleWords.screenshotSaved(answer.value) });
  };
  const copy = async () => {
    if (!canvas) return;
    const answer = await shell('shell.copyPng', { png: await pngOf(canvas) });
    if (!answer.ok) showErrorToast(answer.error);
    else showToast({ tone: 'ok', title: consoleWords.screenshotCopied });
  };
  return { reason: canvas ? null : consoleWords.screenshotNone, save: () => void save(), copy: () => void copy() };
}
