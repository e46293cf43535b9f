/** Reads MBR and GPT partition tables from a disk that is not trusted: bounded counts, checked ranges, never throws on content. */
import type { ByteSource } from './byte-source.ts';

export type Partition = {
  startBytes: number;
  sizeBytes: number;
  kind: 'esp' | 'bios-boot' | 'linux' | 'windows' | 'bsd' | 'apple' | 'other';
};

export type PartitionTable = {
  scheme: 'mbr' | 'gpt';
  partitions: Partition[];
  /** The first sector has code that a BIOS would run. */
  bootCode: boolean;
};

const sectorBytes = 512;
const partitionsMax = 128;

/** GPT type ids, as they are written in text. */
const gptKinds: Record<string, Partition['kind']> = {
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'esp',
  '21686148-6449-6e6f-744e-656564454649': 'bios-boot',
  'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7': 'windows',
  'e3c9e316-0b5c-4db8-817d-f92df00215ae': 'windows',
  'de94bba4-06d1-4d40-a16a-bfd50179d6ac': 'windows',
  '0fc63daf-8483-4772-8e79-3d69d8477de4': 'linux',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709': 'linux',
  'bc13c2ff-59e6-4262-a352-b275fd6f7172': 'linux',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'linux',
  'e6d6d379-f507-44c2-a23c-238f2a3df928': 'linux',
  '83bd6b9d-7f41-11dc-be0b-001560b84f0f': 'bsd',
  '516e7cb4-6ecf-11d6-8ff8-00022d09712b': 'bsd',
  '516e7cb6-6ecf-11d6-8ff8-00022d09712b': 'bsd',
  '516e7cba-6ecf-11d6-8ff8-00022d09712b': 'bsd',
  '824cc7a0-36a8-11e3-890a-952519ad3f61': 'bsd',
  '49f48d5a-b10e-11dc-b99b-0019d1879648': 'bsd',
  '48465300-0000-11aa-aa11-00306543ecac': 'apple',
  '7c3457ef-0000-11aa-aa11-00306543ecac': 'apple',
};

const mbrKinds: Record<number, Partition['kind']> = {
  7: 'windows',
  130: 'linux',
  131: 'linux',
  142: 'linux',
  253: 'linux',
  165: 'bsd',
  166: 'bsd',
  169: 'bsd',
  175: 'apple',
  239: 'esp',
};

/** Null when the disk has no partition table. */
export async function readPartitionTable(disk: ByteSource): Promise<PartitionTable | null> {
  const record = await disk.read(0, sectorBytes);
  if (record.length < sectorBytes || record.readUInt16LE(510) !== 0xaa55) return null;
  const bootCode = record.subarray(0, 440).some((byte) => byte !== 0);
  const entries = [0, 1, 2, 3].map((index) => record.subarray(446 + 16 * index, 462 + 16 * index));
  if (entries.some((entry) => entry[4] === 0xee)) {
    const partitions = await readGpt(disk);
    if (partitions) return { scheme: 'gpt', partitions, bootCode };
  }
  const plausible = entries.every((entry) => entry[0] === 0 || entry[0] === 0x80);
  const used = entries.filter((entry) => entry[4] !== 0);
  if (!plausible || used.length === 0) return null;
  const partitions = used.map((entry) => ({
    startBytes: entry.readUInt32LE(8) * sectorBytes,
    sizeBytes: entry.readUInt32LE(12) * sectorBytes,
    kind: mbrKinds[entry[4] ?? 0] ?? 'other',
  }));
  return { scheme: 'mbr', partitions: partitions.filter((partition) => fits(partition, disk)), bootCode };
}

async function readGpt(disk: ByteSource): Promise<Partition[] | null> {
  const header = await disk.read(sectorBytes, sectorBytes);
  if (header.length < 92 || header.toString('latin1', 0, 8) !== 'EFI PART') return null;
  const start = header.readBigUInt64LE(72);
  const count = Math.min(header.readUInt32LE(80), partitionsMax);
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128 || entryBytes > 1024 || start > BigInt(disk.sizeBytes)) return null;
  const table = await disk.read(Number(start) * sectorBytes, count * entryBytes);
  const partitions: Partition[] = [];
  for (let at = 0; at + 128 <= table.length; at += entryBytes) {
    const type = guidText(table.subarray(at, at + 16));
    if (type === '00000000-0000-0000-0000-000000000000') continue;
    const first = table.readBigUInt64LE(at + 32);
    const last = table.readBigUInt64LE(at + 40);
    if (last < first || last > BigInt(Number.MAX_SAFE_INTEGER) / 512n) continue;
    const partition = {
      startBytes: Number(first) * sectorBytes,
      sizeBytes: Number(last - first + 1n) * sectorBytes,
      kind: gptKinds[type] ?? ('other' as const),
    };
    if (fits(partition, disk)) partitions.push(partition);
  }
  return partitions;
}

function fits(partition: Partition, disk: ByteSource): boolean {
  return partition.sizeBytes > 0 && partition.startBytes < disk.sizeBytes;
}

/** The first three groups of a GUID are little-endian on disk. */
function guidText(bytes: Buffer): string {
  const hex = (from: number, to: number) => bytes.toString('hex', from, to);
  const reversed = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).reverse().toString('hex');
  return `${reversed(0, 4)}-${reversed(4, 6)}-${reversed(6, 8)}-${hex(8, 10)}-${hex(10, 16)}`;
}
