/** Makes the folders of a data root and finds out at once whether they can be written, instead of at the first guest. */
import { chmodSync, closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { Layout } from './layout.ts';
import { makePrivateFolder } from './private-folder.ts';

/** @throws Failure `store/not-writable`, `store/full` */
export function prepareDataFolders(layout: Layout): void {
  try {
    for (const folder of [
      layout.home,
      layout.run,
      layout.logs,
      layout.images,
      layout.layers,
      layout.guests,
      layout.trash,
      layout.downloads,
      layout.cache,
    ])
      makePrivateFolder(folder);
    // Whoever can enter `run` can talk to guests; a folder that was there before may be open to others.
    chmodSync(layout.run, 0o700);
    writeProbe(layout.home);
    writeProbe(layout.run);
  } catch (thrown) {
    throw toFolderFailure(thrown, layout.home);
  }
}

function writeProbe(folder: string): void {
  if (!statSync(folder).isDirectory()) throw Object.assign(new Error(`${folder} is not a folder`), { code: 'ENOTDIR' });
  const probe = mkdtempSync(join(folder, '.probe-'));
  try {
    const file = openSync(join(probe, 'file'), 'w', 0o600);
    try {
      writeSync(file, Buffer.alloc(64 * 1024));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

function toFolderFailure(thrown: unknown, home: string): unknown {
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure('store/full', `There is no room left for the data folder ${home}.`, {
      hint: 'Free some space there, or choose another folder with GUESTHOUSE_HOME.',
      detail,
    });
  }
  if (code === 'EROFS') {
    return new Failure('store/not-writable', `The data folder ${home} is on a read-only file system.`, {
      hint: 'Mount it writable, or choose another folder with GUESTHOUSE_HOME.',
      detail,
    });
  }
  if (['EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ELOOP', 'EIO'].includes(code)) {
    return new Failure('store/not-writable', `The data folder ${home} cannot be written.`, {
      hint: 'Check that it is a folder and belongs to you, or choose another one with GUESTHOUSE_HOME.',
      detail,
    });
  }
  return thrown;
}
