/** Short messages for what finished or failed in the background. What goes wrong in the foreground is said where it arose. */
import { UNSTABLE_ToastQueue as ToastQueue } from 'react-aria-components';
import type { GuesthouseError } from '../../contract/errors.ts';

export type Toast = {
  tone: 'info' | 'ok' | 'problem';
  title: string;
  text?: string;
  action?: { label: string; run: () => void };
};

export const toastQueue = new ToastQueue<Toast>({ maxVisibleToasts: 4 });

/** Shows a message. Those with an Undo stay longer, those that report a problem stay until they are closed. */
export function showToast(toast: Toast): void {
  toastQueue.add(toast, toast.tone === 'problem' ? {} : { timeout: toast.action ? 10_000 : 6000 });
}

export function showErrorToast(error: GuesthouseError): void {
  showToast({ tone: 'problem', title: error.message, ...(error.hint === undefined ? {} : { text: error.hint }) });
}
