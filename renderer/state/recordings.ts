/** Says where recordings went. */
import type { ShellEvent } from '../../contract/shell.ts';
import { consoleWords } from '../words/console.ts';
import { showFile } from './show-file.ts';
import { showToast } from './toasts.ts';

export function tellRecorded(path: string): void {
  showToast({ tone: 'ok', title: consoleWords.recordSaved(path), action: toShow(path) });
}

/** Of one that ended without the page that made it. */
export function tellRecordingKept({ path, cutOff, problem }: Extract<ShellEvent, { type: 'recordingKept' }>): void {
  if (!cutOff) {
    tellRecorded(path);
    return;
  }
  const text = problem === null ? {} : { text: consoleWords.recordCutOffProblem(problem) };
  showToast({ tone: 'problem', title: consoleWords.recordCutOff(path), ...text, action: toShow(path) });
}

function toShow(path: string): { label: string; run: () => void } {
  return { label: consoleWords.recordShow, run: () => void showFile(path) };
}
