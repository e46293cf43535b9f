/** A disk image with a Linux file system that has what a Linux says of itself, and nothing to boot. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type LinuxOnDisk = {
  osRelease: string;
  /** Where its package manager keeps what is installed, and the day on which that was last changed. */
  database: { path: string; changedOn: string; content?: string };
  /** Files beside it, by path. */
  files?: Record<string, string | Buffer>;
  kernels: readonly string[];
};

/** Makes `path` with mke2fs, 32 MiB large; with `options` also as ext2 or with blocks of another size. */
export async function makeLinuxDisk(path: string, linux: LinuxOnDisk, options: readonly string[] = ['-t', 'ext4']): Promise<string> {
  const tree = `${path}.tree`;
  const write = async (file: string, text: string | Buffer) => {
    await mkdir(dirname(join(tree, file)), { recursive: true });
    await writeFile(join(tree, file), text);
  };
  await write('usr/lib/os-release', linux.osRelease);
  for (const [file, text] of Object.entries(linux.files ?? {})) await write(file, text);
  for (const kernel of linux.kernels) await mkdir(join(tree, 'lib/modules', kernel), { recursive: true });
  await mkdir(join(tree, 'usr/bin'), { recursive: true });
  await copyFile('/usr/bin/env', join(tree, 'usr/bin/env'));
  await write(linux.database.path, linux.database.content ?? '');
  const changed = new Date(`${linux.database.changedOn}T12:00:00Z`);
  await utimes(join(tree, linux.database.path), changed, changed);
  execFileSync('mke2fs', ['-q', ...options, '-d', tree, path, '32M'], {
    stdio: 'pipe',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  await rm(tree, { recursive: true });
  return path;
}
