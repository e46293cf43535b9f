/** What identifies one starter: the files of this folder, and the versions of the packages. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebianPackage } from './debian.ts';

/** A hash of everything in build/starter but tests and documents. */
export async function hashRecipe(): Promise<string> {
  const hash = createHash('sha256');
  const paths = (await readdir(import.meta.dirname, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !/\.(test\.ts|md)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of paths) {
    hash.update(`${path.slice(import.meta.dirname.length)}\0`);
    hash.update(await readFile(path));
    hash.update('\0');
  }
  return hash.digest('hex');
}

/** The name of the folder that holds the starter made by this recipe from these packages. */
export function starterFolderName(recipe: string, packages: readonly DebianPackage[]): string {
  const hash = createHash('sha256').update(recipe);
  for (const { name, version, sha256 } of packages) hash.update(`\0${name}=${version}=${sha256}`);
  return hash.digest('hex').slice(0, 16);
}
