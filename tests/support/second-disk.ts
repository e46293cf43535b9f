/** Another file system beside the one of the test's data folder, that can be taken away and brought back with all that is on it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { canMount, smallFileSystem } from './small-file-system.ts';

export type SecondDisk = {
  /** Where it is mounted. */
  path: string;
  unmount(): void;
  mount(): void;
};

/** A real one where the test may mount; else a folder that is renamed away, which looks the same to who has only its path. */
export async function secondDisk(sizeMiB: number): Promise<SecondDisk> {
  const path = mkdtempSync('/tmp/gh-disk-');
  if (!canMount) {
    const away = `${path}.away`;
    onTestFinished(() => {
      for (const one of [path, away]) rmSync(one, { recursive: true, force: true });
    });
    return { path, unmount: () => renameSync(path, away), mount: () => renameSync(away, path) };
  }
  const store = join(await smallFileSystem(sizeMiB), 'disk');
  mkdirSync(store, { mode: 0o700 });
  const mount = () => execFileSync('mount', ['--bind', store, path]);
  const unmount = () => execFileSync('umount', ['-l', path]);
  mount();
  onTestFinished(() => {
    try {
      unmount();
    } catch {
      // The test left it unmounted.
    }
    rmSync(path, { recursive: true, force: true });
  });
  return { path, mount, unmount };
}
