/** Keeps what disks build upon from being written to: whoever changes a base by a byte damages every disk above it. */
import { chmod } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import { toWriteFailure } from '../files/durable.ts';

const readByOwnerOnly = 0o400;

/** Takes the right to write to a base from everybody, its owner included. @throws Failure `store/not-writable`, `image/file-missing` */
export async function protectBase(path: string): Promise<void> {
  await chmod(path, readByOwnerOnly).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') throw new Failure('image/file-missing', `What a disk was to build upon is gone: ${path}.`);
    throw toWriteFailure(thrown, path);
  });
}
