import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFirmware } from './firmware.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp('/tmp/gh-firmware-');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function place(at: string, name: string, features: string[], machines = ['pc-q35-*']): Promise<string> {
  const files = join(folder, 'files');
  await mkdir(files, { recursive: true });
  await mkdir(join(folder, at), { recursive: true });
  const code = join(files, `${name}.code`);
  const vars = join(files, `${name}.vars`);
  await writeFile(code, 'code');
  await writeFile(vars, 'vars');
  const descriptor = {
    description: name,
    'interface-types': ['uefi'],
    mapping: { device: 'flash', executable: { filename: code, format: 'raw' }, 'nvram-template': { filename: vars, format: 'raw' } },
    targets: [{ architecture: 'x86_64', machines }],
    features,
    tags: [],
  };
  await writeFile(join(folder, at, `${name}.json`), JSON.stringify(descriptor));
  return code;
}

test('Secure Boot takes only firmware with enrolled keys, plain UEFI only firmware without Secure Boot', async () => {
  const enrolled = await place('system', '40-enrolled', ['secure-boot', 'enrolled-keys', 'requires-smm']);
  await place('system', '50-empty', ['secure-boot', 'requires-smm']);
  const plain = await place('system', '60-plain', []);
  const folders = [join(folder, 'system')];
  expect((await findFirmware('uefi-secure', 'x86_64', folders))?.codePath).toBe(enrolled);
  expect((await findFirmware('uefi', 'x86_64', folders))?.codePath).toBe(plain);
});

test('a file of the same name in an earlier folder wins, an empty one hides', async () => {
  await place('system', '60-plain', []);
  const second = await place('system', '70-second', []);
  await mkdir(join(folder, 'user'), { recursive: true });
  await writeFile(join(folder, 'user', '60-plain.json'), '');
  const folders = [join(folder, 'user'), join(folder, 'system')];
  expect((await findFirmware('uefi', 'x86_64', folders))?.codePath).toBe(second);
});

test('descriptors that are damaged or whose files are gone are passed over', async () => {
  const gone = await place('system', '10-gone', []);
  await rm(gone);
  await writeFile(join(folder, 'system', '20-damaged.json'), '{"mapping":');
  const good = await place('system', '30-good', []);
  expect((await findFirmware('uefi', 'x86_64', [join(folder, 'system')]))?.codePath).toBe(good);
});
