/**
 * A chain of disks as QEMU's tools find it by the names in its headers. Where they open a base by themselves (`qemu-img rebase` does) they
 * follow those names from where a file really lies, which may be another location than the one of its base. So they are given a folder that has the
 * store's shape and nothing in it but links to the files of this one chain, each of which was looked at: a name in a header leads to the very
 * file that the store says, or to nothing (`chain-view.test.ts`).
 */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Layout } from '../files/layout.ts';
import type { DiskLink } from './disk-chain.ts';

/**
 * Does `work` with the name that the disk has in the view; the view is gone afterwards.
 * @param bases all of them, as `readBases` gives them
 */
export async function withChainView<T>(
  { home, views }: Pick<Layout, 'home' | 'views'>,
  path: string,
  bases: readonly DiskLink[],
  work: (path: string) => Promise<T>,
): Promise<T> {
  await mkdir(views, { recursive: true, mode: 0o700 });
  const view = await mkdtemp(join(views, 'v'));
  try {
    const nameOf = (file: string) => join(view, relative(home, file));
    for (const file of [path, ...bases.map((base) => base.path)]) {
      await mkdir(dirname(nameOf(file)), { recursive: true, mode: 0o700 });
      await symlink(file, nameOf(file));
    }
    return await work(nameOf(path));
  } finally {
    await rm(view, { recursive: true, force: true });
  }
}

/** Removes what an engine that was killed left of them. */
export async function clearViews({ views }: Pick<Layout, 'views'>): Promise<void> {
  await rm(views, { recursive: true, force: true });
}
