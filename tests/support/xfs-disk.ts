/** A disk image with a partition of XFS, made without mounting anything: mkfs.xfs fills it after a description. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const run = (program: string, args: string[], input = '') => execFileSync(program, args, { input, stdio: 'pipe', env: environment });

/** Makes `path`, a sparse raw image of 320 MiB: XFS wants at least 300. @param files their text by path; a path that ends in a slash is a folder */
export async function makeXfsDisk(path: string, files: Record<string, string>): Promise<string> {
  const tree = `${path}.tree`;
  for (const [file, text] of Object.entries(files)) {
    await mkdir(file.endsWith('/') ? join(tree, file) : dirname(join(tree, file)), { recursive: true });
    if (!file.endsWith('/')) await writeFile(join(tree, file), text);
  }
  await mkdir(join(tree, 'bin'), { recursive: true });
  await copyFile('/usr/bin/env', join(tree, 'bin/ls'));
  const volume = `${path}.volume`;
  await writeFile(`${path}.proto`, ['/none', '0 0', 'd--755 0 0', ...(await describe(tree)), '$', ''].join('\n'));
  await writeFile(volume, '');
  await truncate(volume, 310 * 1024 ** 2);
  run('mkfs.xfs', ['-q', '-L', 'system', '-p', `${path}.proto`, volume]);
  await writeFile(path, '');
  await truncate(path, 320 * 1024 ** 2);
  run('sfdisk', ['-q', path], 'label: dos\nstart=2048, type=83, bootable\n');
  run('dd', [`if=${volume}`, `of=${path}`, 'bs=1M', 'seek=1', 'conv=notrunc,sparse', 'status=none']);
  for (const one of [tree, `${path}.proto`, volume]) await rm(one, { recursive: true });
  return path;
}

/** The content of a folder in the words of mkfs.xfs. */
async function describe(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) lines.push(`${entry.name} d--755 0 0`, ...(await describe(path)), '$');
    else lines.push(`${entry.name} ---755 0 0 ${path}`);
  }
  return lines;
}
