import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { toGuesthouseError } from '../../../contract/errors.ts';
import { unpackMember } from './zip-member.ts';

function folder(): string {
  const path = mkdtempSync('/tmp/gh-');
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Packs files by Python's own implementation; `stored` are not compressed. */
function pack(archive: string, files: Record<string, string>, stored = false): void {
  const script = `import json,sys,zipfile
with zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_STORED if sys.argv[2]=='1' else zipfile.ZIP_DEFLATED) as z:
    for name,text in json.load(sys.stdin).items(): z.writestr(name,text)`;
  execFileSync('python3', ['-c', script, archive, stored ? '1' : '0'], { input: JSON.stringify(files) });
}

async function unpack(archive: string, member: RegExp, keepFreeBytes = 0): Promise<string> {
  const target = `${archive}.out`;
  try {
    await unpackMember({ archive, member, target, keepFreeBytes, signal: new AbortController().signal, onProgress: () => undefined });
    return readFileSync(target, 'utf8');
  } catch (thrown) {
    return toGuesthouseError(thrown).code;
  }
}

const disc = 'sectors '.repeat(50_000);

test.each([true, false])('the wanted file comes out of an archive as it went in (stored: %s)', async (stored) => {
  const archive = join(folder(), 'a.zip');
  pack(archive, { 'readme.txt': 'hello', 'DISC.iso': disc }, stored);
  expect(await unpack(archive, /^DISC\.iso$/)).toBe(disc);
});

test('an archive without the file, with two of them, cut short or changed gives nothing', async () => {
  const archive = join(folder(), 'a.zip');
  pack(archive, { 'one.iso': disc, 'two.iso': disc });
  expect(await unpack(archive, /^three\.iso$/)).toBe('download/archive-bad');
  expect(await unpack(archive, /\.iso$/)).toBe('download/archive-bad');
  const whole = readFileSync(archive);
  const changed = Buffer.from(whole);
  changed.writeUInt8(changed.readUInt8(200) ^ 0xff, 200);
  for (const bytes of [whole.subarray(0, whole.length - 30), changed, Buffer.from('no archive'), Buffer.alloc(0)]) {
    writeFileSync(archive, bytes);
    expect(await unpack(archive, /^one\.iso$/)).toBe('download/archive-bad');
  }
});

test('an archive that unpacks to more than it says is stopped there', async () => {
  const archive = join(folder(), 'bomb.zip');
  pack(archive, { 'disc.iso': disc });
  const bytes = readFileSync(archive);
  const entry = bytes.indexOf(Buffer.from('504b0102', 'hex'));
  bytes.writeUInt32LE(1000, entry + 24);
  writeFileSync(archive, bytes);
  expect(await unpack(archive, /^disc\.iso$/)).toBe('download/archive-bad');
  expect(readFileSync(`${archive}.out`).length).toBeLessThanOrEqual(1000);
});

test('an archive that unpacks to more than there is room for is refused before', async () => {
  const archive = join(folder(), 'a.zip');
  pack(archive, { 'disc.iso': disc });
  expect(await unpack(archive, /^disc\.iso$/, Number.MAX_SAFE_INTEGER)).toBe('store/full');
});
