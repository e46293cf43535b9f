/**
 * Finds `/etc/os-release` on an ext2, ext3 or ext4 volume, read-only and bounded: enough of the file system to walk two directories and read one small
 * file (https://docs.kernel.org/filesystems/ext4/). Anything unexpected ends the search, nothing throws.
 */
import type { ByteSource } from './byte-source.ts';

export type OsRelease = { id: string; versionId: string; prettyName: string; idLike: string };

type Volume = {
  source: ByteSource;
  blockBytes: number;
  inodesPerGroup: number;
  inodeBytes: number;
  descriptorBytes: number;
  descriptorTable: number;
};
type Inode = { mode: number; sizeBytes: number; map: Buffer; extents: boolean; inline: boolean };

const rootInode = 2;
const fileType = { directory: 0x4000, regular: 0x8000, link: 0xa000 };
/** A directory or file that is read has at most this many blocks; /etc of a full system has a few. */
const blocksMax = 64;
const linksMax = 4;

/** Null when the volume has no such file. */
export async function readOsRelease(source: ByteSource): Promise<OsRelease | null> {
  try {
    const volume = await openVolume(source);
    if (!volume) return null;
    for (const path of ['etc/os-release', 'usr/lib/os-release']) {
      const text = await readPath(volume, path.split('/'), linksMax);
      if (text !== null) return parseOsRelease(text);
    }
    return null;
  } catch {
    return null;
  }
}

/** The fields of os-release(5); null without a name. */
export function parseOsRelease(text: string): OsRelease | null {
  const fields = new Map<string, string>();
  for (const line of text.slice(0, 16_384).split('\n')) {
    const match = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    if (match?.[1]) fields.set(match[1], (match[2] ?? match[3] ?? match[4] ?? '').slice(0, 100));
  }
  const id = (fields.get('ID') ?? '').toLowerCase().replaceAll(/[^a-z0-9._-]/g, '');
  const versionId = (fields.get('VERSION_ID') ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '');
  const prettyName = fields.get('PRETTY_NAME') || fields.get('NAME') || id;
  return prettyName ? { id, versionId, prettyName, idLike: fields.get('ID_LIKE') ?? '' } : null;
}

async function openVolume(source: ByteSource): Promise<Volume | null> {
  const superblock = await source.read(1024, 1024);
  if (superblock.length < 1024 || superblock.readUInt16LE(0x38) !== 0xef53) return null;
  const logBlock = superblock.readUInt32LE(0x18);
  if (logBlock > 6) return null;
  const blockBytes = 1024 << logBlock;
  const revision = superblock.readUInt32LE(0x4c);
  const inodeBytes = revision === 0 ? 128 : superblock.readUInt16LE(0x58);
  const has64bit = (superblock.readUInt32LE(0x60) & 0x80) !== 0;
  const descriptorBytes = has64bit ? Math.max(32, superblock.readUInt16LE(0xfe)) : 32;
  const inodesPerGroup = superblock.readUInt32LE(0x28);
  if (inodeBytes < 128 || inodeBytes > 4096 || inodesPerGroup === 0) return null;
  const firstDataBlock = superblock.readUInt32LE(0x14);
  return { source, blockBytes, inodesPerGroup, inodeBytes, descriptorBytes, descriptorTable: (firstDataBlock + 1) * blockBytes };
}

async function readInode(volume: Volume, number: number): Promise<Inode | null> {
  const group = Math.floor((number - 1) / volume.inodesPerGroup);
  const descriptor = await volume.source.read(volume.descriptorTable + group * volume.descriptorBytes, volume.descriptorBytes);
  if (descriptor.length < 32) return null;
  const high = volume.descriptorBytes >= 64 ? descriptor.readUInt32LE(0x28) : 0;
  const table = descriptor.readUInt32LE(0x08) + high * 2 ** 32;
  const at = table * volume.blockBytes + ((number - 1) % volume.inodesPerGroup) * volume.inodeBytes;
  const inode = await volume.source.read(at, volume.inodeBytes);
  if (inode.length < 128) return null;
  const flags = inode.readUInt32LE(0x20);
  return {
    mode: inode.readUInt16LE(0) & 0xf000,
    sizeBytes: inode.readUInt32LE(0x04),
    map: inode.subarray(0x28, 0x28 + 60),
    extents: (flags & 0x80000) !== 0,
    inline: (flags & 0x10000000) !== 0,
  };
}

async function readContent(volume: Volume, inode: Inode): Promise<Buffer> {
  // The target of a short link, or the content of a tiny file, stands where the block map would.
  if (inode.inline || (inode.mode === fileType.link && inode.sizeBytes < 60)) return inode.map.subarray(0, Math.min(60, inode.sizeBytes));
  const count = Math.min(blocksMax, Math.ceil(inode.sizeBytes / volume.blockBytes));
  const blocks: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    const block = inode.extents ? await blockOfExtents(volume, inode.map, index, 0) : await blockOfMap(volume, inode.map, index);
    blocks.push(block === null ? Buffer.alloc(volume.blockBytes) : await volume.source.read(block * volume.blockBytes, volume.blockBytes));
  }
  return Buffer.concat(blocks).subarray(0, inode.sizeBytes);
}

/** Walks the extent tree, which is at most five levels deep. */
async function blockOfExtents(volume: Volume, node: Buffer, index: number, depth: number): Promise<number | null> {
  if (depth > 5 || node.length < 12 || node.readUInt16LE(0) !== 0xf30a) return null;
  const entries = Math.min(node.readUInt16LE(2), Math.floor((node.length - 12) / 12));
  const levels = node.readUInt16LE(6);
  let child: number | null = null;
  for (let entry = 0; entry < entries; entry++) {
    const at = 12 + 12 * entry;
    const first = node.readUInt32LE(at);
    if (first > index) break;
    if (levels === 0) {
      const length = node.readUInt16LE(at + 4);
      if (index < first + (length > 32768 ? 0 : length))
        return node.readUInt16LE(at + 6) * 2 ** 32 + node.readUInt32LE(at + 8) + index - first;
    } else {
      child = node.readUInt16LE(at + 8) * 2 ** 32 + node.readUInt32LE(at + 4);
    }
  }
  if (child === null) return null;
  return blockOfExtents(volume, await volume.source.read(child * volume.blockBytes, volume.blockBytes), index, depth + 1);
}

/** The block map of ext2 and ext3: twelve blocks, then one level of indirection, which is enough for what is read here. */
async function blockOfMap(volume: Volume, map: Buffer, index: number): Promise<number | null> {
  if (index < 12) return map.readUInt32LE(4 * index) || null;
  const indirect = map.readUInt32LE(48);
  const within = index - 12;
  if (indirect === 0 || within * 4 >= volume.blockBytes) return null;
  const table = await volume.source.read(indirect * volume.blockBytes, volume.blockBytes);
  return table.length >= within * 4 + 4 ? table.readUInt32LE(within * 4) || null : null;
}

/** The inode that `name` has in a directory; indexed directories can be read as plain ones. */
function findEntry(content: Buffer, name: string): number | null {
  for (let at = 0; at + 8 <= content.length; ) {
    const inode = content.readUInt32LE(at);
    const length = content.readUInt16LE(at + 4);
    const nameLength = content[at + 6] ?? 0;
    if (length < 8 || length % 4 !== 0) return null;
    if (inode !== 0 && content.toString('utf8', at + 8, at + 8 + nameLength) === name) return inode;
    at += length;
  }
  return null;
}

/** The text of a file; a link is followed inside the volume. */
async function readPath(volume: Volume, path: readonly string[], linksLeft: number): Promise<string | null> {
  let number = rootInode;
  for (const [index, name] of path.entries()) {
    const directory = await readInode(volume, number);
    if (directory?.mode !== fileType.directory) return null;
    const found = findEntry(await readContent(volume, directory), name);
    if (found === null) return null;
    const inode = await readInode(volume, found);
    if (inode?.mode === fileType.link) {
      if (linksLeft === 0) return null;
      const target = (await readContent(volume, inode)).toString('utf8');
      return readPath(volume, resolveLink(path.slice(0, index), target, path.slice(index + 1)), linksLeft - 1);
    }
    number = found;
  }
  const file = await readInode(volume, number);
  return file?.mode === fileType.regular ? (await readContent(volume, file)).toString('utf8') : null;
}

function resolveLink(folder: readonly string[], target: string, rest: readonly string[]): string[] {
  const resolved = target.startsWith('/') ? [] : [...folder];
  for (const part of [...target.split('/'), ...rest]) {
    if (part === '' || part === '.') continue;
    if (part === '..') resolved.pop();
    else resolved.push(part);
  }
  return resolved;
}
