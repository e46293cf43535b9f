import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../../contract/errors.ts';
import { buildCpioOf } from './cpio-file.ts';
import { createSeedTools } from './seed-tools.ts';

function freshFolder(): string {
  const folder = mkdtempSync('/tmp/gh-seed-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const tools = createSeedTools();
const never = new AbortController().signal;

/** Reads the disc with another eye than the one that wrote it: bsdtar would do, isoinfo would; xorriso's own reader takes a path of its own. */
function readDisc(path: string): { label: string; files: Record<string, string> } {
  const label = readFileSync(path)
    .toString('latin1', 16 * 2048 + 40, 16 * 2048 + 72)
    .trimEnd();
  const folder = freshFolder();
  execFileSync('xorriso', ['-no_rc', '-osirrox', 'on', '-indev', `stdio:${path}`, '-extract', '/', join(folder, 'out')], {
    stdio: 'ignore',
  });
  const files = Object.fromEntries(readdirSync(join(folder, 'out')).map((name) => [name, readFileSync(join(folder, 'out', name), 'utf8')]));
  return { label, files };
}

test('a password becomes the hash that crypt makes of it, with another salt each time', async () => {
  const password = "pä\"ss $(id) 'x' \\";
  const hash = await tools.hashPassword(password);
  const [, , salt = ''] = hash.split('$');
  const again = execFileSync('openssl', ['passwd', '-6', '-salt', salt, '-stdin'], { input: `${password}\n`, encoding: 'utf8' }).trim();
  expect(hash).toBe(again);
  expect(await tools.hashPassword(password)).not.toBe(hash);
});

test('no program is told a password by its arguments or its environment', async () => {
  const folder = freshFolder();
  const real = execFileSync('sh', ['-c', 'command -v openssl'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(folder, 'openssl'),
    `#!/bin/sh\n{ echo "$0 $@"; env; tr '\\0' ' ' < /proc/$$/cmdline; } > ${folder}/seen\nexec ${real} "$@"\n`,
  );
  chmodSync(join(folder, 'openssl'), 0o755);
  await createSeedTools({ ...process.env, PATH: folder }).hashPassword('correct-horse-battery');
  const seen = readFileSync(join(folder, 'seen'), 'utf8');
  expect(seen).toContain('passwd -6 -stdin');
  expect(seen).not.toContain('correct-horse');
});

test('a disc has its label and its files, is its owner’s alone, and leaves nothing beside it', async () => {
  const folder = freshFolder();
  const path = join(folder, 'seed.iso');
  await tools.writeDisc(path, 'cidata', [
    { path: 'meta-data', content: '{"instance-id": "x"}\n' },
    { path: 'user-data', content: `#cloud-config\n${'ä'.repeat(70_000)}\n` },
  ]);
  expect(readDisc(path)).toEqual({
    label: 'cidata',
    files: { 'meta-data': '{"instance-id": "x"}\n', 'user-data': `#cloud-config\n${'ä'.repeat(70_000)}\n` },
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['seed.iso']);
});

test('a disc that cannot be made leaves the one before as it was', async () => {
  const folder = freshFolder();
  const path = join(folder, 'seed.iso');
  await tools.writeDisc(path, 'OEMDRV', [{ path: 'ks.cfg', content: 'text\n' }]);
  const before = readFileSync(path);
  await expect(tools.writeDisc(path, 'x'.repeat(40), [{ path: 'ks.cfg', content: 'text\n' }])).rejects.toThrow(Failure);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual(['seed.iso']);
});

test('without its program the failure names it and how it is installed', async () => {
  const bare = createSeedTools({ PATH: '/nowhere' });
  // Where /usr/bin has it, it is found all the same.
  if (existsSync('/usr/bin/xorriso')) await expect(bare.hashPassword('x')).resolves.toMatch(/^\$6\$/);
  else await expect(bare.hashPassword('x')).rejects.toMatchObject({ error: { code: 'seed/no-tool' } });
});

/** The smallest thing that says of itself that it is a kernel. */
const kernel = Buffer.alloc(4096, 7);
kernel.write('HdrS', 0x202, 'latin1');

function makeIso(folder: string, files: (root: string) => void): string {
  const root = join(folder, 'root');
  mkdirSync(root);
  files(root);
  const path = join(folder, 'installer.iso');
  execFileSync('xorriso', ['-no_rc', '-as', 'mkisofs', '-quiet', '-R', '-V', 'Debian 12', '-o', path, root], { stdio: 'ignore' });
  return path;
}

const requestOf = (folder: string, isoPath: string, answersPath: string | null = null) => ({
  isoPath,
  places: [
    { kernel: '/install.amd/vmlinuz', initrd: '/install.amd/initrd.gz' },
    { kernel: '/linux', initrd: '/initrd.gz' },
  ],
  answersPath,
  kernelPath: join(folder, 'kernel'),
  initrdPath: join(folder, 'initrd'),
  signal: never,
});

test('an installer’s kernel is taken from its disc, and the answers stand behind its first root file system', async () => {
  const folder = freshFolder();
  const iso = makeIso(folder, (root) => {
    writeFileSync(join(root, 'linux'), kernel);
    execFileSync('sh', [
      '-c',
      `cd ${root} && mkdir t && echo one > t/first && (cd t && echo first | cpio -o -H newc 2>/dev/null | gzip) > initrd.gz && rm -r t`,
    ]);
    chmodSync(join(root, 'initrd.gz'), 0o444);
  });
  const answers = join(folder, 'answers.cpio');
  writeFileSync(answers, buildCpioOf('preseed.cfg', 'd-i äöü string x\n'));
  await tools.takeInstaller(requestOf(folder, iso, answers));
  expect(readFileSync(join(folder, 'kernel')).equals(kernel)).toBe(true);
  expect(statSync(join(folder, 'initrd')).mode & 0o077).toBe(0);
  // The part behind the packed one is an archive that cpio itself reads, at a multiple of four bytes.
  const initrd = readFileSync(join(folder, 'initrd'));
  const at = initrd.indexOf('070701');
  expect(at % 4).toBe(0);
  expect(
    execFileSync('cpio', ['-i', '--to-stdout', 'preseed.cfg'], {
      input: initrd.subarray(at),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    }),
  ).toBe('d-i äöü string x\n');
  expect(readdirSync(folder).sort()).toEqual(['answers.cpio', 'initrd', 'installer.iso', 'kernel', 'root']);
});

test('a disc whose kernel is a link, a folder, or no kernel gives nothing, and nothing outside is touched', async () => {
  for (const make of [
    (root: string) => symlinkSync('/etc/passwd', join(root, 'linux')),
    (root: string) => mkdirSync(join(root, 'linux')),
    (root: string) => writeFileSync(join(root, 'linux'), 'not a kernel'),
    () => {},
  ]) {
    const folder = freshFolder();
    const iso = makeIso(folder, (root) => {
      make(root);
      writeFileSync(join(root, 'initrd.gz'), 'x');
    });
    const before = readFileSync('/etc/passwd');
    await expect(tools.takeInstaller(requestOf(folder, iso))).rejects.toMatchObject({ error: { code: 'seed/no-installer' } });
    expect(readdirSync(folder).sort()).toEqual(['installer.iso', 'root']);
    expect(readFileSync('/etc/passwd').equals(before)).toBe(true);
  }
});

test('a link in place of the first root file system is not followed when the answers are put behind it', async () => {
  const folder = freshFolder();
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'as it was');
  const iso = makeIso(folder, (root) => {
    writeFileSync(join(root, 'linux'), kernel);
    symlinkSync(victim, join(root, 'initrd.gz'));
  });
  const answers = join(folder, 'answers.cpio');
  writeFileSync(answers, buildCpioOf('preseed.cfg', 'x\n'));
  await expect(tools.takeInstaller(requestOf(folder, iso, answers))).rejects.toMatchObject({ error: { code: 'seed/no-installer' } });
  expect(readFileSync(victim, 'utf8')).toBe('as it was');
  expect(lstatSync(victim).isFile()).toBe(true);
});

test('what is no disc at all gives nothing', async () => {
  const folder = freshFolder();
  const iso = join(folder, 'noise.iso');
  writeFileSync(iso, Buffer.alloc(100_000, 0x5a));
  await expect(tools.takeInstaller(requestOf(folder, iso))).rejects.toMatchObject({ error: { code: 'seed/no-installer' } });
});
