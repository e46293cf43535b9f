/** Finds files with the same content: those of one size are read, once for as long as they do not change. */
import { stat } from 'node:fs/promises';
import type { StorageReport } from '../../../contract/storage.ts';
import { sha256OfFile } from '../files/file-hash.ts';

type Found = NonNullable<StorageReport['duplicates']>['found'];

/** Smaller ones are not worth a thought. */
const worthBytes = 1024 * 1024;

export type DuplicateFinder = {
  find(paths: readonly string[], signal: AbortSignal, onProgress: (bytesDone: number, bytesTotal: number) => void): Promise<Found>;
};

export function createDuplicateFinder(): DuplicateFinder {
  const known = new Map<string, string>();
  return {
    async find(paths, signal, onProgress) {
      const bySize = new Map<number, { path: string; key: string }[]>();
      const inodes = new Set<string>();
      for (const path of paths) {
        const found = await stat(path, { bigint: true }).catch(() => null);
        if (!found?.isFile() || found.size < BigInt(worthBytes)) continue;
        // Two names of one file take up room once.
        const inode = `${found.dev}:${found.ino}`;
        if (inodes.has(inode)) continue;
        inodes.add(inode);
        const size = Number(found.size);
        bySize.set(size, [...(bySize.get(size) ?? []), { path, key: `${inode}:${found.size}:${found.mtimeNs}` }]);
      }
      const alike = [...bySize].filter(([, files]) => files.length > 1);
      const total = alike.reduce((sum, [size, files]) => sum + size * files.length, 0);
      let done = 0;
      const found: Found = [];
      for (const [bytes, files] of alike) {
        const byHash = new Map<string, string[]>();
        for (const { path, key } of files) {
          const sha256 = known.get(key) ?? (await sha256OfFile(path, signal, (read) => onProgress(done + read, total)));
          known.set(key, sha256);
          byHash.set(sha256, [...(byHash.get(sha256) ?? []), path]);
          done += bytes;
          onProgress(done, total);
        }
        for (const [sha256, same] of byHash) if (same.length > 1) found.push({ sha256, bytes, paths: same });
      }
      return found.sort((one, other) => other.bytes - one.bytes);
    },
  };
}
