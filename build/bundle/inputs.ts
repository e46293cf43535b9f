/** What a bundle was made from, reduced to one hash, so that a second build with nothing changed does nothing. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bundles contain neither tests nor editors' files. */
const ignored = /\.test\.tsx?$|\.tsbuildinfo$|(^|\/)tsconfig\.json$|~$/;

/** Every file below the given files and folders (relative to `root`), sorted, without those that never end up in a bundle. */
export function listInputs(root: string, paths: readonly string[]): string[] {
  const found: string[] = [];
  for (const path of paths) {
    const absolute = join(root, path);
    if (!existsSync(absolute)) continue;
    if (statSync(absolute).isFile()) {
      found.push(path);
      continue;
    }
    for (const entry of readdirSync(absolute, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) found.push(join(entry.parentPath, entry.name).slice(root.length + 1));
  }
  return found.filter((file) => !ignored.test(file)).sort();
}

/**
 * The hash of the names and contents of all inputs. Contents and not times: a checkout of another branch and back must not
 * rebuild, and a file restored with an old time must.
 */
export function hashInputs(root: string, paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of listInputs(root, paths))
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 32);
}
