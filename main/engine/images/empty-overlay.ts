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
import { toWriteFailure } from '../files/durable.ts';
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

/**
 * Makes an empty qcow2 file that builds upon `base`, as large as a guest sees that; the base is not opened. Not durable: that is up to who
 * gives the file its name.
 * @throws Failure `store/full` or `store/not-writable`
 */
export async function createOverlay(path: string, base: DiskLink, sizeBytes: number): Promise<void> {
  const { head, l1Clusters } = buildHead(path, base, sizeBytes);
  const clusterCount = 3 + l1Clusters;
  const table = Buffer.alloc(8);
  table.writeBigUInt64BE(BigInt(2 * clusterBytes));
  const block = Buffer.alloc(2 * clusterCount);
  for (let cluster = 0; cluster < clusterCount; cluster++) block.writeUInt16BE(1, 2 * cluster);
  try {
    const file = await open(path, 'w', 0o600);
    try {
      await file.write(head, 0, head.length, 0);
      await file.write(table, 0, table.length, clusterBytes);
      await file.write(block, 0, block.length, 2 * clusterBytes);
      await file.truncate(clusterCount * clusterBytes);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw toWriteFailure(thrown, path);
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
