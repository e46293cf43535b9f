/** What disks hold, found out by QEMU's own tools and not by the code that made them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Layout } from '../../main/engine/files/layout.ts';

let next = 0;

/** SHA-256 of what a guest would read from a qcow2 disk. QEMU follows the names in the headers, as it would for a person. */
export const contentOf = (path: string): string => hashOf(path, 'sha256');

/** The same as guests can compute it quickly: an emulated processor takes several times as long for SHA-256. */
export const md5OfContent = (path: string): string => hashOf(path, 'md5');

function hashOf(path: string, algorithm: 'sha256' | 'md5'): string {
  const raw = join(tmpdir(), `gh-content-${process.pid}-${next++}.raw`);
  try {
    execFileSync('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'raw', path, raw]);
    return createHash(algorithm).update(readFileSync(raw)).digest('hex');
  } finally {
    rmSync(raw, { force: true });
  }
}

export function writePattern(path: string, pattern: number, offset: number, length: number): void {
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -P ${pattern} ${offset} ${length}`, path], { stdio: 'ignore' });
}

/** Every qcow2 file of layers and guests. */
export const everyDisk = (layout: Layout): string[] => filesThat(layout, /\.qcow2$/);

/** Files of layers and guests that have not got their names. */
export const halfFiles = (layout: Layout): string[] => filesThat(layout, /\.(arriving|new|tmp)$/);

function filesThat(layout: Layout, name: RegExp): string[] {
  return [layout.layers, layout.guests, layout.trash].flatMap((folder) =>
    (readdirSync(folder, { recursive: true, encoding: 'utf8' }) as string[])
      .filter((one) => name.test(one))
      .map((one) => join(folder, one)),
  );
}

/** Throws with all that `qemu-img check` says of the first disk that is not clean. Nothing may write to the disks meanwhile. */
export function checkEveryDisk(layout: Layout): void {
  for (const path of everyDisk(layout)) {
    const { status, signal, error, stdout, stderr } = spawnSync('qemu-img', ['check', '-U', '-f', 'qcow2', path], { encoding: 'utf8' });
    // 1: it could not be looked at, 2: it is damaged, 3: it has clusters that nothing uses.
    if (status !== 0) throw new Error(`${path} is not clean (${error ?? signal ?? status}):\n${stdout}${stderr}`);
  }
}
