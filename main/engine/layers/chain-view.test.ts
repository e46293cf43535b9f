import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId, LayerId } from '../../../contract/ids.ts';
import { layoutOf } from '../files/layout.ts';
import { folderInLocation } from '../files/moved-folder.ts';
import { createOverlay } from '../images/empty-overlay.ts';
import { rewriteDisk, takeInBase } from '../images/qemu-img.ts';
import { clearViews, withChainView } from './chain-view.ts';
import { readBases, readHeader } from './disk-chain.ts';

const { signal } = new AbortController();
const size = 1024 ** 2;

/** A guest in another location upon a layer there, one in the data folder, and an image: no name in a header leads anywhere by itself. */
async function spanningChain() {
  const home = mkdtempSync('/tmp/gh-view-');
  const location = mkdtempSync('/tmp/gh-view-location-');
  onTestFinished(() => {
    for (const path of [home, location]) rmSync(path, { recursive: true });
  });
  const layout = layoutOf({ home, run: join(home, 'run'), logs: home, engineSocket: join(home, 's') });
  const files = layout.guest('g000000000' as GuestId);
  const [there, here] = [layout.layer('l00000000a' as LayerId), layout.layer('l00000000b' as LayerId)];
  const image = layout.image('i000000000' as never, 'raw');
  for (const folder of [layout.images, layout.guests, dirname(here)]) mkdirSync(folder, { recursive: true });
  for (const folder of [files.folder, dirname(there)]) {
    mkdirSync(folderInLocation(location, folder), { recursive: true });
    symlinkSync(folderInLocation(location, folder), folder);
  }
  execFileSync('qemu-img', ['create', '-q', '-f', 'raw', image, String(size)]);
  execFileSync('qemu-io', ['-f', 'raw', '-c', 'write -P 1 0 256k', image]);
  const disk = files.disk('disk0.qcow2');
  await createOverlay(here, { path: image, format: 'raw' }, size);
  await createOverlay(there, { path: here, format: 'qcow2' }, size);
  await createOverlay(disk, { path: there, format: 'qcow2' }, size);
  const bases = await readBases(disk, files.bases, 'The disk');
  const named = (path: string, upon: typeof bases) =>
    `json:${JSON.stringify(
      [{ path, format: 'qcow2' }, ...upon].reduceRight<object | null>(
        (below, link) => ({
          driver: link.format,
          file: { driver: 'file', filename: link.path },
          ...(link.format === 'qcow2' ? { backing: below } : {}),
        }),
        null,
      ),
    )}`;
  execFileSync('qemu-io', ['-c', 'write -P 2 128k 64k', named(here, bases.slice(2))]);
  // Zeros over what the layers below hold must stay zeros.
  execFileSync('qemu-io', ['-c', 'write -P 3 192k 64k', '-c', 'write -z 0 64k', named(there, bases.slice(1))]);
  execFileSync('qemu-io', ['-c', 'write -P 4 512k 64k', named(disk, bases)]);
  return { layout, files, disk, bases, there, here, named };
}

const compare = (one: string, other: string) => execFileSync('qemu-img', ['compare', '-q', one, other]);

test('a disk takes in a layer in another location, where qemu-img alone would lose its way', async () => {
  const { layout, files, disk, bases, here, named } = await spanningChain();
  const copy = join(layout.home, 'before.raw');
  execFileSync('qemu-img', ['convert', '-O', 'raw', named(disk, bases), copy]);
  expect(() => execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', disk, `${copy}.no`], { stdio: 'ignore' })).toThrow();
  await withChainView(layout, disk, bases, (view) =>
    takeInBase('qemu-img', { path: disk, view, bases, signal, onProgress: () => undefined }),
  );
  const left = await readBases(disk, files.bases, 'The disk');
  expect(left).toEqual(bases.slice(1));
  expect(left[0]?.path).toBe(here);
  expect((await readHeader(disk, 'The disk')).backingFile).toBe('../../layers/l00000000b/disk.qcow2');
  compare(named(disk, left), copy);
  expect(readdirSync(layout.views)).toEqual([]);
  await clearViews(layout);
  expect(existsSync(layout.views)).toBe(false);
});

test('a disk in another location is rewritten upon the same base', async () => {
  const { disk, bases, named } = await spanningChain();
  const target = `${disk}.compacting`;
  await rewriteDisk('qemu-img', { path: disk, bases, target, signal, onProgress: () => undefined });
  expect((await readHeader(target, 'The copy')).backingFile).toBe('../../layers/l00000000a/disk.qcow2');
  compare(named(disk, bases), named(target, bases));
});
