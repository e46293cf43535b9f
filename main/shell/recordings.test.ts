import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMount, smallFileSystem } from '../../tests/support/small-file-system.ts';
import { Recordings, recordingJournal } from './recordings.ts';
import { SeekableWebm } from './seekable-webm.ts';

/** What Chromium's MediaRecorder made. */
const recorded = readFileSync(join(import.meta.dirname, '../../tests/support/media/canvas-and-tone.webm'));
const half = 35_000;
const head = recorded.subarray(0, half);
const owner = 7;

/** The file as it is to be in the end. */
function whole(bytes: Uint8Array): Buffer {
  const webm = new SeekableWebm();
  const written = Buffer.from(webm.push(bytes));
  const { cues, patches } = webm.finish(true);
  const file = Buffer.concat([written.subarray(0, webm.wholeBytes), cues]);
  for (const patch of patches) patch.bytes.copy(file, patch.at);
  return file;
}

function folder(): string {
  const made = mkdtempSync('/tmp/gh-rec-');
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Those of an app that keeps its own files in `own`. */
function recordingsOf(own = folder(), limits: ConstructorParameters<typeof Recordings>[1] = {}): Recordings {
  return new Recordings(recordingJournal(join(own, 'window', 'recordings.json')), limits);
}

test('a recording has its name when it is finished, and what stood there stays until then', async () => {
  const path = join(folder(), 'a.guest.webm');
  writeFileSync(path, 'before');
  const recordings = recordingsOf();
  const id = await recordings.begin(owner, path);
  await Promise.all([recordings.add(owner, id, head), recordings.add(owner, id, recorded.subarray(half))]);
  const growing = path.replace('.webm', ' (recording).webm');
  // What a crash leaves: all of it, but that it is not known where it ends.
  expect(readFileSync(growing).subarray(-1000).equals(recorded.subarray(-1000))).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe('before');
  expect(await recordings.finish(owner, id)).toBe(path);
  expect(readFileSync(path).equals(whole(recorded))).toBe(true);
  expect(existsSync(growing)).toBe(false);
});

test('one that nothing came of leaves no file, and one that a crash left is not written over', async () => {
  const path = join(folder(), 'x.webm');
  const recordings = recordingsOf();
  const id = await recordings.begin(owner, path);
  await expect(recordings.begin(owner, path)).rejects.toMatchObject({
    error: { code: 'store/not-writable', hint: expect.stringContaining('already') },
  });
  expect(await recordings.finish(owner, id)).toBeNull();
  expect(existsSync(path)).toBe(false);
  expect(existsSync(path.replace('.webm', ' (recording).webm'))).toBe(false);
});

test('nobody adds to a recording of another page, to one that has ended, or what is no WebM', async () => {
  const recordings = recordingsOf();
  const id = await recordings.begin(owner, join(folder(), 'x.webm'));
  await expect(recordings.add(8, id, head)).rejects.toMatchObject({ error: { code: 'call/invalid-input' } });
  await expect(recordings.finish(8, id)).rejects.toMatchObject({ error: { code: 'call/invalid-input' } });
  await expect(recordings.add(owner, id, new Uint8Array(64).fill(0x42))).rejects.toMatchObject({
    error: { code: 'call/invalid-input', path: 'bytes' },
  });
  await recordings.finish(owner, id);
  await expect(recordings.add(owner, id, head)).rejects.toMatchObject({ error: { code: 'call/invalid-input' } });
});

test('a page that is gone leaves what it recorded under its name, and no other page’s', async () => {
  const place = folder();
  const recordings = recordingsOf();
  const gone = await recordings.begin(owner, join(place, 'gone.webm'));
  const going = await recordings.begin(8, join(place, 'going.webm'));
  await recordings.add(owner, gone, head);
  await recordings.add(8, going, head);
  await recordings.finishAllOf(owner);
  expect(readFileSync(join(place, 'gone.webm')).equals(whole(head))).toBe(true);
  expect(existsSync(join(place, 'going.webm'))).toBe(false);
  await recordings.finishAllOf(8);
});

test('a disk that gets full, and a recording that gets too long, end with what came before', async () => {
  const more = recorded.subarray(half);
  for (const [largestBytes, freeAfter] of [
    [1024 ** 2, 1024],
    [recorded.byteLength - 1, 1024 ** 3],
  ] as const) {
    let free = 1024 ** 3;
    const path = join(folder(), 'x.webm');
    const recordings = recordingsOf(folder(), { largestBytes, freeBytes: async () => free });
    const id = await recordings.begin(owner, path);
    await recordings.add(owner, id, head);
    free = freeAfter;
    await expect(recordings.add(owner, id, more)).rejects.toMatchObject({ error: { code: 'store/full', path } });
    await expect(recordings.add(owner, id, more)).rejects.toMatchObject({ error: { code: 'call/invalid-input' } });
    expect(await recordings.finish(owner, id)).toBe(path);
    expect(readFileSync(path).equals(whole(head))).toBe(true);
  }
});

test('a disk that has room for a part of what comes keeps what is whole, and says how long that is', async (context) => {
  if (!canMount) context.skip('only root may mount a small file system');
  const place = await smallFileSystem(1);
  const path = join(place, 'x.webm');
  const recordings = recordingsOf(folder(), { freeBytes: async () => 1024 ** 3 });
  const id = await recordings.begin(owner, path);
  await recordings.add(owner, id, head);
  // A file that leaves room for a part of what comes next.
  writeFileSync(join(place, 'other'), Buffer.alloc(1024 ** 2 - 48 * 1024));
  await expect(recordings.add(owner, id, recorded.subarray(half))).rejects.toMatchObject({
    error: { code: 'store/full', message: expect.stringContaining('no room') },
  });
  expect(await recordings.finish(owner, id)).toBe(path);
  expect(readFileSync(path).equals(whole(head))).toBe(true);
});

test('a folder that cannot be written is said before anything is recorded', async () => {
  await expect(recordingsOf().begin(owner, '/proc/none/x.webm')).rejects.toMatchObject({
    error: { code: 'store/not-writable', message: expect.stringContaining('/proc/none/x'), hint: expect.stringContaining('another') },
  });
});

/** What an app that is killed leaves after it was given `pieces` of a recording, with the file as `left` makes it. */
async function killed(own: string, path: string, pieces: Uint8Array[], left?: (file: Buffer) => Buffer): Promise<string> {
  const recordings = recordingsOf(own);
  const id = await recordings.begin(owner, path);
  // The system closes what a process that is killed had open.
  onTestFinished(async () => void (await recordings.finishAllOf(owner)));
  for (const piece of pieces) await recordings.add(owner, id, piece);
  const growing = path.replace('.webm', ' (recording).webm');
  if (left) writeFileSync(growing, left(readFileSync(growing)));
  return growing;
}

test('what a killed app was recording is made whole by the next one, once, and has its name', async () => {
  const own = folder();
  const path = join(folder(), 'x.webm');
  const growing = await killed(own, path, [head, recorded.subarray(half)]);
  expect(await recordingsOf(own).finishLeft()).toEqual([{ path, problem: null }]);
  expect(readFileSync(path).equals(whole(recorded))).toBe(true);
  expect(existsSync(growing)).toBe(false);
  expect(await recordingsOf(own).finishLeft()).toEqual([]);
});

test('a recording that was being made whole when the app was killed is made whole all the same, from every step', async () => {
  const own = folder();
  const path = join(folder(), 'x.webm');
  const webm = new SeekableWebm();
  const written = Buffer.from(webm.push(recorded));
  const { cues, patches } = webm.finish(true);
  const cut = written.subarray(0, webm.wholeBytes);
  for (let done = 0; done <= patches.length; done++) {
    await killed(own, path, [recorded], () => {
      const file = Buffer.concat([cut, cues]);
      for (const patch of patches.slice(0, done)) patch.bytes.copy(file, patch.at);
      return file;
    });
    expect(await recordingsOf(own).finishLeft()).toEqual([{ path, problem: null }]);
    expect(readFileSync(path).equals(whole(recorded))).toBe(true);
    rmSync(path);
  }
});

test('a piece that was half written when the app was killed is left out', async () => {
  const own = folder();
  const path = join(folder(), 'x.webm');
  await killed(own, path, [recorded], (file) => file.subarray(0, half));
  expect(await recordingsOf(own).finishLeft()).toEqual([{ path, problem: null }]);
  expect(readFileSync(path).equals(whole(readFileSync(path)))).toBe(true);
  expect(readFileSync(path).byteLength).toBeLessThan(whole(recorded).byteLength);
});

test('what a killed app left takes no other file’s name, nothing of it leaves nothing, and its disk may come back', async () => {
  const own = folder();
  const place = folder();
  const taken = join(place, 'taken.webm');
  writeFileSync(taken, 'theirs');
  await killed(own, taken, [recorded]);
  const empty = await killed(own, join(place, 'empty.webm'), []);
  const away = folder();
  await killed(own, join(away, 'away.webm'), [recorded]);
  renameSync(away, `${away}-unplugged`);
  expect(await recordingsOf(own).finishLeft()).toEqual([{ path: join(place, 'taken (1).webm'), problem: null }]);
  expect(readFileSync(taken, 'utf8')).toBe('theirs');
  expect(existsSync(empty)).toBe(false);
  renameSync(`${away}-unplugged`, away);
  expect(await recordingsOf(own).finishLeft()).toEqual([{ path: join(away, 'away.webm'), problem: null }]);
});

test('a file that is no recording is left as it is and said, and so is a journal that cannot be read', async () => {
  const own = folder();
  const path = join(folder(), 'x.webm');
  const growing = await killed(own, path, [recorded], () => Buffer.from('something else altogether'));
  expect(await recordingsOf(own).finishLeft()).toEqual([{ path: growing, problem: expect.stringContaining('begin') }]);
  expect(readFileSync(growing, 'utf8')).toBe('something else altogether');
  for (const planted of ['{', '[{"temporary":7}]', '"x"']) {
    writeFileSync(join(own, 'window', 'recordings.json'), planted);
    expect(await recordingsOf(own).finishLeft()).toEqual([]);
  }
});
