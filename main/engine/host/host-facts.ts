/** What this computer has beside QEMU: tools, space, memory, rights. Asked anew each time, all of it quick. */
import { access, constants, mkdir, readFile, stat, statfs } from 'node:fs/promises';
import { freemem, totalmem, userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { isExecutable } from './qemu-discovery.ts';

/** Searches PATH, then the folders in which the program is kept where it is not meant to be started by hand. */
export async function findProgram(name: string, environment: NodeJS.ProcessEnv, elsewhere: readonly string[] = []): Promise<string | null> {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  for (const folder of [...(environment.PATH ?? '').split(delimiter), ...elsewhere]) {
    if (folder !== '' && (await isExecutable(join(folder, file)))) return join(folder, file);
  }
  return null;
}

export const systemToolFolders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** virtiofsd is no program for users, so it is outside PATH: in Rust under libexec, in C (QEMU up to 7.2) under QEMU's own folder. */
export async function findVirtiofsd(environment: NodeJS.ProcessEnv): Promise<string | null> {
  const fromDescriptor = await virtiofsdOfDescriptor('/usr/share/qemu/vhost-user/50-virtiofsd.json');
  if (fromDescriptor) return fromDescriptor;
  return findProgram('virtiofsd', environment, ['/usr/libexec', '/usr/lib', '/usr/lib/qemu', '/usr/libexec/qemu']);
}

async function virtiofsdOfDescriptor(path: string): Promise<string | null> {
  try {
    const { binary } = z.object({ binary: z.string() }).parse(JSON.parse(await readFile(path, 'utf8')));
    return (await isExecutable(binary)) ? binary : null;
  } catch {
    return null;
  }
}

/** What is left for the store. A folder that is yet to be made has the space of its nearest existing parent. */
export async function storeSpace(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const found = await statfs(folder);
      return { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
    } catch (error) {
      if (dirname(folder) === folder) throw error;
    }
  }
}

export type StoreAccess = { modeProblem: string | null; writeProblem: string | null };

/** Whether the data folder can be written by this user and by nobody else. */
export async function checkStoreAccess(path: string): Promise<StoreAccess> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    return { modeProblem: null, writeProblem: wordsFor(error) };
  }
  const found = await stat(path);
  const open = found.mode & 0o077;
  return {
    writeProblem: null,
    modeProblem: open === 0 || process.platform === 'win32' ? null : `its mode is ${(found.mode & 0o777).toString(8)}.`,
  };
}

function wordsFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EROFS') return 'the file system is mounted read-only.';
  if (code === 'EACCES' || code === 'EPERM') return 'it belongs to another user.';
  if (code === 'ENOSPC') return 'the disk is full.';
  return `${error instanceof Error ? error.message : String(error)}.`;
}

/** Memory that this process may use: a container's limit counts, not the computer's. */
export function memory(): { memoryMiB: number; memoryFreeMiB: number } {
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const free = Math.min(total, process.availableMemory() || freemem());
  return { memoryMiB: Math.floor(total / 1024 ** 2), memoryFreeMiB: Math.floor(free / 1024 ** 2) };
}

export async function isVirtualMachine(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return /^flags\s*:.*\bhypervisor\b/m.test(text);
}

export function username(): string {
  try {
    return userInfo().username;
  } catch {
    return '$USER';
  }
}
