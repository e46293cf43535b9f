/** Hyper-V disks (MS-VHDX): two headers, a table of regions, of which one holds what the disk is and one where its blocks lie. */
import type { ByteSource } from '../byte-source.ts';
import { acceptedSize, blockContent, type DiskWindow, type ForeignDisk, type Refusal, refusal, refuse } from './foreign-disk.ts';

const kib = 1024;
const regionTableOffset = 192 * kib;
const regionTableBytes = 64 * kib;
/** Ids as they lie on the disk: the first three groups of a GUID are little-endian. */
const ids = {
  blockTable: '6677c22d23f600429d64115e9bfd4a08',
  metadata: '06a27c8b90479a4bb8fe575f050f886e',
  fileParameters: '3767a1ca36fa434db3b633f0aa44e76b',
  virtualSize: '2442a52f1bcd7648b2115dbed83bf4b8',
  sectorSize: '1dbf41816fa90947ba47f233a8faab5f',
};

export type VhdxLayout = { virtualSizeBytes: number; blockBytes: number; sectorBytes: number; tableOffset: number };

/** @throws Failure `image/*` naming the file. */
export async function openVhdx({ source, node }: DiskWindow, fileName: string): Promise<ForeignDisk> {
  const layout = await readVhdxLayout(source);
  if ('refused' in layout) throw refuse(fileName, layout);
  return {
    format: 'vhdx',
    virtualSizeBytes: layout.virtualSizeBytes,
    parts: [{ node: { driver: 'vhdx', file: node } }],
    content: vhdxContent(source, layout),
    notes: [],
  };
}

/** INVARIANT: never throws, whatever the bytes (`main/engine/images/foreign/foreign-headers.test.ts`). */
export async function readVhdxLayout(source: ByteSource): Promise<VhdxLayout | Refusal> {
  const logged = await hasLog(source);
  if (logged !== false) return logged;
  const regions = await source.read(regionTableOffset, regionTableBytes);
  if (regions.length < regionTableBytes) return refusal('truncated', 'it ends before its table of regions.');
  if (regions.toString('latin1', 0, 4) !== 'regi') return refusal('corrupt', 'its table of regions is damaged.');
  let tableOffset: number | null = null;
  let metadataOffset: number | null = null;
  for (let index = 0; index < Math.min(regions.readUInt32LE(8), 2047); index++) {
    const at = 16 + index * 32;
    const id = regions.toString('hex', at, at + 16);
    const offset = regions.readBigUInt64LE(at + 16);
    if (offset > BigInt(source.sizeBytes)) return refusal('truncated', 'one of its regions lies behind its end.');
    if (id === ids.blockTable) tableOffset = Number(offset);
    else if (id === ids.metadata) metadataOffset = Number(offset);
  }
  if (tableOffset === null || metadataOffset === null) return refusal('corrupt', 'it does not say where its blocks are.');
  return readMetadata(source, metadataOffset, tableOffset);
}

/** A disk that was not closed keeps its last changes in a log. They are not applied here, and without them the disk is not what it was. */
async function hasLog(source: ByteSource): Promise<false | Refusal> {
  const headers = [await source.read(64 * kib, 4 * kib), await source.read(128 * kib, 4 * kib)].filter(
    (header) => header.length === 4 * kib && header.toString('latin1', 0, 4) === 'head',
  );
  const [first, second] = headers;
  if (!first) return refusal('corrupt', 'both of its headers are damaged.');
  const current = second && second.readBigUInt64LE(8) > first.readBigUInt64LE(8) ? second : first;
  if (current.subarray(48, 64).every((byte) => byte === 0)) return false;
  return refusal(
    'corrupt',
    'it was not closed after its last use, so its newest changes are not yet in their place. Start and shut down its machine once.',
  );
}

async function readMetadata(source: ByteSource, offset: number, tableOffset: number): Promise<VhdxLayout | Refusal> {
  const table = await source.read(offset, 64 * kib);
  if (table.length < 64 * kib || table.toString('latin1', 0, 8) !== 'metadata') return refusal('corrupt', 'its description is damaged.');
  const items = new Map<string, Buffer>();
  for (let index = 0; index < Math.min(table.readUInt16LE(10), 2047); index++) {
    const at = 32 + index * 32;
    const id = table.toString('hex', at, at + 16);
    items.set(id, await source.read(offset + table.readUInt32LE(at + 16), Math.min(table.readUInt32LE(at + 20), 16)));
  }
  const parameters = items.get(ids.fileParameters);
  const sizes = items.get(ids.virtualSize);
  const sectors = items.get(ids.sectorSize);
  if (!parameters || parameters.length < 8 || !sizes || sizes.length < 8 || !sectors || sectors.length < 4) {
    return refusal('corrupt', 'its description is incomplete.');
  }
  if ((parameters.readUInt32LE(4) & 2) !== 0)
    return refusal('outside-reference', 'it is only the difference to another disk, which is not followed.');
  const virtualSizeBytes = acceptedSize(sizes.readBigUInt64LE(0));
  if (typeof virtualSizeBytes !== 'number') return virtualSizeBytes;
  const blockBytes = parameters.readUInt32LE(0);
  const sectorBytes = sectors.readUInt32LE(0);
  if (sectorBytes !== 512 && sectorBytes !== 4096) return refusal('corrupt', `its sectors are said to have ${sectorBytes} bytes.`);
  if (blockBytes < 1024 ** 2 || blockBytes > 256 * 1024 ** 2 || (blockBytes & (blockBytes - 1)) !== 0) {
    return refusal('corrupt', `its blocks are said to have ${blockBytes} bytes.`);
  }
  return { virtualSizeBytes, blockBytes, sectorBytes, tableOffset };
}

const fullyPresent = 6;

function vhdxContent(file: ByteSource, { virtualSizeBytes, blockBytes, sectorBytes, tableOffset }: VhdxLayout): ByteSource {
  // After so many blocks the table has an entry for a bitmap, which only differences use.
  const blocksAChunk = (2 ** 23 * sectorBytes) / blockBytes;
  return blockContent(virtualSizeBytes, blockBytes, async (index) => {
    const entry = await file.read(tableOffset + (index + Math.floor(index / blocksAChunk)) * 8, 8);
    if (entry.length < 8) return null;
    const value = entry.readBigUInt64LE(0);
    if (Number(value & 7n) !== fullyPresent) return null;
    const start = (value >> 20n) * 1024n ** 2n;
    if (start > BigInt(file.sizeBytes)) return null;
    return (within, length) => file.read(Number(start) + within, length);
  });
}
