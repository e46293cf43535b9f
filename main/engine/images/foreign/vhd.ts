/** Virtual PC disks (VHD): fixed ones are the disk and a footer; dynamic ones have a table of blocks, each behind a bitmap. */
import { type ByteSource, slice } from '../byte-source.ts';
import { acceptedSize, blockContent, type DiskWindow, type ForeignDisk, type Refusal, refusal, refuse } from './foreign-disk.ts';

export type VhdFooter = { kind: 'fixed' | 'dynamic'; virtualSizeBytes: number; headerOffset: number };

const footerBytes = 512;

/** INVARIANT: never throws, whatever the bytes (`main/engine/images/foreign/foreign-headers.test.ts`). */
export function parseVhdFooter(footer: Buffer): VhdFooter | Refusal {
  if (footer.length < footerBytes) return refusal('truncated', 'it is shorter than its footer.');
  if (footer.toString('latin1', 0, 8) !== 'conectix') return refusal('not-an-image', 'it is no VHD.');
  const type = footer.readUInt32BE(60);
  if (type === 4) return refusal('outside-reference', 'it is only the difference to another disk, which is not followed.');
  if (type !== 2 && type !== 3) return refusal('corrupt', `its footer says that it is a disk of kind ${type}, which does not exist.`);
  const size = acceptedSize(footer.readBigUInt64BE(48));
  if (typeof size !== 'number') return size;
  const headerOffset = footer.readBigUInt64BE(16);
  if (type === 3 && headerOffset > BigInt(Number.MAX_SAFE_INTEGER)) return refusal('corrupt', 'its header lies outside of it.');
  return { kind: type === 2 ? 'fixed' : 'dynamic', virtualSizeBytes: size, headerOffset: type === 2 ? 0 : Number(headerOffset) };
}

/** @throws Failure `image/*` naming the file. */
export async function openVhd({ source, node }: DiskWindow, fileName: string): Promise<ForeignDisk> {
  // Dynamic disks begin with a copy of the footer, and it is that copy which QEMU believes.
  const head = await source.read(0, footerBytes);
  const tail = await source.read(Math.max(0, source.sizeBytes - footerBytes), footerBytes);
  const atStart = head.toString('latin1', 0, 8) === 'conectix';
  const footer = parseVhdFooter(atStart ? head : tail);
  if ('refused' in footer) throw refuse(fileName, footer);
  if (atStart !== (footer.kind === 'dynamic'))
    throw refuse(fileName, refusal('corrupt', 'its header and its footer contradict each other.'));
  if (footer.kind === 'fixed') {
    if (footer.virtualSizeBytes > source.sizeBytes - footerBytes)
      throw refuse(fileName, refusal('truncated', 'it is shorter than its disk.'));
    return {
      format: 'vhd',
      virtualSizeBytes: footer.virtualSizeBytes,
      parts: [{ node: { driver: 'raw', offset: 0, size: footer.virtualSizeBytes, file: node } }],
      content: slice(source, 0, footer.virtualSizeBytes),
      notes: [],
    };
  }
  const header = await source.read(footer.headerOffset, 1024);
  if (header.length < 1024 || header.toString('latin1', 0, 8) !== 'cxsparse')
    throw refuse(fileName, refusal('corrupt', 'its header is damaged.'));
  const tableOffset = header.readBigUInt64BE(16);
  const entries = header.readUInt32BE(28);
  const blockBytes = header.readUInt32BE(32);
  if (blockBytes < 4096 || blockBytes > 256 * 1024 ** 2 || (blockBytes & (blockBytes - 1)) !== 0) {
    throw refuse(fileName, refusal('corrupt', `its blocks are said to have ${blockBytes} bytes.`));
  }
  if (entries * blockBytes < footer.virtualSizeBytes) throw refuse(fileName, refusal('corrupt', 'its table is too small for its disk.'));
  if (tableOffset + BigInt(entries) * 4n > BigInt(source.sizeBytes))
    throw refuse(fileName, refusal('truncated', 'it ends inside its table.'));
  return {
    format: 'vhd',
    virtualSizeBytes: footer.virtualSizeBytes,
    // By default QEMU takes some programs' disks for as large as their geometry says, and so cuts off their end.
    parts: [{ node: { driver: 'vpc', force_size_calc: 'current_size', file: node } }],
    content: dynamicContent(source, footer.virtualSizeBytes, Number(tableOffset), blockBytes),
    notes: [],
  };
}

function dynamicContent(file: ByteSource, sizeBytes: number, tableOffset: number, blockBytes: number): ByteSource {
  const bitmapBytes = Math.ceil(blockBytes / 512 / 8 / 512) * 512;
  return blockContent(sizeBytes, blockBytes, async (index) => {
    const entry = await file.read(tableOffset + index * 4, 4);
    if (entry.length < 4 || entry.readUInt32BE(0) === 0xffff_ffff) return null;
    const start = entry.readUInt32BE(0) * 512 + bitmapBytes;
    return (within, length) => file.read(start + within, length);
  });
}
