import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { SeekableWebm, WebmError } from './seekable-webm.ts';

/** Nine seconds of a canvas that changes its size, with a tone of 500 Hz, as Chromium's MediaRecorder made it. */
const recorded = readFileSync(join(import.meta.dirname, '../../tests/support/media/canvas-and-tone.webm'));

/** What is in the file at the end, when the recorder's bytes come in such pieces. */
function write(pieces: readonly Uint8Array[], withCues = true): { file: Buffer; wholeBytes: number } {
  const webm = new SeekableWebm();
  const written = Buffer.concat(pieces.map((piece) => webm.push(piece)));
  const { cues, patches } = webm.finish(withCues);
  const file = Buffer.concat([written.subarray(0, webm.wholeBytes), cues]);
  for (const { at, bytes } of patches) bytes.copy(file, at);
  return { file, wholeBytes: webm.wholeBytes };
}

function pathOf(file: Buffer): string {
  const folder = mkdtempSync('/tmp/gh-webm-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'video.webm');
  writeFileSync(path, file);
  return path;
}

const hasFfmpeg = (() => {
  try {
    execFileSync('ffprobe', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const probe = (path: string, ...words: string[]) => execFileSync('ffprobe', ['-v', 'error', '-of', 'csv=p=0', ...words, path]).toString();

/** A reading of the format that shares nothing with what is tried: every element as `name@depth`, with where it lies. */
function outline(file: Buffer): { name: string; at: number; end: number; content: Buffer }[] {
  const parents = ['18538067', '114d9b74', '4dbb', '1549a966', '1c53bb6b', 'bb', 'b7', '1f43b675'];
  const found: { name: string; at: number; end: number; content: Buffer }[] = [];
  const walk = (from: number, to: number) => {
    for (let at = from; at < to; ) {
      const idLength = file.readUInt8(at).toString(2).padStart(8, '0').indexOf('1') + 1;
      const sizeAt = at + idLength;
      const sizeLength = file.readUInt8(sizeAt).toString(2).padStart(8, '0').indexOf('1') + 1;
      const name = file.toString('hex', at, sizeAt);
      const size = BigInt(`0x${file.toString('hex', sizeAt, sizeAt + sizeLength)}`) & ((1n << BigInt(7 * sizeLength)) - 1n);
      const begin = sizeAt + sizeLength;
      const end = begin + Number(size);
      expect(end, `${name} at ${at} ends within what holds it`).toBeLessThanOrEqual(to);
      found.push({ name, at, end, content: file.subarray(begin, end) });
      if (parents.includes(name)) walk(begin, end);
      at = end;
    }
  };
  walk(0, file.byteLength);
  return found;
}

test('every size is known at the end, and what says where something is says it rightly', () => {
  const { file } = write([recorded]);
  const elements = outline(file);
  const named = (name: string) => elements.filter((element) => element.name === name);
  const segment = named('18538067')[0];
  expect(segment?.end).toBe(file.byteLength);
  const segmentAt = file.byteLength - (segment?.content.byteLength ?? 0);
  const targets = named('4dbb').map(({ content }) => {
    const what = content.toString('hex', 3, 7);
    return [what, Number(content.readBigUInt64BE(10)) + segmentAt];
  });
  expect(targets).toEqual(['1549a966', '1654ae6b', '1c53bb6b'].map((name) => [name, named(name)[0]?.at]));
  const clusters = named('1f43b675');
  const cued = named('f1').map(({ content }) => Number(`0x${content.toString('hex')}`) + segmentAt);
  expect(cued.length).toBeGreaterThan(2);
  for (const at of cued) expect(clusters.map((cluster) => cluster.at)).toContain(at);
  expect(named('4489')[0]?.content.readDoubleBE()).toBeGreaterThan(8500);
});

test('a player finds the same pictures and sounds, knows the length, and seeks', (context) => {
  if (!hasFfmpeg) context.skip('ffprobe is not installed');
  const before = pathOf(recorded);
  const after = pathOf(write([recorded]).file);
  expect(probe(before, '-show_entries', 'format=duration').trim()).toBe('N/A');
  expect(Number(probe(after, '-show_entries', 'format=duration'))).toBeCloseTo(9, 0);
  const packets = (path: string) =>
    probe(path, '-show_entries', 'packet=stream_index,pts_time,size,flags,data_hash', '-show_data_hash', 'md5');
  expect(packets(after)).toBe(packets(before));
  // What is read from there on begins with the whole picture before it, and not with the first.
  const from = probe(after, '-read_intervals', '7%+0.2', '-select_streams', 'v', '-show_entries', 'packet=pts_time');
  expect(Number.parseFloat(from)).toBeGreaterThan(4);
});

test('how the bytes are cut makes no difference', () => {
  const whole = write([recorded]).file;
  const seconds = recorded.subarray(0, 6000);
  expect(write(Array.from(seconds, (byte) => Uint8Array.of(byte))).file.equals(write([seconds]).file)).toBe(true);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: recorded.byteLength - 1 }), { maxLength: 40 }), (cuts) => {
      const places = [0, ...cuts.sort((one, other) => one - other), recorded.byteLength];
      const pieces = places.slice(1).map((end, index) => recorded.subarray(places[index], end));
      return write(pieces).file.equals(whole);
    }),
    { numRuns: 30 },
  );
});

test('one that is cut off anywhere is whole up to its last block, and one without room for cues needs none', () => {
  for (let cut = 400; cut < recorded.byteLength; cut += 1771) {
    const { file, wholeBytes } = write([recorded.subarray(0, cut)]);
    expect(wholeBytes).toBeGreaterThan(0);
    expect(outline(file).some(({ name }) => name === '1c53bb6b')).toBe(true);
  }
  const names = outline(write([recorded], false).file).map(({ name }) => name);
  expect(names).not.toContain('1c53bb6b');
  expect(names).not.toContain('114d9b74');
  expect(names).toContain('4489');
});

test('what could not be written does not count', () => {
  const webm = new SeekableWebm();
  const half = 30_000;
  webm.push(recorded.subarray(0, half));
  const { wholeBytes } = webm;
  const before = webm.finish(true);
  webm.push(recorded.subarray(half));
  expect(webm.wholeBytes).toBeGreaterThan(wholeBytes);
  webm.takeBack();
  expect(webm.wholeBytes).toBe(wholeBytes);
  expect(webm.finish(true)).toEqual(before);
});

test('what is no recording is refused, and nothing else happens, whatever it is', () => {
  const refused = (bytes: Uint8Array) => {
    try {
      write([bytes]);
      return null;
    } catch (error) {
      if (!(error instanceof WebmError)) throw error;
      return error.message;
    }
  };
  expect(refused(new Uint8Array(70_000).fill(0x42))).toBe('it does not begin like one');
  expect(refused(Buffer.concat([recorded.subarray(0, 36), Buffer.alloc(70_000, 0xec)]))).toMatch(/.+/);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(recorded.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const changed = Buffer.from(recorded);
      for (const [at, byte] of changes) changed[at % 900] = byte;
      refused(changed);
    }),
    { numRuns: 300 },
  );
});
