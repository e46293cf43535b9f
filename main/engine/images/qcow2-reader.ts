/**
 * Reads the disk inside a qcow2 file, read-only and bounded, so that partitions and labels can be looked at without starting QEMU. Only for
 * files whose header passed `qcow2-header.ts` and names no other file.
 */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import type { Qcow2Header } from './qcow2-header.ts';

const inflateRaw = promisify(zlib.inflateRaw);

const offsetMask = 0x00ff_ffff_ffff_fe00n;
const compressedBit = 1n << 62n;
/** How many second-level tables are kept: looking at a partition table and a few labels touches that many. */
const tablesKept = 16;

/** The disk as bytes; clusters that cannot be read (damaged, out of the file, of unknown compression) read as zeros. Null when not understood. */
export function qcow2Disk(file: ByteSource, header: Qcow2Header): ByteSource | null {
  if (header.extendedL2 || header.externalData || header.backingFile !== null || header.encryption !== 'none') return null;
  const clusterBytes = 2 ** header.clusterBits;
  const entriesPerTable = clusterBytes / 8;
  const tables = new Map<number, Buffer>();

  const tableAt = async (offset: number): Promise<Buffer> => {
    const kept = tables.get(offset);
    if (kept) return kept;
    const table = await file.read(offset, clusterBytes);
    const [oldest] = tables.keys();
    if (tables.size >= tablesKept && oldest !== undefined) tables.delete(oldest);
    tables.set(offset, table);
    return table;
  };

  const entryFor = async (cluster: number): Promise<bigint> => {
    const l1Index = Math.floor(cluster / entriesPerTable);
    if (l1Index >= header.l1Entries) return 0n;
    const l1Entry = await file.read(header.l1Offset + l1Index * 8, 8);
    if (l1Entry.length < 8) return 0n;
    const tableOffset = l1Entry.readBigUInt64BE(0) & offsetMask;
    if (tableOffset === 0n || tableOffset > BigInt(file.sizeBytes)) return 0n;
    const table = await tableAt(Number(tableOffset));
    const at = (cluster % entriesPerTable) * 8;
    return at + 8 <= table.length ? table.readBigUInt64BE(at) : 0n;
  };

  const readCluster = async (cluster: number): Promise<Buffer | null> => {
    const entry = await entryFor(cluster);
    if ((entry & compressedBit) !== 0n) return readCompressed(file, header, entry);
    const readsAsZeros = header.version === 3 && (entry & 1n) !== 0n;
    const offset = entry & offsetMask;
    if (readsAsZeros || offset === 0n || offset > BigInt(file.sizeBytes)) return null;
    return file.read(Number(offset), clusterBytes);
  };

  return {
    sizeBytes: header.virtualSizeBytes,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, 4 * 1024 * 1024, header.virtualSizeBytes - offset));
      const result = Buffer.alloc(wanted);
      for (let done = 0; done < wanted; ) {
        const position = offset + done;
        const within = position % clusterBytes;
        const part = Math.min(clusterBytes - within, wanted - done);
        const content = await readCluster(Math.floor(position / clusterBytes));
        content?.copy(result, done, within, within + part);
        done += part;
      }
      return result;
    },
  };
}

/** A compressed cluster: offset in the low bits, then the count of further 512-byte sectors that it touches. */
async function readCompressed(file: ByteSource, header: Qcow2Header, entry: bigint): Promise<Buffer | null> {
  const clusterBytes = 2 ** header.clusterBits;
  const offsetBits = BigInt(62 - (header.clusterBits - 8));
  const offset = entry & ((1n << offsetBits) - 1n);
  const sectors = (entry & (compressedBit - 1n)) >> offsetBits;
  if (offset > BigInt(file.sizeBytes)) return null;
  const packed = await file.read(Number(offset), Number(sectors + 1n) * 512 - Number(offset & 511n));
  try {
    if (header.compression === 'zlib') {
      return await inflateRaw(packed, { maxOutputLength: clusterBytes, finishFlush: zlib.constants.Z_SYNC_FLUSH });
    }
    return await unpackZstandard(packed, clusterBytes);
  } catch {
    return null;
  }
}

/** What is behind the packed bytes up to the end of their sector belongs to others, so reading stops when the cluster is full. */
function unpackZstandard(packed: Buffer, clusterBytes: number): Promise<Buffer | null> {
  // Node got Zstandard in 22.15; without it such a disk is only less well recognised.
  if (typeof zlib.createZstdDecompress !== 'function') return Promise.resolve(null);
  return new Promise((resolve) => {
    const stream = zlib.createZstdDecompress();
    const parts: Buffer[] = [];
    let total = 0;
    const finish = () => {
      resolve(total >= clusterBytes ? Buffer.concat(parts).subarray(0, clusterBytes) : null);
      stream.destroy();
    };
    stream.on('data', (part: Buffer) => {
      parts.push(part);
      total += part.length;
      if (total >= clusterBytes) finish();
    });
    stream.on('error', finish);
    stream.on('end', finish);
    stream.end(packed);
  });
}
