/**
 * Writes a qcow2 file that builds upon another and holds nothing yet. A clone and a snapshot wait for little else, and starting qemu-img for
 * it took most of their time.
 *
 * ```
 *   cluster 0: header, its extensions, the base's name │ 1: refcount table │ 2: refcount block │ 3 …: first table, all zeros
 * ```
 * https://www.qemu.org/docs/master/interop/qcow2.html
 */
import { open } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import { moveIntoPlace, removeFile, toWriteFailure } from '../files/durable.ts';
import { baseNameFor, type DiskLink } from '../layers/disk-chain.ts';

const clusterBits = 16;
const clusterBytes = 2 ** clusterBits;
/** What an entry of the first table stands for: a table of one cluster with eight bytes a cluster. */
const bytesAnL1Entry = clusterBytes * (clusterBytes / 8);
/** Of the version 3 header, with the type of compression. */
const headerBytes = 112;
const baseFormatExtension = 0xe2792aca;
/** Refcounts have 16 bits, of which one cluster holds this many. */
const clustersABlock = clusterBytes / 2;
/** QEMU accepts no longer name. */
const nameMaxBytes = 1023;

/** What a disk is called until it is whole; what an engine that died left of it is written anew, or removed. */
export const arrivingOf = (path: string): string => `${path}.arriving`;

/**
 * Makes an empty qcow2 file that builds upon `base`, as large as a guest sees that; the base is not opened. The file is durable, in place of one
 * that has the name already.
 *
 * INVARIANT: an overlay has its name when it is whole and not before, wherever the engine is killed: who finds a half one cannot tell it from a
 * disk that something was written to (`empty-overlay.test.ts`).
 * @throws Failure `store/full` or `store/not-writable`
 */
export async function createOverlay(path: string, base: DiskLink, sizeBytes: number): Promise<void> {
  const arriving = arrivingOf(path);
  try {
    await write(arriving, base, sizeBytes);
    await moveIntoPlace(arriving, path);
  } catch (thrown) {
    await removeFile(arriving).catch(() => {});
    throw toWriteFailure(thrown, path);
  }
}

/** Removes an overlay, however much of it was made. */
export async function removeOverlay(path: string): Promise<void> {
  await removeFile(arrivingOf(path));
  await removeFile(path);
}

/** As {@link createOverlay}, at once under a name that stands for nothing yet: half there after a kill, and not durable. */
export async function writeOverlay(path: string, base: DiskLink, sizeBytes: number): Promise<void> {
  try {
    await write(path, base, sizeBytes);
  } catch (thrown) {
    throw toWriteFailure(thrown, path);
  }
}

async function write(path: string, base: DiskLink, sizeBytes: number): Promise<void> {
  const { head, l1Clusters } = buildHead(path, base, sizeBytes);
  const clusterCount = 3 + l1Clusters;
  const table = Buffer.alloc(8);
  table.writeBigUInt64BE(BigInt(2 * clusterBytes));
  const block = Buffer.alloc(2 * clusterCount);
  for (let cluster = 0; cluster < clusterCount; cluster++) block.writeUInt16BE(1, 2 * cluster);
  const file = await open(path, 'w', 0o600);
  try {
    await file.write(head, 0, head.length, 0);
    await file.write(table, 0, table.length, clusterBytes);
    await file.write(block, 0, block.length, 2 * clusterBytes);
    await file.truncate(clusterCount * clusterBytes);
  } finally {
    await file.close();
  }
}

function buildHead(path: string, base: DiskLink, sizeBytes: number): { head: Buffer; l1Clusters: number } {
  const name = Buffer.from(baseNameFor(path, base.path));
  const l1Entries = Math.ceil(sizeBytes / bytesAnL1Entry);
  const l1Clusters = Math.ceil((8 * l1Entries) / clusterBytes);
  if (name.length > nameMaxBytes || 3 + l1Clusters > clustersABlock) {
    throw new Failure('store/not-writable', `A disk of ${sizeBytes} bytes upon ${base.path} cannot be made.`);
  }
  const format = Buffer.from(base.format);
  const nameOffset = headerBytes + 8 + roundUp(format.length, 8) + 8;
  const head = Buffer.alloc(nameOffset + name.length);
  head.write('QFI\xfb', 0, 'latin1');
  head.writeUInt32BE(3, 4);
  head.writeBigUInt64BE(BigInt(nameOffset), 8);
  head.writeUInt32BE(name.length, 16);
  head.writeUInt32BE(clusterBits, 20);
  head.writeBigUInt64BE(BigInt(sizeBytes), 24);
  head.writeUInt32BE(l1Entries, 36);
  head.writeBigUInt64BE(BigInt(3 * clusterBytes), 40);
  head.writeBigUInt64BE(BigInt(clusterBytes), 48);
  head.writeUInt32BE(1, 56);
  // 2 to the power of this many bits a refcount.
  head.writeUInt32BE(4, 96);
  head.writeUInt32BE(headerBytes, 100);
  head.writeUInt32BE(baseFormatExtension, headerBytes);
  head.writeUInt32BE(format.length, headerBytes + 4);
  format.copy(head, headerBytes + 8);
  // What follows the last extension is left zero, which ends them.
  name.copy(head, nameOffset);
  return { head, l1Clusters };
}

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;
