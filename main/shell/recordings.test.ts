import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Recordings } from './recordings.ts';

const head = new Uint8Array([0x1a, 0x45, 0xdf, 0xa3, 1]);
const owner = 7;

function folder(): string {
  const made = mkdtempSync('/tmp/gh-rec-');
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test('a recording has its name when it is finished, and what stood there stays until then', async () => {
  const path = join(folder(), 'a.guest.webm');
  writeFileSync(path, 'before');
  const recordings = new Recordings();
  const id = await recordings.begin(owner, path);
  await Promise.all([recordings.add(owner, id, head), recordings.add(owner, id, new Uint8Array([2, 3]))]);
  const growing = path.replace('.webm', ' (recording).webm');
  expect([...readFileSync(growing)]).toEqual([...head, 2, 3]);
  expect(readFileSync(path, 'utf8')).toBe('before');
  expect(await recordings.finish(owner, id)).toBe(path);
  expect([...readFileSync(path)]).toEqual([...head, 2, 3]);
  expect(existsSync(growing)).toBe(false);
});

test('one that nothing came of leaves no file, and one that a crash left is not written over', async () => {
  const path = join(folder(), 'x.webm');
  const recordings = new Recordings();
  const id = await recordings.begin(owner, path);
  await expect(recordings.begin(owner, path)).rejects.toMatchObject({
    error: { code: 'store/not-writable', hint: expect.stringContaining('already') },
  });
  expect(await recordings.finish(owner, id)).toBeNull();
  expect(existsSync(path)).toBe(false);
  expect(existsSync(path.replace('.webm', ' (recording).webm'))).toBe(false);
});

test('nobody adds to a recording of another page, to one that has ended, or what is no WebM', async () => {
  const recordings = new Recordings();
  const id = await recordings.begin(owner, join(folder(), 'x.webm'));
  await expect(recordings.add(8, id, head)).rejects.toMatchObject({ error: { code: 'call/invalid-input' } });
  await expect(recordings.finish(8, id)).rejects.toMatchObject({ error: { code: 'call/invalid-input' } });
  await expect(recordings.add(owner, id, new Uint8Array([1, 2, 3, 4]))).rejects.toMatchObject({
    error: { code: 'call/invalid-input', path: 'bytes' },
  });
  await recordings.finish(owner, id);
  await expect(recordings.add(owner, id, head)).rejects.toMatchObject({ error: { code: 'call/invalid-input' } });
});

test('a page that is gone leaves what it recorded under its name, and no other page’s', async () => {
  const place = folder();
  const recordings = new Recordings();
  const gone = await recordings.begin(owner, join(place, 'gone.webm'));
  const going = await recordings.begin(8, join(place, 'going.webm'));
  await recordings.add(owner, gone, head);
  await recordings.add(8, going, head);
  await recordings.finishAllOf(owner);
  expect(readFileSync(join(place, 'gone.webm')).byteLength).toBe(head.byteLength);
  expect(existsSync(join(place, 'going.webm'))).toBe(false);
  await recordings.finishAllOf(8);
});

test('a disk that gets full, and a recording that gets too long, end with what came before', async () => {
  const path = join(folder(), 'x.webm');
  let free = 1024 ** 3;
  const recordings = new Recordings({ largestBytes: 8, freeBytes: async () => free });
  const id = await recordings.begin(owner, path);
  await recordings.add(owner, id, head);
  await expect(recordings.add(owner, id, new Uint8Array(4))).rejects.toMatchObject({ error: { code: 'store/full', path } });
  free = 1024;
  await expect(recordings.add(owner, id, new Uint8Array(1))).rejects.toMatchObject({ error: { code: 'store/full', path } });
  expect(await recordings.finish(owner, id)).toBe(path);
  expect([...readFileSync(path)]).toEqual([...head]);
});

test('a folder that cannot be written is said before anything is recorded', async () => {
  await expect(new Recordings().begin(owner, '/proc/none/x.webm')).rejects.toMatchObject({ error: { code: 'store/not-writable' } });
});
