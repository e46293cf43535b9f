/** Takes a file out of an archive, or a file as it is, into the store: with holes where it has zeros, hashed on the way. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import { removeFile, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { type ByteSource, fileSource, slice } from '../images/byte-source.ts';
import { demandSpace } from '../images/copy-medium.ts';
import { openMedium } from '../images/open-medium.ts';
import { qcow2HeaderBytes } from '../images/qcow2-header.ts';
import { nameBase } from '../images/qemu-img.ts';
import type { CarriedDisk } from './capsule-plan.ts';
import type { MachineDiskRef } from './machine-disk.ts';
import { carriedHeader } from './open-capsule.ts';

type CopyOptions = { keepFreeBytes: number; signal: AbortSignal; onBytes: (bytes: number) => void };

const chunkBytes = 1024 * 1024;
/** How often the free space is looked at while copying. */
const spaceCheckBytes = 64 * 1024 * 1024;

/** @throws Failure `machine/wrong-hash`, `store/full`, `store/not-writable`, or the signal's reason; then `target` may be there, unfinished */
export async function copyMember(ref: MachineDiskRef, sha256: string | null, target: string, options: CopyOptions): Promise<void> {
  const medium = await openMedium(ref.path);
  try {
    const whole = fileSource(medium.file, medium.sizeBytes);
    const source = ref.member ? slice(whole, ref.member.offset, ref.member.sizeBytes) : whole;
    const copied = await copyBytes(source, target, options);
    if (sha256 === null || copied === sha256) return;
    throw new Failure('machine/wrong-hash', `“${ref.name}” is not the file that the capsule names: its hash is another.`, {
      hint: 'It was damaged or changed on the way. Download or copy the capsule again.',
      path: 'path',
    });
  } finally {
    await medium.file.close();
  }
}

type CarriedCopy = { ref: MachineDiskRef; carried: CarriedDisk; target: string; layout: Pick<Layout, 'layer'>; qemuImg: string };

/**
 * Copies a disk of a capsule as it is and has it name what it builds upon as the store does. `target` lies as deep as a layer, so that the
 * name is right there as well.
 * @throws Failure as {@link copyMember}, `image/*`
 */
export async function copyCarriedDisk({ ref, carried, target, layout, qemuImg }: CarriedCopy, options: CopyOptions): Promise<void> {
  await copyMember(ref, carried.sha256, target, options);
  // The copy is what will be used, so the copy is what must be harmless.
  const copy = await open(target, 'r');
  try {
    const source = fileSource(copy, (await copy.stat()).size);
    carriedHeader(await source.read(0, qcow2HeaderBytes), source.sizeBytes, ref.name, carried.base?.name ?? null);
  } finally {
    await copy.close();
  }
  if (carried.base) await nameBase(qemuImg, target, { path: layout.layer(carried.base.id), format: 'qcow2' });
}

/** @returns the SHA-256 of what was read */
async function copyBytes(source: ByteSource, target: string, { keepFreeBytes, signal, onBytes }: CopyOptions): Promise<string> {
  const hash = createHash('sha256');
  const zeros = Buffer.alloc(chunkBytes);
  await removeFile(target);
  const file = await open(target, 'w', 0o600).catch((thrown: unknown) => {
    throw toWriteFailure(thrown, target);
  });
  try {
    let unchecked = 0;
    for (let at = 0; at < source.sizeBytes; ) {
      signal.throwIfAborted();
      const bytes = await source.read(at, chunkBytes);
      if (bytes.length === 0) break;
      hash.update(bytes);
      if (!bytes.equals(zeros.subarray(0, bytes.length))) {
        for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
        unchecked += bytes.length;
      }
      if (unchecked >= spaceCheckBytes) {
        unchecked = 0;
        await demandSpace(target, 0, keepFreeBytes);
      }
      at += bytes.length;
      onBytes(bytes.length);
    }
    await file.truncate(source.sizeBytes);
    await file.sync();
    return hash.digest('hex');
  } catch (thrown) {
    if (thrown instanceof Failure || signal.aborted) throw thrown;
    throw toWriteFailure(thrown, target);
  } finally {
    await file.close();
  }
}
