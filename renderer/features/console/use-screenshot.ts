import type { Guest } from '../../../contract/guest-state.ts';
import { pngOf, type SessionView } from '../../console/session.ts';
import { shell } from '../../state/bridge.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { consoleWords } from '../../words/console.ts';

/** Pictures of what the console shows, in the guest's own pixels, live or last. */
export function useScreenshot(guest: Guest, view: SessionView | null): { reason: string | null; save: () => void; copy: () => void } {
  const canvas = view?.phase === 'connected' ? (view.console?.canvas ?? null) : (view?.frame ?? null);
  const save = async () => {
    if (!canvas) return;
    const answer = await shell('shell.savePng', { suggestedName: fileNameFor(guest.spec.name), png: await pngOf(canvas) });
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

/** "Debian 12 2026-11-23 09-15-02.png": what no file system minds. */
function fileNameFor(name: string): string {
  const safe = name
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being replaced
    .replace(/[\\/:*?"<>|\u0000-\u001f]/g, ' ')
    .trim()
    .slice(0, 120);
  const now = new Date();
  const at = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '-');
  return `${safe} ${at}.png`;
}
