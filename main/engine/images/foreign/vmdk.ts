/**
 * VMware disks (VMDK): one sparse file with its description inside, a description beside flat or split files, or a stream of packed grains.
 * QEMU is given the pieces one by one and never the description.
 */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { type ByteSource, slice } from '../byte-source.ts';
import {
  acceptedSize,
  blockContent,
  type DiskPart,
  type DiskWindow,
  type ForeignDisk,
  joined,
  type OpenSibling,
  type QemuNode,
  type Refusal,
  refusal,
  refuse,
} from './foreign-disk.ts';
import { descriptorMaxBytes, parseVmdkDescriptor, type VmdkExtent } from './vmdk-descriptor.ts';

const inflateGrain = promisify(inflate);

export type SparseHeader = {
  capacitySectors: number;
  grainSectors: number;
  tableEntries: number;
  directorySector: number;
  /** The directory is at the end, where a second header says it. */
  atEnd: boolean;
  packed: boolean;
  descriptorSector: number;
  descriptorSectors: number;
};

const sectorBytes = 512;
const atEndMark = 0xffff_ffff_ffff_ffffn;
/** Tables kept while a disk is looked into. */
const tablesKept = 16;

/** INVARIANT: never throws, whatever the bytes (`main/engine/images/foreign/foreign-headers.test.ts`). */
export function parseSparseHeader(head: Buffer): SparseHeader | Refusal {
  if (head.length < sectorBytes) return refusal('truncated', 'it ends inside its header.');
  if (head.toString('latin1', 0, 4) !== 'KDMV') return refusal('not-an-image', 'it is no sparse VMware disk.');
  const version = head.readUInt32LE(4);
  if (version < 1 || version > 3) return refusal('not-an-image', `it is a VMware disk of version ${version}; 1 to 3 are understood.`);
  const flags = head.readUInt32LE(8);
  const capacity = head.readBigUInt64LE(12);
  // QEMU takes a disk without a size for a mere description, and opens the files that it names.
  const size = acceptedSize(capacity * 512n);
  if (typeof size !== 'number') return size;
  const grain = head.readBigUInt64LE(20);
  if (grain < 8n || grain > 2048n || (grain & (grain - 1n)) !== 0n)
    return refusal('corrupt', `its grains are said to have ${grain} sectors.`);
  const tableEntries = head.readUInt32LE(44);
  if (tableEntries < 1 || tableEntries > 512) return refusal('corrupt', `its tables are said to have ${tableEntries} entries.`);
  const directory = head.readBigUInt64LE(56);
  const descriptor = head.readBigUInt64LE(28);
  const descriptorLength = head.readBigUInt64LE(36);
  if (descriptor > 2n ** 40n || descriptorLength > 2n ** 20n) return refusal('corrupt', 'its description lies outside of it.');
  if (directory !== atEndMark && directory > 2n ** 40n) return refusal('corrupt', 'its directory lies outside of it.');
  const packing = head.readUInt16LE(77);
  if (packing > 1) return refusal('not-an-image', 'its grains are packed in a way that is not known.');
  return {
    capacitySectors: size / 512,
    grainSectors: Number(grain),
    tableEntries,
    directorySector: directory === atEndMark ? 0 : Number(directory),
    atEnd: directory === atEndMark,
    packed: packing === 1 && (flags & 0x1_0000) !== 0,
    descriptorSector: Number(descriptor),
    descriptorSectors: Number(descriptorLength),
  };
}

/** @throws Failure `image/*` naming the file. */
export async function openVmdk(window: DiskWindow, fileName: string, sibling: OpenSibling): Promise<ForeignDisk> {
  const head = await window.source.read(0, 4);
  if (head.toString('latin1') === 'COWD') {
    throw refuse(fileName, refusal('not-an-image', 'it is a disk of VMware’s old server format (COWD). Export it from there as OVA.'));
  }
  return head.toString('latin1') === 'KDMV' ? openSingle(window, fileName) : openDescribed(window, fileName, sibling);
}

async function openSingle(window: DiskWindow, fileName: string): Promise<ForeignDisk> {
  const extent = await openSparse(window, fileName);
  const { header } = extent;
  const notes = header.packed ? ['Its blocks are packed, as they are for transport; the copy is not.'] : [];
  if (header.descriptorSector > 0 && header.descriptorSectors > 0) {
    const bytes = await window.source.read(
      header.descriptorSector * sectorBytes,
      Math.min(header.descriptorSectors * sectorBytes, descriptorMaxBytes),
    );
    const descriptor = parseVmdkDescriptor(textOf(bytes));
    if ('refused' in descriptor) throw refuse(fileName, descriptor);
    if (descriptor.extents.length !== 1)
      throw refuse(fileName, refusal('truncated', 'it is one of several files that belong together. Choose the one that describes them.'));
  }
  return {
    format: 'vmdk',
    virtualSizeBytes: header.capacitySectors * sectorBytes,
    parts: [{ node: extent.node }],
    content: extent.content,
    notes,
  };
}

async function openDescribed(window: DiskWindow, fileName: string, sibling: OpenSibling): Promise<ForeignDisk> {
  if (window.source.sizeBytes > descriptorMaxBytes) throw refuse(fileName, refusal('corrupt', 'its description is too long.'));
  const descriptor = parseVmdkDescriptor(textOf(await window.source.read(0, descriptorMaxBytes)));
  if ('refused' in descriptor) throw refuse(fileName, descriptor);
  const sizeBytes = acceptedSize(BigInt(descriptor.extents.reduce((sum, extent) => sum + extent.sectors, 0)) * 512n);
  if (typeof sizeBytes !== 'number') throw refuse(fileName, sizeBytes);
  const pieces = [];
  for (const extent of descriptor.extents) pieces.push(await openExtent(extent, fileName, sibling));
  const files = new Set(descriptor.extents.flatMap((extent) => (extent.type === 'zero' ? [] : [extent.file])));
  return {
    format: 'vmdk',
    virtualSizeBytes: sizeBytes,
    parts: pieces.map((piece) => piece.part),
    content: joined(pieces.map((piece) => piece.content)),
    notes: files.size === 1 ? [`Its data are in ${[...files][0]}.`] : [`Its data are in ${files.size} files beside it.`],
  };
}

async function openExtent(extent: VmdkExtent, fileName: string, sibling: OpenSibling): Promise<{ part: DiskPart; content: ByteSource }> {
  const sizeBytes = extent.sectors * sectorBytes;
  if (extent.type === 'zero') {
    return {
      part: { node: { driver: 'null-co', size: sizeBytes, 'read-zeroes': true } },
      content: { sizeBytes, read: async (offset, length) => Buffer.alloc(Math.max(0, Math.min(length, sizeBytes - offset))) },
    };
  }
  const window = await sibling(extent.file);
  if (extent.type === 'flat') {
    const offset = extent.offsetSectors * sectorBytes;
    if (offset + sizeBytes > window.source.sizeBytes) {
      throw refuse(fileName, refusal('truncated', `${extent.file}, which holds its data, is cut short.`));
    }
    return {
      part: { node: { driver: 'raw', offset, size: sizeBytes, file: window.node } },
      content: slice(window.source, offset, sizeBytes),
    };
  }
  const { header, content } = await openSparse(window, extent.file);
  if (header.capacitySectors !== extent.sectors) {
    throw refuse(fileName, refusal('corrupt', `${extent.file} has another size than its description says.`));
  }
  const { filename } = window.node;
  if (typeof filename !== 'string')
    throw refuse(fileName, refusal('not-an-image', 'it is split into several files inside an archive. Unpack that first.'));
  return { part: { splitPiece: { filename, sectors: extent.sectors } }, content };
}

async function openSparse(
  { source, node }: DiskWindow,
  fileName: string,
): Promise<{ header: SparseHeader; node: QemuNode; content: ByteSource }> {
  let header = parseSparseHeader(await source.read(0, sectorBytes));
  if (!('refused' in header) && header.atEnd) {
    // The last three sectors: a marker, the header that counts, and the mark of the end.
    const first = header;
    header = parseSparseHeader(await source.read(Math.max(0, source.sizeBytes - 2 * sectorBytes), sectorBytes));
    if ('refused' in header || header.atEnd || header.capacitySectors !== first.capacitySectors) {
      throw refuse(fileName, refusal('truncated', 'it ends before the table that says where its data are.'));
    }
  }
  if ('refused' in header) throw refuse(fileName, header);
  const tables = Math.ceil(header.capacitySectors / (header.grainSectors * header.tableEntries));
  if (header.directorySector * sectorBytes + tables * 4 > source.sizeBytes) {
    throw refuse(fileName, refusal('truncated', 'it ends before the tables that say where its data are.'));
  }
  return { header, node: { driver: 'vmdk', backing: null, file: node }, content: sparseContent(source, header) };
}

function sparseContent(file: ByteSource, header: SparseHeader): ByteSource {
  const grainBytes = header.grainSectors * sectorBytes;
  const tables = new Map<number, Buffer>();
  const tableAt = async (index: number): Promise<Buffer | null> => {
    const kept = tables.get(index);
    if (kept) return kept;
    const entry = await file.read(header.directorySector * sectorBytes + index * 4, 4);
    if (entry.length < 4 || entry.readUInt32LE(0) === 0) return null;
    const table = await file.read(entry.readUInt32LE(0) * sectorBytes, header.tableEntries * 4);
    const [oldest] = tables.keys();
    if (tables.size >= tablesKept && oldest !== undefined) tables.delete(oldest);
    tables.set(index, table);
    return table;
  };
  return blockContent(header.capacitySectors * sectorBytes, grainBytes, async (index) => {
    const table = await tableAt(Math.floor(index / header.tableEntries));
    const at = (index % header.tableEntries) * 4;
    // 0 is not there, 1 is all zeros.
    const sector = table && at + 4 <= table.length ? table.readUInt32LE(at) : 0;
    if (sector < 2) return null;
    if (!header.packed) return (within, length) => file.read(sector * sectorBytes + within, length);
    const grain = await readPackedGrain(file, sector * sectorBytes, grainBytes);
    return grain && (async (within, length) => grain.subarray(within, within + length));
  });
}

/** Sector and length, then a zlib stream. */
async function readPackedGrain(file: ByteSource, offset: number, grainBytes: number): Promise<Buffer | null> {
  const marker = await file.read(offset, 12);
  if (marker.length < 12) return null;
  const packedBytes = Math.min(marker.readUInt32LE(8), 2 * grainBytes + 1024);
  try {
    return await inflateGrain(await file.read(offset + 12, packedBytes), { maxOutputLength: grainBytes });
  } catch {
    return null;
  }
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
