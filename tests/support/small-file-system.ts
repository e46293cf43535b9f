/** A file system of a few MiB, to see what happens when it is full. Needs root. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { onTestFinished, test } from 'vitest';

/** Only root may mount. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0;

/** A test that mounts file systems. */
export const testWithMount = test.extend<{ mounting: undefined }>({
  mounting: [
    async ({ skip }, use) => {
      if (!canMount) skip('only root may mount a file system');
      await use(undefined);
    },
    { auto: true },
  ],
});

/** Mounted at a new folder until the test is over. */
export async function smallFileSystem(sizeMiB: number): Promise<string> {
  const path = mkdtempSync('/tmp/gh-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0700`, 'tmpfs', path]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', path]);
    rmdirSync(path);
  });
  return path;
}
