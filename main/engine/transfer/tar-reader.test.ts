import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Failure } from '../../../contract/errors.ts';
import { memorySource } from '../images/byte-source.ts';
import { readTarMembers } from './tar-reader.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp('/tmp/gh-');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An archive made by tar itself. */
async function tar(...args: string[]): Promise<Buffer> {
  await writeFile(join(folder, 'a.ovf'), 'description');
  await writeFile(join(folder, 'b.vmdk'), Buffer.alloc(1000, 7));
  execFileSync('tar', ['-C', folder, '--format=ustar', '-cf', join(folder, 'x.ova'), ...args], { stdio: 'pipe' });
  return readFile(join(folder, 'x.ova'));
}
const members = (archive: Buffer) => readTarMembers(memorySource(archive), 'x.ova');
const refused = { error: { code: 'machine/archive-refused' } };

test('members are found where they lie', async () => {
  const archive = await tar('a.ovf', 'b.vmdk');
  const found = await members(archive);
  expect(found.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
    ['a.ovf', 11],
    ['b.vmdk', 1000],
  ]);
  const [, disk] = found;
  expect(archive.subarray(disk?.offset, (disk?.offset ?? 0) + 1000)).toEqual(Buffer.alloc(1000, 7));
});

test('names that lead out of the archive are refused', async () => {
  for (const name of ['../a.ovf', '/etc/passwd', 'folder/a.ovf', '..']) {
    await expect(members(await tar('-P', `--transform=s,^a.ovf$,${name},`, 'a.ovf'))).rejects.toMatchObject(refused);
  }
});

test('links, folders and devices are refused', async () => {
  execFileSync('ln', ['-s', '/etc/passwd', join(folder, 'link.vmdk')]);
  execFileSync('mkdir', [join(folder, 'sub')]);
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'pipe.vmdk')]);
  for (const name of ['link.vmdk', 'sub', 'pipe.vmdk']) await expect(members(await tar('a.ovf', name))).rejects.toMatchObject(refused);
});

test('the same name twice, a cut archive and a damaged header are refused', async () => {
  await expect(members(await tar('a.ovf', '--hard-dereference', 'a.ovf'))).rejects.toMatchObject(refused);
  const whole = await tar('a.ovf', 'b.vmdk');
  await expect(members(whole.subarray(0, 2100))).rejects.toMatchObject({ error: { code: 'image/truncated' } });
  const damaged = Buffer.from(whole);
  damaged[3] = 0x41;
  await expect(members(damaged)).rejects.toMatchObject(refused);
});

test('whatever the bytes, the answer is a list within the archive or a refusal', async () => {
  const whole = await tar('a.ovf', 'b.vmdk');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 }), async (changes) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      try {
        for (const { offset, sizeBytes } of await members(bytes)) expect(offset + sizeBytes).toBeLessThanOrEqual(bytes.length);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Failure);
      }
    }),
  );
});
