import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMedium } from './open-medium.ts';
import { peekPacked, unpackFile } from './packed-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp('/tmp/gh-');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const mib = 1024 ** 2;

async function unpack(packed: Buffer, packing: 'gzip' | 'zstd', maxBytes = 1024 * mib) {
  await writeFile(join(folder, 'packed'), packed);
  const medium = await openMedium(join(folder, 'packed'));
  try {
    const { signal } = new AbortController();
    const target = join(folder, 'unpacked');
    return await unpackFile({ medium, packing, target, maxBytes, keepFreeBytes: 0, signal, onProgress: () => undefined });
  } finally {
    await medium.file.close();
  }
}

test('zeros take no room, and the hash is that of what was packed', async () => {
  const content = Buffer.alloc(64 * mib + 5);
  content.fill('guesthouse', 10 * mib, 11 * mib);
  content.writeUInt8(7, content.length - 1);
  for (const [packing, packed] of [
    ['gzip', gzipSync(content)],
    ['zstd', zstdCompressSync(content)],
  ] as const) {
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(await unpack(packed, packing)).toEqual({ sha256, sizeBytes: content.length });
    expect((await stat(join(folder, 'unpacked'))).blocks * 512).toBeLessThan(4 * mib);
  }
});

test('a bomb of zeros ends at the bound, long before it is through', async () => {
  const bomb = gzipSync(Buffer.alloc(256 * mib));
  await expect(unpack(bomb, 'gzip', 16 * mib)).rejects.toMatchObject({ error: { code: 'image/too-large' } });
  expect((await stat(join(folder, 'unpacked'))).size).toBeLessThan(18 * mib);
});

test('what is appended to a packed file does not make it another', async () => {
  const halves = Buffer.concat([gzipSync(Buffer.alloc(100, 1)), gzipSync(Buffer.alloc(100, 2))]);
  expect(await unpack(halves, 'gzip')).toMatchObject({ sizeBytes: 200 });
});

test('the beginning is read without the rest', async () => {
  await writeFile(join(folder, 'packed'), gzipSync(Buffer.alloc(256 * mib, 3)));
  const medium = await openMedium(join(folder, 'packed'));
  const head = await peekPacked(medium, 'gzip');
  await medium.file.close();
  expect(head).toEqual(Buffer.alloc(65_536, 3));
});
