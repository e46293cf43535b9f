/** Shows a file in the file manager. */
import { shell } from './bridge.ts';
import { showErrorToast } from './toasts.ts';

/** One that is not there is said. */
export async function showFile(path: string): Promise<void> {
  const answer = await shell('shell.showFile', { path });
  if (!answer.ok) showErrorToast(answer.error);
}
