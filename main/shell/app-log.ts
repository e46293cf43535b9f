/** What the window's own process has to say, in a file beside the engine's log. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Two files of at most this size are kept. */
const longestBytes = 1024 * 1024;

/** Appends lines; a log that cannot be written must not keep anything from working. */
export function openAppLog(path: string): (line: string) => void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > longestBytes) renameSync(path, `${path}.1`);
  } catch {
    // said below, with every line that does not arrive
  }
  return (line) => {
    const text = `${new Date().toISOString()} ${line.replaceAll('\n', '\n  ')}\n`;
    try {
      appendFileSync(path, text, { mode: 0o600 });
    } catch {
      process.stderr.write(text);
    }
  };
}
