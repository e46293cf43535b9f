/**
 * Rewrites a qcow2 disk so that it takes up only what it holds: beside the old file, compared with it, then put in its place. Upon what it
 * builds it builds afterwards.
 *
 * INVARIANT: the old file is the disk until a whole, checked and equal new one has its name (`tests/integration/storage.test.ts` kills the
 * engine in the middle).
 */
import { chmod, stat } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import { moveIntoPlace, removeFile } from '../files/durable.ts';
import { demandSpace, withSpaceWatched } from '../images/copy-medium.ts';
import { checkDisk, compareDisks, rewriteDisk } from '../images/qemu-img.ts';
import { type BaseFolders, readBases, readHeader } from '../layers/disk-chain.ts';
import { measureFile } from './measure.ts';

export type CompactOptions = {
  qemuImg: string;
  path: string;
  folders: BaseFolders;
  /** For messages: "The disk disk0 of Debian". */
  what: string;
  keepFreeBytes: number;
  signal: AbortSignal;
  onProgress(share: number): void;
};

export const compactingOf = (path: string): string => `${path}.compacting`;

/** Less than this is not worth another file. */
const worthBytes = 1024 * 1024;

/** @returns how many bytes were given back, 0 when it stayed as it was. @throws Failure `image/corrupt`, `image/in-use`, `store/full` */
export async function compactDisk(options: CompactOptions): Promise<number> {
  const { qemuImg, path, folders, what, keepFreeBytes, signal, onProgress } = options;
  const header = await readHeader(path, what);
  // They lie in the file itself, and a rewritten one has only the present state.
  if (header.snapshots > 0) return 0;
  const bases = await readBases(path, folders, what);
  const before = (await measureFile(path))?.use.realBytes ?? 0;
  const target = compactingOf(path);
  await removeFile(target);
  await demandSpace(target, before, keepFreeBytes);
  try {
    await withSpaceWatched(target, keepFreeBytes, signal, (watched) =>
      rewriteDisk(qemuImg, {
        path,
        bases,
        target,
        signal: watched,
        onProgress: (share) => onProgress(share * 0.7),
      }),
    );
    const saved = before - ((await measureFile(target))?.use.realBytes ?? before);
    if (saved < worthBytes) return 0;
    const check = await checkDisk(qemuImg, target);
    if (check.state === 'corrupt' || !(await compareDisks(qemuImg, { path, bases }, { path: target, bases }, signal))) {
      throw new Failure('image/corrupt', `${what} did not come out the same, so it stays as it is.`, {
        hint: 'Check the disk that the data folder lies on.',
        ...(check.detail ? { detail: check.detail } : {}),
      });
    }
    onProgress(1);
    signal.throwIfAborted();
    await chmod(target, (await stat(path)).mode & 0o777);
    await moveIntoPlace(target, path);
    return saved;
  } finally {
    await removeFile(target);
  }
}
