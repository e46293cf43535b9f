/** What a snapshot keeps of a guest besides its disks: NVRAM, TPM, memory, a picture. Each file is whole and durable before it counts. */
import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeFile, shareFile, syncFile, syncFolder, toWriteFailure } from '../files/durable.ts';
import type { GuestFiles, KeptState } from '../files/layout.ts';

/** Copies the firmware's variables and the TPM's state. Answers which of them the guest has. */
export async function keepFirmware(files: GuestFiles, kept: KeptState): Promise<{ nvram: boolean; tpm: boolean }> {
  try {
    await mkdir(kept.folder, { recursive: true, mode: 0o700 });
    const nvram = existsSync(files.nvram);
    const tpm = existsSync(files.tpmState);
    if (nvram) await copyWhole(files.nvram, kept.nvram);
    if (tpm) await copyFolder(files.tpmState, kept.tpmState);
    await syncFolder(kept.folder);
    await syncFolder(dirname(kept.folder));
    return { nvram, tpm };
  } catch (thrown) {
    throw toWriteFailure(thrown, kept.folder);
  }
}

/** Keeps the memory of a guest that is suspended to disk. The file is never changed in place, so a second name is as good as a copy. */
export async function keepMemory(files: GuestFiles, kept: KeptState): Promise<void> {
  await shareFile(files.suspended, kept.memory);
  await syncFolder(kept.folder);
}

/** A picture is nice to have: none is no failure. */
export async function keepThumbnail(files: GuestFiles, kept: KeptState): Promise<void> {
  await mkdir(kept.folder, { recursive: true, mode: 0o700 });
  await copyFile(files.lastFrame, kept.thumbnail, constants.COPYFILE_FICLONE).catch(() => {});
}

/** Puts what a snapshot kept where {@link placeState} takes it from. */
export async function stageState(
  from: KeptState,
  staged: KeptState,
  has: { nvram: boolean; tpm: boolean; memory: boolean },
): Promise<void> {
  try {
    await rm(staged.folder, { recursive: true, force: true });
    await mkdir(staged.folder, { recursive: true, mode: 0o700 });
    if (has.nvram) await copyWhole(from.nvram, staged.nvram);
    if (has.tpm) await copyFolder(from.tpmState, staged.tpmState);
    if (has.memory) await shareFile(from.memory, staged.memory);
    if (existsSync(from.thumbnail)) await copyFile(from.thumbnail, staged.thumbnail);
    await syncFolder(staged.folder);
    await syncFolder(dirname(staged.folder));
  } catch (thrown) {
    throw toWriteFailure(thrown, staged.folder);
  }
}

/** Gives the guest what was staged, and takes from it what the snapshot did not have. Idempotent, from any point of itself. */
export async function placeState(
  staged: KeptState,
  files: GuestFiles,
  has: { nvram: boolean; tpm: boolean; memory: boolean },
): Promise<void> {
  if (existsSync(staged.nvram)) await rename(staged.nvram, files.nvram);
  else if (!has.nvram) await removeFile(files.nvram);
  if (existsSync(staged.tpmState)) {
    await rm(files.tpmState, { recursive: true, force: true });
    await rename(staged.tpmState, files.tpmState);
  } else if (!has.tpm) await rm(files.tpmState, { recursive: true, force: true });
  if (existsSync(staged.memory)) await rename(staged.memory, files.suspended);
  if (existsSync(staged.thumbnail)) await rename(staged.thumbnail, files.lastFrame);
  await syncFolder(files.folder);
}

/** Which of the files that a snapshot says it has are not there. */
export function missingState(kept: KeptState, has: { nvram: boolean; tpm: boolean; memory: boolean }): string[] {
  const wanted = [has.nvram ? kept.nvram : null, has.tpm ? kept.tpmState : null, has.memory ? kept.memory : null];
  return wanted.filter((path) => path !== null && !existsSync(path)) as string[];
}

async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, 0o600);
  await syncFile(to);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    // A TPM keeps its state in plain files; a lock file that it holds is its own.
    if (entry.isFile() && entry.name !== '.lock') await copyWhole(join(from, entry.name), join(to, entry.name));
  }
  await syncFolder(to);
}
