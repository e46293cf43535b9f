/** Keeps what disks build upon from being written to: whoever changes a base by a byte damages every disk above it. */
import { chmod } from 'node:fs/promises';
import { toWriteFailure } from '../files/durable.ts';

const readByOwnerOnly = 0o400;

/** Takes the right to write to a base from everybody, its owner included. @throws Failure `store/not-writable` */
export async function protectBase(path: string): Promise<void> {
  await chmod(path, readByOwnerOnly).catch((thrown: unknown) => {
    throw toWriteFailure(thrown, path);
  });
}
