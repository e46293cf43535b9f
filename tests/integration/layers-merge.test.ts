/** A disk that takes in what it builds upon, and the program that does it killed at the worst moment. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseQcow2Header } from '../../main/engine/images/qcow2-header.ts';
import { takeInBase } from '../../main/engine/images/qemu-img.ts';
import { contentOf, writePattern } from '../support/disk-content.ts';

test('killed right after it named the new base, a disk reads what it read before', async () => {
  const folder = await mkdtemp('/tmp/gh-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [ground, layer, top] = ['ground', 'layer', 'top'].map((name) => join(folder, `${name}.qcow2`)) as [string, string, string];
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ground, '64M']);
  writePattern(ground, 1, 0, 20 * 2 ** 20);
  for (const [path, base] of [
    [layer, ground],
    [top, layer],
  ] as const) {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', path]);
  }
  writePattern(layer, 2, 10 * 2 ** 20, 30 * 2 ** 20);
  writePattern(top, 3, 25 * 2 ** 20, 2 ** 20);
  const before = contentOf(top);

  const abort = new AbortController();
  const bases = [layer, ground].map((path) => ({ path, format: 'qcow2' as const }));
  const ended = takeInBase('qemu-img', { path: top, view: top, bases, signal: abort.signal, onProgress: () => undefined }).catch(
    () => undefined,
  );
  // Looked at without a pause: a timer would come too late.
  const deadline = Date.now() + 60_000;
  while (baseOf(top) !== basename(ground)) if (Date.now() > deadline) throw new Error('It did not name the new base.');
  abort.abort(new Error('Killed.'));
  await ended;
  expect(contentOf(top)).toBe(before);
});

function baseOf(path: string): string | null {
  const head = Buffer.alloc(64 * 1024);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  const header = parseQcow2Header(head, Number.MAX_SAFE_INTEGER);
  return 'problem' in header ? null : header.backingFile;
}
