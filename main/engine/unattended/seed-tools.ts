/**
 * The programs that make answer discs: xorriso writes and reads ISO 9660, openssl hashes passwords as /etc/shadow has them.
 *
 * INVARIANT: no password is ever an argument or in the environment of a program (`seed-tools.test.ts`).
 */
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { moveIntoPlace } from '../files/durable.ts';
import { lastLines, runTool } from '../host/bounded-process.ts';
import { findProgram, systemToolFolders } from '../host/host-facts.ts';
import { type Component, installCommand, readSystem } from '../host/packages.ts';
import { paddingOf } from './cpio-file.ts';
import type { InstallerStart, SeedFile } from './seed-content.ts';

export type SeedTools = {
  /** SHA-512 crypt with a salt of its own. @throws Failure `seed/no-tool`, `seed/build-failed` */
  hashPassword(password: string): Promise<string>;
  /**
   * Writes an ISO 9660 disc (with the names of Rock Ridge and Joliet) for its owner only. The answers lie beside it, in a folder of 0700, only
   * while it is made. @throws Failure `seed/no-tool`, `seed/build-failed`, `store/*`
   */
  writeDisc(path: string, volumeId: string, files: readonly SeedFile[]): Promise<void>;
  /**
   * Copies an installer's kernel and first root file system out of its disc; `answers` is a cpio archive to be put behind the latter.
   * @throws Failure `seed/no-installer`, `seed/no-tool`
   */
  takeInstaller(request: InstallerRequest): Promise<void>;
};

export type InstallerRequest = {
  isoPath: string;
  places: InstallerStart['places'];
  answersPath: string | null;
  kernelPath: string;
  initrdPath: string;
  signal: AbortSignal;
};

const hashTimeoutMs = 30_000;
const discTimeoutMs = 60_000;
const takeTimeoutMs = 5 * 60_000;
/** Ubuntu's is the largest known, at about 80 MiB. */
const installerFileMaxMiB = 512;
const addressSpaceMiB = 2048;

export function createSeedTools(environment: NodeJS.ProcessEnv = process.env): SeedTools {
  const toolPath = async (name: Extract<Component, 'xorriso' | 'openssl'>): Promise<string> => {
    const path = await findProgram(name, environment, systemToolFolders);
    if (path) return path;
    const command = installCommand(name, await readSystem());
    throw new Failure('seed/no-tool', `${name} is not installed, so the answers of a new system cannot be written.`, {
      hint: command ? `Install it: ${command}` : `Install ${name}.`,
    });
  };

  /** Files of the user's own settings could make it do anything. */
  const xorriso = async (words: readonly string[], timeoutMs: number, signal?: AbortSignal, fileSizeMiB?: number) =>
    runTool(await toolPath('xorriso'), ['-no_rc', ...words], {
      timeoutMs,
      ...(signal ? { signal } : {}),
      limits: { addressSpaceMiB, ...(fileSizeMiB === undefined ? {} : { fileSizeMiB }) },
    });

  return {
    async hashPassword(password) {
      const end = await runTool(await toolPath('openssl'), ['passwd', '-6', '-stdin'], {
        timeoutMs: hashTimeoutMs,
        input: `${password}\n`,
      });
      const hash = end.stdout.trim();
      if (end.status === 0 && /^\$6\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{86}$/.test(hash)) return hash;
      throw new Failure('seed/build-failed', 'The password could not be hashed.', { detail: lastLines(end.stderr) });
    },

    async writeDisc(path, volumeId, files) {
      const [tree, arriving] = [`${path}.answers`, `${path}.arriving`];
      const clear = async () => {
        await rm(tree, { recursive: true, force: true });
        await rm(arriving, { force: true });
      };
      await clear();
      try {
        await mkdir(tree, { mode: 0o700 });
        for (const file of files) await writeFile(join(tree, file.path), file.content, { mode: 0o600 });
        // It opens the file that is there and would make one that others may read.
        await writeFile(arriving, '', { mode: 0o600 });
        const words = ['-as', 'mkisofs', '-quiet', '-V', volumeId, '-J', '-R', '-input-charset', 'utf-8', '-o', arriving, tree];
        const end = await xorriso(words, discTimeoutMs);
        if (end.status !== 0)
          throw new Failure('seed/build-failed', 'The disc with the answers could not be made.', { detail: lastLines(end.stderr) });
        await moveIntoPlace(arriving, path);
      } finally {
        await clear();
      }
    },

    async takeInstaller({ isoPath, places, answersPath, kernelPath, initrdPath, signal }) {
      for (const { kernel, initrd } of places) {
        const [kernelHalf, initrdHalf] = [`${kernelPath}.arriving`, `${initrdPath}.arriving`];
        try {
          for (const [from, to] of [
            [kernel, kernelHalf],
            [initrd, initrdHalf],
          ] as const) {
            await rm(to, { recursive: true, force: true });
            await xorriso(
              ['-osirrox', 'on', '-indev', `stdio:${isoPath}`, '-extract_single', from, to],
              takeTimeoutMs,
              signal,
              installerFileMaxMiB,
            );
            signal.throwIfAborted();
          }
          if (!(await isKernel(kernelHalf)) || !(await isPlainFile(initrdHalf))) continue;
          for (const half of [kernelHalf, initrdHalf]) await chmod(half, 0o600);
          if (answersPath !== null) await appendTo(initrdHalf, answersPath);
          await moveIntoPlace(kernelHalf, kernelPath);
          await moveIntoPlace(initrdHalf, initrdPath);
          return;
        } finally {
          for (const half of [kernelHalf, initrdHalf]) await rm(half, { recursive: true, force: true });
        }
      }
      throw new Failure(
        'seed/no-installer',
        `${isoPath} has no installer where one is expected (${places.map(({ kernel }) => kernel).join(', ')}).`,
        {
          hint: 'Use the installation medium of that system (not a live one), or answer the installer yourself.',
        },
      );
    },
  };
}

/** A disc may hold a link, a device or a folder of the name that was asked for. */
async function isPlainFile(path: string): Promise<boolean> {
  const facts = await lstat(path).catch(() => null);
  return facts?.isFile() === true && facts.size > 0;
}

/** The boot protocol of x86 (Linux: Documentation/arch/x86/boot.rst): "HdrS" at 0x202. */
async function isKernel(path: string): Promise<boolean> {
  if (!(await isPlainFile(path))) return false;
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0x202);
    return bytesRead === 4 && buffer.toString('latin1') === 'HdrS';
  } finally {
    await file.close();
  }
}

async function appendTo(path: string, addition: string): Promise<void> {
  const content = await readFile(addition);
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    const padded = Buffer.concat([paddingOf(size), content]);
    await file.write(padded, 0, padded.length, size);
    await file.sync();
  } finally {
    await file.close();
  }
}
