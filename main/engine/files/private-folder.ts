/** Folders that only their owner can enter. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes `path` and what is missing above it, 0700 each; what is there already keeps its mode. One level after the other
 * because Node's `recursive` never returns where the parent exists and cannot hold folders (/proc).
 */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || existsSync(parent)) throw thrown;
    makePrivateFolder(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
