/**
 * Reads an ext2, ext3 or ext4 volume, read-only and bounded: enough of the file system to walk directories and read small files
 * (https://docs.kernel.org/filesystems/ext4/). Anything unexpected ends the search, nothing throws.
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
type Inode = { mode: number; sizeBytes: number; modifiedAt: number; map: Buffer; extents: boolean; inline: boolean };

const rootInode = 2;
const fileType = { directory: 0x4000, regular: 0x8000, link: 0xa000 };
/** What is read of a directory that is walked through; /etc of a full system has a few blocks. */
const walkedBytesMax = 256 * 1024;
/** What is read of a directory whose names are wanted: dpkg keeps some files for each package in one. */
const listedBytesMax = 4 * 1024 * 1024;
const linksMax = 4;
/** What is read at once of a file that lies in one piece. */
const runMaxBytes = 1024 * 1024;

/** A Linux file system as far as it is read here: absolute paths without the first slash. Null is what is not there or cannot be read. */
export type ExtVolume = {
  /** The first bytes of a file. */
  readStart(path: string, lengthBytes: number): Promise<Buffer | null>;
  /** Names in a folder, without "." and "..". */
  list(path: string): Promise<string[] | null>;
  /** When a file or folder was last changed, in seconds since 1970. */
  modifiedAt(path: string): Promise<number | null>;
};

/** Null when the source is no ext2, ext3 or ext4. */
export async function openExtVolume(source: ByteSource): Promise<ExtVolume | null> {
  const volume = await openVolume(source).catch(() => null);
  if (!volume) return null;
  const inodeAt = async (path: string) => findInode(volume, path.split('/'), linksMax).catch(() => null);
  return {
    async readStart(path, lengthBytes) {
      const inode = await inodeAt(path);
      return inode?.mode === fileType.regular ? readContent(volume, inode, lengthBytes).catch(() => null) : null;
    },
    async list(path) {
      const inode = await inodeAt(path);
      if (inode?.mode !== fileType.directory) return null;
      const content = await readContent(volume, inode, listedBytesMax).catch(() => null);
      return content && [...entriesOf(content)].map(({ name }) => name).filter((name) => name !== '.' && name !== '..');
    },
    modifiedAt: async (path) => (await inodeAt(path))?.modifiedAt ?? null,
  };
}

/** Null when the volume has no such file. */
export async function readOsRelease(volume: ExtVolume): Promise<OsRelease | null> {
  for (const path of ['etc/os-release', 'usr/lib/os-release']) {
    const text = await volume.readStart(path, 16_384);
    if (text !== null) return parseOsRelease(text.toString('utf8'));
  }
  return null;
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
    modifiedAt: inode.readUInt32LE(0x10),
    map: inode.subarray(0x28, 0x28 + 60),
    extents: (flags & 0x80000) !== 0,
    inline: (flags & 0x10000000) !== 0,
  };
}

async function readContent(volume: Volume, inode: Inode, lengthBytes: number): Promise<Buffer> {
  // The target of a short link, or the content of a tiny file, stands where the block map would.
  if (inode.inline || (inode.mode === fileType.link && inode.sizeBytes < 60)) return inode.map.subarray(0, Math.min(60, inode.sizeBytes));
  const wanted = Math.min(inode.sizeBytes, lengthBytes);
  const count = Math.ceil(wanted / volume.blockBytes);
  const content = Buffer.alloc(count * volume.blockBytes);
  /** Blocks that lie side by side and are read at once. */
  let run = { block: 0, index: 0, count: 0 };
  const readRun = async () => {
    if (run.count === 0) return;
    const bytes = await volume.source.read(run.block * volume.blockBytes, run.count * volume.blockBytes);
    bytes.copy(content, run.index * volume.blockBytes);
  };
  for (let index = 0; index < count; index++) {
    const block = inode.extents ? await blockOfExtents(volume, inode.map, index, 0) : await blockOfMap(volume, inode.map, index);
    if (block !== null && run.count > 0 && block === run.block + run.count && run.count * volume.blockBytes < runMaxBytes) {
      run.count += 1;
      continue;
    }
    await readRun();
    run = { block: block ?? 0, index, count: block === null ? 0 : 1 };
  }
  await readRun();
  return content.subarray(0, wanted);
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

/** The block map of ext2 and ext3: twelve blocks, then one and two levels of indirection, which is enough for what is read here. */
async function blockOfMap(volume: Volume, map: Buffer, index: number): Promise<number | null> {
  if (index < 12) return map.readUInt32LE(4 * index) || null;
  const inTable = volume.blockBytes / 4;
  const within = index - 12;
  if (within < inTable) return entryOfTable(volume, map.readUInt32LE(48), within);
  const deeper = within - inTable;
  if (deeper >= inTable * inTable) return null;
  const table = await entryOfTable(volume, map.readUInt32LE(52), Math.floor(deeper / inTable));
  return table && entryOfTable(volume, table, deeper % inTable);
}

/** Null for a hole. */
async function entryOfTable({ source, blockBytes }: Volume, table: number, entry: number): Promise<number | null> {
  if (table === 0) return null;
  const bytes = await source.read(table * blockBytes + entry * 4, 4);
  return bytes.length === 4 ? bytes.readUInt32LE(0) || null : null;
}

/** The entries of a directory; indexed directories can be read as plain ones. */
function* entriesOf(content: Buffer): Generator<{ inode: number; name: string }> {
  for (let at = 0; at + 8 <= content.length; ) {
    const inode = content.readUInt32LE(at);
    const length = content.readUInt16LE(at + 4);
    const nameLength = content[at + 6] ?? 0;
    if (length < 8 || length % 4 !== 0) return;
    if (inode !== 0 && nameLength > 0) yield { inode, name: content.toString('utf8', at + 8, at + 8 + nameLength) };
    at += length;
  }
}

/** The inode at a path; links are followed inside the volume. */
async function findInode(volume: Volume, path: readonly string[], linksLeft: number): Promise<Inode | null> {
  let directory = await readInode(volume, rootInode);
  for (const [index, name] of path.entries()) {
    if (directory?.mode !== fileType.directory) return null;
    const found = [...entriesOf(await readContent(volume, directory, walkedBytesMax))].find((entry) => entry.name === name);
    if (!found) return null;
    const inode = await readInode(volume, found.inode);
    if (inode?.mode === fileType.link) {
      if (linksLeft === 0) return null;
      const target = (await readContent(volume, inode, 4096)).toString('utf8');
      return findInode(volume, resolveLink(path.slice(0, index), target, path.slice(index + 1)), linksLeft - 1);
    }
    directory = inode;
  }
  return directory;
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
