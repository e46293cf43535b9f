import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import type { GuestId, ImageId } from '../../../../contract/ids.ts';
import { layoutOf } from '../../files/layout.ts';
import { cdOf, diskOf, specOf } from './arguments/golden-specs.ts';
import { checkDisks, checkMedia } from './disk-files.ts';

const folder = mkdtempSync('/tmp/gh-disks-');
afterAll(() => rmSync(folder, { recursive: true }));
const files = layoutOf({ home: folder, run: `${folder}/run`, logs: folder, engineSocket: `${folder}/s` }).guest('g000000000' as GuestId);

const check = (path: string, format: 'qcow2' | 'raw' = 'qcow2') =>
  checkDisks(specOf({ disks: [diskOf({ location: { kind: 'in-place', path }, format })] }), files);
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (thrown: { error: { code: string } }) => thrown.error.code,
  );
const image = (name: string, options: string[] = []) => {
  const path = `${folder}/${name}`;
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, path, '1M']);
  return path;
};

test('a disk that stands alone passes, also through a link', async () => {
  const path = image('fine.qcow2');
  symlinkSync(path, `${folder}/link.qcow2`);
  expect(await codeOf(check(path))).toBe('fine');
  expect((await check(`${folder}/link.qcow2`)).get('disk0')).toEqual({ path: `${folder}/link.qcow2`, hostDevice: false, bases: [] });
});

test('a disk that names another file is never given to QEMU', async () => {
  expect(await codeOf(check(image('backed.qcow2', ['-o', 'backing_file=/etc/shadow,backing_fmt=raw'])))).toBe('image/outside-reference');
  expect(await codeOf(check(image('data.qcow2', ['-o', `data_file=${folder}/outside.raw`])))).toBe('image/outside-reference');
});

test('what is not a disk is said to be what it is', async () => {
  writeFileSync(`${folder}/text`, 'hello');
  writeFileSync(`${folder}/empty`, '');
  truncateSync(image('short.qcow2'), 3);
  expect(await codeOf(check(`${folder}/none`))).toBe('image/file-missing');
  expect(await codeOf(check(folder, 'raw'))).toBe('image/not-a-file');
  for (const name of ['text', 'empty', 'short.qcow2']) expect(await codeOf(check(`${folder}/${name}`)), name).toBe('image/corrupt');
});

test('a CD that is gone leaves an empty drive and a sentence', async () => {
  writeFileSync(`${folder}/a.iso`, 'x');
  const spec = specOf({
    cdDrives: [
      cdOf({ medium: { kind: 'in-place', path: `${folder}/a.iso` } }),
      cdOf({ id: 'cd1', medium: { kind: 'in-place', path: `${folder}/b.iso` } }),
      cdOf({ id: 'cd2', medium: { kind: 'image', imageId: 'i000000000' as ImageId } }),
    ],
  });
  const { media, problems } = await checkMedia(spec, () => {
    throw new Error('no such image');
  });
  expect([...media.keys()]).toEqual(['cd0']);
  expect(problems).toHaveLength(2);
  expect(problems[0]).toContain(`${folder}/b.iso`);
});
