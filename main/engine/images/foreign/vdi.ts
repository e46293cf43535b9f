/** VirtualBox disks (VDI 1.1): a header, a map of blocks of 1 MiB, the blocks. */
import type { ByteSource } from '../byte-source.ts';
import { acceptedSize, blockContent, type DiskWindow, type ForeignDisk, type Refusal, refusal, refuse } from './foreign-disk.ts';

export type VdiHeader = {
  virtualSizeBytes: number;
  mapOffset: number;
  dataOffset: number;
  blockBytes: number;
  blocks: number;
};

const signature = 0xbeda107f;
/** The only one that VirtualBox and QEMU write. */
const blockBytes = 1024 * 1024;
const kinds = { dynamic: 1, fixed: 2 };

/** INVARIANT: never throws, whatever the bytes (`main/engine/images/foreign/foreign-headers.test.ts`). */
export function parseVdiHeader(head: Buffer): VdiHeader | Refusal {
  if (head.length < 512) return refusal('truncated', 'it ends inside its header.');
  if (head.readUInt32LE(64) !== signature) return refusal('not-an-image', 'it is no VDI.');
  if (head.readUInt32LE(68) !== 0x0001_0001) return refusal('not-an-image', 'it is a VDI of another version than 1.1.');
  const kind = head.readUInt32LE(76);
  const zeroId = (at: number) => head.subarray(at, at + 16).every((byte) => byte === 0);
  if ((kind !== kinds.dynamic && kind !== kinds.fixed) || !zeroId(0x1a8) || !zeroId(0x1b8)) {
    return refusal('outside-reference', 'it is only the difference to another disk, as a snapshot makes it, and that one is not followed.');
  }
  const size = acceptedSize(head.readBigUInt64LE(0x170));
  if (typeof size !== 'number') return size;
  const blocks = head.readUInt32LE(0x180);
  if (head.readUInt32LE(0x168) !== 512) return refusal('corrupt', 'its sectors are not of 512 bytes.');
  if (head.readUInt32LE(0x178) !== blockBytes) return refusal('not-an-image', 'its blocks are not of 1 MiB.');
  if (blocks < Math.ceil(size / blockBytes)) return refusal('corrupt', 'its map is too small for its disk.');
  return { virtualSizeBytes: size, mapOffset: head.readUInt32LE(0x154), dataOffset: head.readUInt32LE(0x158), blockBytes, blocks };
}

/** @throws Failure `image/*` naming the file. */
export async function openVdi({ source, node }: DiskWindow, fileName: string): Promise<ForeignDisk> {
  const header = parseVdiHeader(await source.read(0, 512));
  if ('refused' in header) throw refuse(fileName, header);
  if (header.mapOffset + header.blocks * 4 > source.sizeBytes)
    throw refuse(fileName, refusal('truncated', 'it ends inside its map of blocks.'));
  return {
    format: 'vdi',
    virtualSizeBytes: header.virtualSizeBytes,
    parts: [{ node: { driver: 'vdi', file: node } }],
    content: vdiContent(source, header),
    notes: [],
  };
}

function vdiContent(file: ByteSource, header: VdiHeader): ByteSource {
  return blockContent(header.virtualSizeBytes, header.blockBytes, async (index) => {
    const entry = await file.read(header.mapOffset + index * 4, 4);
    if (entry.length < 4) return null;
    const block = entry.readUInt32LE(0);
    // The two highest mean "not there" and "zeros".
    if (block >= 0xffff_fffe) return null;
    return (within, length) => file.read(header.dataOffset + block * header.blockBytes + within, length);
  });
}
