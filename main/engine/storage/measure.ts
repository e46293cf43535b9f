/** How much files take up: what they say, and what they use of the disk. A file with several names counts once, where it is met first. */
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpaceUse } from '../../../contract/storage.ts';

export type MeasuredFile = { path: string; use: SpaceUse; modifiedMs: number };
/** Which files were counted already. */
export type Counted = Set<string>;

export const noUse: SpaceUse = { apparentBytes: 0, realBytes: 0 };

export function addUse(one: SpaceUse, other: SpaceUse): SpaceUse {
  return { apparentBytes: one.apparentBytes + other.apparentBytes, realBytes: one.realBytes + other.realBytes };
}

export function sumUse(files: readonly { use: SpaceUse }[]): SpaceUse {
  return files.reduce((sum, { use }) => addUse(sum, use), noUse);
}

/** One file; null when it is gone. */
export async function measureFile(path: string): Promise<MeasuredFile | null> {
  const found = await lstat(await realpath(path).catch(() => path), { bigint: true }).catch(() => null);
  return found ? measured(path, found) : null;
}

/** Every file below `path`, which may be a file itself; links are not followed but for the one that `path` is. */
export async function measureTree(path: string, counted: Counted = new Set()): Promise<MeasuredFile[]> {
  const top = await realpath(path).catch(() => null);
  return top === null ? [] : walk(top, counted);
}

async function walk(path: string, counted: Counted): Promise<MeasuredFile[]> {
  const found = await lstat(path, { bigint: true }).catch(() => null);
  if (!found) return [];
  if (found.isDirectory()) {
    const names = await readdir(path).catch(() => []);
    const below: MeasuredFile[] = [];
    // One after the other: thousands at once would only wait for each other.
    for (const name of names) below.push(...(await walk(join(path, name), counted)));
    return below;
  }
  const key = `${found.dev}:${found.ino}`;
  if (counted.has(key)) return [];
  counted.add(key);
  return [measured(path, found)];
}

/** POSIX counts blocks of 512 bytes, whatever the file system's own are. */
function measured(path: string, found: BigIntStats): MeasuredFile {
  return { path, use: { apparentBytes: Number(found.size), realBytes: Number(found.blocks) * 512 }, modifiedMs: Number(found.mtimeMs) };
}
